"""Starts and stops the programs that the deployment's tests need, on loopback and on ports that the kernel chooses.

Environment: REDELIVER_PROGRAM and PROVIDER_SANDBOX_PROGRAM (default: .build/release, else .build/debug), PROMETHEUS_PROGRAM,
PROMTOOL_PROGRAM and NODE_EXPORTER_PROGRAM (default: from PATH).
"""

import json
import math
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def built(variable, name):
    """A program of this repository; without it nothing is tested, so that is a failure and no skip."""
    named = os.environ.get(variable)
    candidates = [pathlib.Path(named)] if named else [ROOT / ".build" / kind / name for kind in ("release", "debug")]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return str(candidate.resolve())
    raise FileNotFoundError(f"{name} is not built: run `swift build`, or set {variable}")


def installed(variable, *names):
    """A program of the system; the test is skipped where there is none."""
    for name in [os.environ[variable]] if variable in os.environ else names:
        if found := shutil.which(name):
            return found
    raise unittest.SkipTest(f"{names[0]} is not installed (Debian: prometheus, prometheus-node-exporter), or set {variable}")


def redeliver():
    return built("REDELIVER_PROGRAM", "redeliver")


def promtool():
    return installed("PROMTOOL_PROGRAM", "promtool")


def free_port():
    """For programs that cannot tell which port they took. Another program may take it first, however unlikely."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(**more):
    """Without our own REDELIVER_PROGRAM and what else overrides keys: redeliver refuses variables that it does not know."""
    return {key: value for key, value in os.environ.items() if not key.startswith("REDELIVER_")} | more


def get(url, timeout=10):
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(f"{url}: {error.code} {error.read().decode()}") from error


def wait_until(what, condition, seconds=30):
    """The first true value of `condition`; what it throws until then counts as not yet."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except (OSError, ValueError, KeyError, IndexError, sqlite3.Error) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}" + (f" ({last})" if last else ""))


class Program:
    """A child process whose output goes to a file, ended by its own process id."""

    def __init__(self, arguments, folder, name):
        self.output = pathlib.Path(folder) / f"{name}.out"
        self.log = pathlib.Path(folder) / f"{name}.log"
        with open(self.output, "wb") as out, open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(argument) for argument in arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                cwd=folder, env=environment())

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.wait()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Bench:
    """A folder and the programs that run in it. `close` ends them in reverse order and removes the folder."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="redeliver-deployment-"))
        self.programs = []

    def start(self, arguments, name):
        program = Program(arguments, self.folder, name)
        self.programs.append(program)
        return program

    def close(self):
        for program in reversed(self.programs):
            program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What is under test

    def start_sandbox(self, *flags):
        """The stand-in for the provider. Sets `sandbox` to what it prints: addresses, ids, token."""
        program = self.start([built("PROVIDER_SANDBOX_PROGRAM", "provider-sandbox"), *flags], "sandbox")

        def line():
            text = program.output.read_text()
            return json.loads(text) if text.endswith("\n") else None

        self.sandbox = wait_until("provider-sandbox is ready", line)

    def configure(self, names, per_second=60):
        """Delays of seconds where production has minutes; the metrics file is alone in the folder `metrics`."""
        (self.folder / "metrics").mkdir(exist_ok=True)
        endpoints = "\n".join(f'  - {{id: "{id}", name: {name}}}' for id, name in zip(self.sandbox["endpoints"], names))
        self.configuration = self.folder / "config.yaml"
        self.database = self.folder / "redeliver.db"
        self.metrics = self.folder / "metrics" / "redeliver.prom"
        self.configuration.write_text(f"""\
provider:
  base_url: {self.sandbox["provider"]}
  auth: {{token: "{self.sandbox["token"]}"}}
