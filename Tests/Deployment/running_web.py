"""Starts and stops the programs that the deployment tests work with; everything is bounded in time and on loopback."""

import contextlib
import importlib.util
import json
import os
import pathlib
import select
import shutil
import signal
import site
import socket
import sqlite3
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The Python packages of requirements.txt: those of the Python that runs this, or a venv that the tests make for themselves.
VENV = ROOT / ".build" / "deployment-python"
PYTHON_PROGRAMS = [pathlib.Path(sys.executable).parent, VENV / "bin"]
REQUIREMENTS = [ROOT / "Tests/Deployment/requirements.txt", ROOT / "deploy/datasette/requirements.txt"]


class Missing(AssertionError):
    """A program that a test cannot do without is not there: a failure, so that no run passes by testing nothing."""


def program(name, variable, *places, package=None):
    """The program that the environment variable names, else the first of the places that has it, else the one in PATH."""
    named = os.environ.get(variable)
    if named:
        found = shutil.which(named)
        if not found:
            raise Missing(f"{variable} names {named}, which is not there")
        return found
    for place in places:
        if os.access(place, os.X_OK):
            return str(place)
    found = shutil.which(name)
    if not found:
        hint = f"; install {package}" if package else ""
        raise Missing(f"{name} is not there: set {variable}{hint}")
    return found


def packages():
    """Makes the packages of requirements.txt importable; in a venv below .build, made anew when they have changed."""
    if all(importlib.util.find_spec(name) for name in ("yaml", "playwright", "datasette")):
        return
    wanted = "".join(file.read_text() for file in REQUIREMENTS)
    made = VENV / "made-from.txt"
    if not made.exists() or made.read_text() != wanted:
        shutil.rmtree(VENV, ignore_errors=True)
        for command in ([sys.executable, "-m", "venv", VENV],
                        [VENV / "bin/pip", "install", "--quiet", "--requirement", REQUIREMENTS[0]]):
            done = run(*command, seconds=300)
            if done.returncode != 0:
                raise Missing(f"{command}: {done.stdout}{done.stderr} (Debian: apt-get install python3-venv)")
        made.write_text(wanted)
    for folder in VENV.glob("lib/python3*/site-packages"):
        site.addsitedir(str(folder))
    importlib.invalidate_caches()


def redeliver():
    return program(
        "redeliver", "REDELIVER_PROGRAM", ROOT / ".build/release/redeliver", ROOT / ".build/debug/redeliver",
        package="it with make release",
    )


def sandbox_program():
    return program(
        "provider-sandbox", "PROVIDER_SANDBOX_PROGRAM", ROOT / ".build/release/provider-sandbox",
        ROOT / ".build/debug/provider-sandbox", package="it with swift build",
    )


def environment(**more):
    """Ours, but for what redeliver takes for a misspelt key of its configuration and refuses."""
    return {name: value for name, value in os.environ.items() if not name.startswith("REDELIVER_")} | more


def run(*arguments, seconds=30, **options):
    """Runs a program to its end; text in and out."""
    return subprocess.run(
        [str(argument) for argument in arguments], env=environment(), timeout=seconds, text=True, capture_output=True,
        stdin=subprocess.DEVNULL, **options)


def wait_until(condition, seconds, what):
    """Asks until the condition holds and gives back what it said."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program that runs until stop(), with its output in a file. Only ever ended by its own process id."""

    def __init__(self, arguments, output, **variables):
        self.output = pathlib.Path(output)
        with open(self.output, "wb") as file:
            self.child = subprocess.Popen(
                [str(argument) for argument in arguments], stdout=file, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, env=environment(**variables),
            )

    def text(self):
        return self.output.read_text(errors="replace")

    def runs(self):
        return self.child.poll() is None

    def stop(self, seconds=40):
        """Asks it to stop and insists after a while."""
        if self.runs():
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(10)
        return self.child.returncode


class Sandbox:
    """The stand-in provider with its receivers; `said` is the line that it prints when it is ready."""

    def __init__(self, *arguments, seconds=20):
        self.child = subprocess.Popen(
            [sandbox_program(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, env=environment(),
        )
        ready, _, _ = select.select([self.child.stdout], [], [], seconds)
        line = self.child.stdout.readline() if ready else b""
        if not line:
            self.stop()
            raise AssertionError("the sandbox did not come up")
        self.said = json.loads(line)

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(10)
        self.child.stdout.close()

    def configuration(self, database, **sections):
        """A configuration for its endpoints, named first, second, …; JSON is YAML too."""
        names = ["first", "second", "third", "fourth"]
        return json.dumps({
            "provider": {"base_url": self.said["provider"], "auth": {"token": self.said["token"]}},
            "endpoints": [{"id": id, "name": name} for id, name in zip(self.said["endpoints"], names)],
            "database": str(database),
            **sections,
        }, indent=2)


@contextlib.contextmanager
def reading(database):
    """A read-only connection, closed afterwards."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def value(database, sql, *parameters):
    """The first column of the first row, or None; also None while the database has not been made."""
    if not pathlib.Path(database).exists():
        return None
    with reading(database) as connection:
        try:
            row = connection.execute(sql, parameters).fetchone()
        except sqlite3.OperationalError as error:
            # Only at the very first start: the file is there and its schema is not, or not all of it.
            if "no such" in str(error):
                return None
            raise
    return row[0] if row else None
