"""A Debian of its own for each test: made once by debootstrap, kept as a tar, unpacked where a test needs one.

Commands run in a mount and process namespace of their own: whatever is mounted or started in one is gone when it ends,
also when a test is killed. So nothing is left to unmount; only the folder is removed.
"""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"

# What the package needs and what the tests look at it with.
INSTALLED = ["adduser", "libsqlite3-0", "zlib1g", "libstdc++6", "sqlite3", "acl"]
# What only some tests install. Fetched once with the others, so that the tests themselves use no network.
FETCHED = ["systemd"]


def missing_for_chroots():
    """Why there can be no chroot here, as a sentence; None when there can."""
    if os.geteuid() != 0:
        return "a chroot is made by root only: sudo make test-deployment"
    for tool, package in [("debootstrap", "debootstrap"), ("unshare", "util-linux"), ("apt-get", "apt")]:
        if not find(tool):
            return f"{tool} is missing: apt-get install {package}"
    return None


def find(tool):
    """The tool's path, also where a user's PATH has no sbin."""
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def run(*command, timeout=120, check=True, **options):
    """Runs a command to its end, in bounded time, and returns what it said (stdout and stderr as text)."""
    options.setdefault("stdin", subprocess.DEVNULL)
    result = subprocess.run(
        [str(part) for part in command], timeout=timeout, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def sources():
    """The lines of apt's own configuration that lead to this release of Debian: (site, suite, component)."""
    listing = run("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)",
                  "Created-By: Packages", "Origin: Debian", check=False).stdout
    return sorted({tuple(line.split()) for line in listing.splitlines() if len(line.split()) == 3})


def codename():
    lines = Path("/etc/os-release").read_text().splitlines()
    return next(line.split("=")[1].strip('"') for line in lines if line.startswith("VERSION_CODENAME="))


def base():
    """The tar of a fresh Debian with INSTALLED; made where it is not there yet (a minute or two)."""
    tar = BUILD / f"debian-{codename()}.tar"
    wanted = "\n".join(INSTALLED + FETCHED)
    made_for = tar.with_suffix(".packages")
    if tar.exists() and made_for.exists() and made_for.read_text() == wanted:
        return tar
    site = next((site for site, suite, _ in sources() if suite == codename()), None)
    if site is None:
        raise AssertionError("apt knows no mirror of this Debian release: apt-get update")
    BUILD.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="debootstrap.", dir=BUILD))
    try:
        print(f"making {tar.relative_to(ROOT)} from {site}, once", flush=True)
        run(find("debootstrap"), "--variant=minbase", codename(), folder, site, timeout=900)
        lines = [f"deb {site} {suite} {component}" for site, suite, component in sources()]
        (folder / "etc/apt/sources.list").write_text("\n".join(lines) + "\n")
        inside = Chroot(folder)
        # debootstrap has copied resolv.conf, so that names are found in there.
        inside.run("apt-get", "update", timeout=300)
        inside.install("--download-only", *INSTALLED, *FETCHED, timeout=300)
        inside.install(*INSTALLED, timeout=300)
        partial = tar.with_suffix(".partial")
        run("tar", "--numeric-owner", "-C", folder, "-cf", partial, ".", timeout=300)
        partial.rename(tar)
        made_for.write_text(wanted)
    finally:
        shutil.rmtree(folder)
    return tar


class Chroot:
    """A folder with a Debian in it."""

    def __init__(self, folder):
        self.folder = Path(folder)

    @classmethod
    def fresh(cls):
        folder = Path(tempfile.mkdtemp(prefix="chroot.", dir=BUILD))
        run("tar", "--numeric-owner", "-C", folder, "-xf", base(), timeout=300)
        # The archive says what the temporary folder was: closed to all but root.
        folder.chmod(0o755)
        return cls(folder)

    def remove(self):
        shutil.rmtree(self.folder)

    def path(self, inside):
        return self.folder / str(inside).lstrip("/")

    def command(self, *command, user=None):
        """The command line that runs `command` in here, with its own processes and mounts."""
        # A shared /proc would show the processes of this machine, and some programs look there for their own.
        enter = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--",
                 "sh", "-ec", 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"', self.folder]
        if user:
            # Unlike runuser it is replaced by the program, which then gets the signals.
            enter += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        return [str(part) for part in [*enter, *command]]

    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive", "HOME": "/nonexistent",
    }

    def run(self, *command, user=None, env=None, **options):
        return run(*self.command(*command, user=user), env={**self.environment, **(env or {})}, **options)

    def start(self, *command, user=None, env=None):
        """Starts what goes on until it is stopped."""
        return Running(self.command(*command, user=user), {**self.environment, **(env or {})})

    def install(self, *packages, **options):
        """As an administrator does it: a path beginning with / is a file in here. What it needs was fetched before."""
        return self.run("apt-get", "install", "-y", "--no-install-recommends", *packages, **options)

    def put(self, file):
        """Copies a file of this machine in; returns its path in there, which is no place that systemd mounts over."""
        shutil.copy(file, self.path("/var/cache"))
        return f"/var/cache/{Path(file).name}"

    def snapshot(self, ignored=()):
        """What is on the file system: path → kind, mode, owner, group, and a file's content or a link's target."""
        found = {}
        for folder, folders, files in os.walk(self.folder):
            inside = "/" + str(Path(folder).relative_to(self.folder)).replace(".", "", 1).lstrip("/")
            folders[:] = [name for name in folders if os.path.join(inside, name) not in ignored]
            for name in folders + files:
                path = Path(folder, name)
                at = os.path.join(inside, name)
                if at in ignored:
                    continue
                facts = path.lstat()
                content = os.readlink(path) if path.is_symlink() else None
                if stat.S_ISREG(facts.st_mode):
                    content = (facts.st_size, hash(path.read_bytes()))
                found[at] = (oct(facts.st_mode), facts.st_uid, facts.st_gid, content)
        return found


class Running:
    """A program in a chroot that goes on beside the test."""

    def __init__(self, command, environment):
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    @property
    def is_alive(self):
        return self.process.poll() is None

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self, timeout=60):
        """SIGTERM to the program itself, which is the only child of `unshare`; returns its exit code."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for child in children.read_text().split() if self.is_alive else []:
            os.kill(int(child), signal.SIGTERM)
        return self.process.wait(timeout)

    def end(self):
        """Whatever happened before: gone after this, with all that it started."""
        self.process.kill()
        self.process.wait(30)
        self.log.close()
