"""A chroot that is booted: systemd itself runs the service in it, in a container of systemd-nspawn."""

import os
import subprocess
from pathlib import Path

from chroot import find, missing_for_chroots, run
from running import wait_until

# In a mount namespace of its own: this machine may have no cgroups of version 2 where systemd looks for them, and its own
# /run/systemd is not to be written to.
BOOT = """
umount -l /sys/fs/cgroup 2> /dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p "$1" /run/systemd
mount -t tmpfs none /run/systemd
echo $$ > "$1/cgroup.procs"
exec systemd-nspawn --quiet --register=no --keep-unit --boot --resolv-conf=off --timezone=off --link-journal=no \
    --console=pipe --directory "$0"
"""
# All that were in it have ended.
CLEAN = """
umount -l /sys/fs/cgroup 2> /dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
[ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} +
"""


def missing_for_machines():
    """Why nothing can be booted here, as a sentence; None when it can."""
    reason = missing_for_chroots()
    if reason:
        return reason
    if not find("systemd-nspawn"):
        return "systemd-nspawn is missing: apt-get install systemd-container"
    if run("unshare", "--mount", "sh", "-c", "mount -t cgroup2 none /mnt", check=False).returncode != 0:
        return "this machine lets nobody mount cgroups of version 2"
    return None


class Machine:
    """Shares the network with this machine, and nothing else."""

    def __init__(self, chroot):
        self.chroot = chroot
        self.group = f"/sys/fs/cgroup/redeliver-test.{os.getpid()}"
        # Not left behind when the test is killed: systemd-nspawn takes SIGTERM as the button that switches it off.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "--propagation", "private",
             "sh", "-ec", BOOT, str(chroot.folder), self.group],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.init = None
        try:
            wait_until("the container is up", self.is_up, 60)
        except BaseException:
            self.stop()
            raise

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("the container ended at once")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        names = {child: Path(f"/proc/{child}/comm").read_text().strip() for child in children}
        self.init = next((child for child, name in names.items() if name == "systemd"), None)
        return self.init is not None and self.run(
            "systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def run(self, *command, **options):
        """Runs a command in there, as root."""
        # Without a process to enter, nsenter would run the command on this machine.
        assert self.init and int(self.init) > 1
        return run("nsenter", "--target", self.init, "--all", *command, env=self.chroot.environment, **options)

    def show(self, *properties, unit="redeliver"):
        """What systemd says of a unit, by name."""
        lines = self.run("systemctl", "show", unit, *[f"--property={name}" for name in properties]).stdout
        return dict(line.split("=", 1) for line in lines.splitlines())

    def journal(self):
        return self.run("journalctl", "--unit=redeliver", "--output=cat", "--no-pager").stdout

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        run("unshare", "--mount", "sh", "-c", CLEAN, "sh", self.group, check=False)