endpoints:
{endpoints}
database: redeliver.db
metrics: {{textfile: metrics/redeliver.prom, interval: 1s}}
poll: {{interval: 2s}}
confirm: {{interval: 500ms, within: 3s}}
retry: {{concurrency: 16, per_second: {per_second}, burst: {per_second}}}
circuit: {{trial_delays: [1s, 2s, 2s]}}
policies:
  - {{events: ["*"], initial_delay: 1s, multiplier: 2, max_delay: 4s, max_attempts: 3}}
""")

    def start_worker(self):
        self.worker = self.start([redeliver(), "run", "--config", self.configuration], "redeliver")
        try:
            wait_until("the worker writes its metrics", lambda: self.metrics.stat().st_size)
        except AssertionError as error:
            raise AssertionError(f"{error}; its log ends: {self.worker.log.read_text()[-2000:]}") from error

    # What watches it

    def start_node_exporter(self):
        """With the textfile collector alone."""
        self.node_port = free_port()
        self.start(
            [installed("NODE_EXPORTER_PROGRAM", "prometheus-node-exporter", "node_exporter"),
             "--collector.disable-defaults", "--collector.textfile", "--web.disable-exporter-metrics",
             f"--collector.textfile.directory={self.metrics.parent}", f"--web.listen-address=127.0.0.1:{self.node_port}"],
            "node_exporter")
        wait_until("node_exporter answers", lambda: self.exposition())

    def exposition(self):
        return get(f"http://127.0.0.1:{self.node_port}/metrics")

    def start_prometheus(self, rules):
        """Scrapes and evaluates every second."""
        self.prometheus_port = free_port()
        (self.folder / "prometheus.yml").write_text(f"""\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ["127.0.0.1:{self.node_port}"]}}]
""")
        self.start(
            [installed("PROMETHEUS_PROGRAM", "prometheus"), f"--config.file={self.folder / 'prometheus.yml'}",
             f"--storage.tsdb.path={self.folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{self.prometheus_port}"],
            "prometheus")
        wait_until("prometheus is ready", lambda: get(f"http://127.0.0.1:{self.prometheus_port}/-/ready"))

    def api(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters, doseq=True) if parameters else ""
        answer = json.loads(get(f"http://127.0.0.1:{self.prometheus_port}/api/v1/{path}{query}"))
        if answer["status"] != "success":
            raise ValueError(f"{path}: {answer}")
        return answer["data"]

    def query(self, expression):
        return self.api("query", query=expression)["result"]

    def rules(self):
        return [rule for group in self.api("rules")["groups"] for rule in group["rules"]]

    def alert_state(self, name):
        return next(rule["state"] for rule in self.rules() if rule["name"] == name)


SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?')
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def samples(text):
    """(name and labels, value) of each sample of an exposition, in order; an empty label is no label to Prometheus."""
    found = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, labels, number = SAMPLE.match(line).groups()
        pairs = {
            key: re.sub(r'\\[\\"n]', lambda escape: ESCAPES[escape.group()], value) for key, value in LABEL.findall(labels or "")}
        found.append((series(name, pairs), float(number)))
    return found


def series(name, labels):
    return (name, frozenset((key, value) for key, value in labels.items() if value))


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


UNITS = {"m": 1, "h": 60, "d": 30}


def shortened(rules):
    """The rules with every span of time as short as a test: 1m is 1 s, 1h is 60 s, 1d is 30 s; evaluated every second.

    Spans only: `[5m]`, `[1d:5m]`, `offset 1d`, `for: 6h`, and the `4 * 86400` of a prediction. Other thresholds in seconds stay as they are, so alerts on ages of hours
    stay silent.
    """
    def seconds(match):
        return f"{max(1, int(match[1]) * UNITS[match[2]])}s"

    spans = re.compile(r"\[[^\]\n]*\]|offset \d+[mhd]|for: \d+[mhd]")
    text = spans.sub(lambda span: re.sub(r"\b(\d+)([mhd])\b", seconds, span.group()), rules)
    return text.replace("interval: 30s", "interval: 1s").replace("4 * 86400", f"4 * {UNITS['d']}")
