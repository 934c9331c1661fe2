"""The Debian package: built, looked at, installed, upgraded, removed and purged in a Debian of its own, and run by systemd."""

import gzip
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import running
from chroot import BUILD, ROOT, Chroot, find, missing_for_chroots, run
from machine import Machine, missing_for_machines
from running import wait_until

UNIT = ROOT / "deploy/systemd/redeliver.service"
CONFFILE = ROOT / "deploy/debian/config.yaml"
STATE = "/var/lib/redeliver"
NEWER = "0.999"

# What a package changes by being installed at all: apt's and dpkg's own books, caches, and the times of folders.
BOOKS = {
    "/proc", "/dev", "/run", "/tmp", "/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/var/log", "/etc/ld.so.cache",
}


def require(reason):
    if reason:
        raise unittest.SkipTest(reason)


def require_tools(*tools):
    for tool, package in tools:
        require(None if find(tool) else f"{tool} is missing: apt-get install {package}")


class Packages:
    """Built once for all tests, without compression for speed but for the one that lintian looks at."""

    folder = None

    @classmethod
    def get(cls, version=None, compression="none"):
        require_tools(("dpkg-buildpackage", "dpkg-dev"), ("dh", "debhelper"))
        if cls.folder is None:
            BUILD.mkdir(exist_ok=True)
            cls.folder = Path(tempfile.mkdtemp(prefix="packages.", dir=BUILD))
            unittest.addModuleCleanup(cls.remove)
        output = cls.folder / compression
        found = list(output.glob(f"redeliver_{version or own_version()}_*.deb"))
        return found[0] if found else cls.build(output, version, compression)

    @staticmethod
    def build(output, version, compression):
        environment = {**os.environ, "OUTPUT": str(output), "COMPRESSION": compression}
        if version:
            environment["VERSION"] = version
        said = run(ROOT / "deploy/debian/build", timeout=300, env=environment).stdout
        return Path(said.splitlines()[-1])

    @classmethod
    def remove(cls):
        shutil.rmtree(cls.folder)
        cls.folder = None


def own_version():
    return run(BUILD / "redeliver", "--version").stdout.strip().replace("-", "~")


def field(package, name):
    return run("dpkg-deb", "--field", package, name).stdout.strip()


def repacked(package, change):
    """The package with something changed by `change(folder)`; dpkg sees another package of the same name."""
    with tempfile.TemporaryDirectory(dir=Packages.folder) as folder:
        content = Path(folder, "content")
        run("dpkg-deb", "--raw-extract", package, content)
        change(content)
        result = Packages.folder / f"changed-{len(os.listdir(Packages.folder))}.deb"
        run("dpkg-deb", "--root-owner-group", "-Znone", "--build", content, result)
    return result


def filled_in(text, sandbox):
    """The shipped configuration as an administrator fills it in, with waits of seconds for the test."""
    text = re.sub(r"^  base_url: ", f"  base_url: {sandbox['provider']} ", text, flags=re.M)
    text = re.sub(r'^#  - id: "[^"]*"', f'  - id: "{sandbox["endpoints"][0]}"', text, flags=re.M)
    return text + 'poll: {interval: 1s}\nconfirm: {interval: 1s}\npolicies: [{events: "*", schedule: [1s, 1s, 1s]}]\n'


class ContentTests(unittest.TestCase):
    def test_it_holds_these_files_with_these_modes_and_nothing_else(self):
        """All of root, none writable by others, none set-uid; the state directory is made by the scripts."""
        listing = run("dpkg-deb", "--contents", Packages.get()).stdout.splitlines()
        self.assertEqual({line.split()[1] for line in listing}, {"root/root"})
        files = {line.split()[5][1:]: line.split()[0] for line in listing if not line.startswith("d")}
        files.pop("/usr/share/doc/redeliver/NOTICE.gz", None)
        plain = [
            "/etc/redeliver/config.yaml", "/lib/systemd/system/redeliver.service",
            "/usr/share/bash-completion/completions/redeliver", "/usr/share/zsh/vendor-completions/_redeliver",
            "/usr/share/fish/vendor_completions.d/redeliver.fish", "/usr/share/man/man1/redeliver.1.gz",
            "/usr/share/doc/redeliver/README.md", "/usr/share/doc/redeliver/changelog.gz",
            "/usr/share/doc/redeliver/copyright", "/usr/share/lintian/overrides/redeliver",
        ]
        self.assertEqual(files, {"/usr/bin/redeliver": "-rwxr-xr-x", **{path: "-rw-r--r--" for path in plain}})

    def test_the_program_in_it_is_the_one_that_was_built(self):
        """Byte for byte: nothing is stripped or changed after the tests of the program."""
        with tempfile.TemporaryDirectory() as folder:
            run("dpkg-deb", "--extract", Packages.get(), folder)
            digests = {hashlib.sha256(path.read_bytes()).hexdigest()
                       for path in [Path(folder, "usr/bin/redeliver"), BUILD / "redeliver"]}
        self.assertEqual(len(digests), 1)

    def test_it_needs_sqlite_zlib_and_the_runtimes_of_c_and_cpp_only(self):
        """As dpkg-shlibdeps finds it, with adduser for the scripts; nothing of Swift."""
        names = {entry.split()[0] for entry in field(Packages.get(), "Depends").split(",")}
        self.assertEqual(names, {"adduser", "libc6", "libgcc-s1", "libsqlite3-0", "libstdc++6", "zlib1g"})

    def test_the_configuration_is_a_conffile_and_nothing_else_is(self):
        """So that dpkg itself keeps what an administrator has changed."""
        conffiles = run("dpkg-deb", "--info", Packages.get(), "conffiles").stdout.split()
        self.assertEqual(conffiles, ["/etc/redeliver/config.yaml"])

    def test_the_same_commit_gives_the_same_bytes(self):
        """Built again, under another path and at another time."""
        first = Packages.get()
        with tempfile.TemporaryDirectory() as folder:
            second = Packages.build(Path(folder), None, "none")
            self.assertEqual(first.read_bytes(), second.read_bytes())

    def test_lintian_finds_no_fault(self):
        """No error and no warning, but for what the overrides give a reason for; each override is still needed."""
        require_tools(("lintian", "lintian"))
        package = Packages.get(compression="gzip")
        result = run("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", package,
                     check=False, timeout=300)
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        unneeded = run("lintian", "--allow-root", "--tags", "unused-override,mismatched-override", package, timeout=300)
        self.assertEqual(unneeded.stdout, "")

    def test_the_shells_can_read_the_completions(self):
        """Each by its own parser, for those shells that are installed."""
        with tempfile.TemporaryDirectory() as folder:
            run("dpkg-deb", "--extract", Packages.get(), folder)
            for shell, file in [("bash", "bash-completion/completions/redeliver"),
                                ("zsh", "zsh/vendor-completions/_redeliver"),
                                ("fish", "fish/vendor_completions.d/redeliver.fish")]:
                with self.subTest(shell):
                    require_tools((shell, shell))
                    run(shell, "-n", Path(folder, "usr/share", file))

    def test_the_manual_names_every_command(self):
        """Of those that the program's own help lists."""
        with tempfile.TemporaryDirectory() as folder:
            run("dpkg-deb", "--extract", Packages.get(), folder)
            page = gzip.decompress(Path(folder, "usr/share/man/man1/redeliver.1.gz").read_bytes()).decode()
        commands = re.findall(r"^  ([a-z]+)  ", run(BUILD / "redeliver", "--help").stdout, flags=re.M)
        self.assertGreater(len(commands), 5)
        for command in commands:
            self.assertIn(command, page)

    def test_the_copyright_file_names_every_library(self):
        """That SwiftPM has fetched for the build."""
        fetched = BUILD / "checkouts"
        require(None if fetched.is_dir() else "no .build/checkouts here: make release")
        text = (ROOT / "deploy/debian/copyright").read_text()
        for library in sorted(path.name for path in fetched.iterdir()):
            self.assertRegex(text, rf"(?m)^(Files:)?.*\s{re.escape(library)}(\s|$)")


class ConfigurationTests(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "config.yaml")
            file.write_text(text.replace("/etc/redeliver/token", f"{folder}/token"))
            return run(BUILD / "redeliver", "check", "--config", file, check=False, env=running.environment())

    def test_as_it_is_shipped_it_lacks_what_it_says_is_required_and_nothing_else(self):
        """`redeliver check` names the three places that say REQUIRED, by their lines."""
        result = self.check(CONFFILE.read_text())
        self.assertEqual(result.returncode, 78)
        faults = re.findall(r"config\.yaml:(\d+):\d+: ([a-z_.]+):", result.stderr)
        self.assertEqual([key for _, key in faults], ["provider.base_url", "provider.auth.token_file", "endpoints"])
        lines = CONFFILE.read_text().splitlines()
        marked = [str(number) for number, line in enumerate(lines, 1) if ": " in line and "# REQUIRED" in line]
        self.assertEqual([line for line, _ in faults], marked)

    def test_it_has_every_key_of_the_example_with_the_same_value(self):
        """So that the two cannot say different things."""
        def keys(text):
            found = re.findall(r"(?m)^#?\s*(?:# )?(?:- )?([a-z_]+):[ \t]*([^#\n]*)", text)
            return {(key, value.strip()) for key, value in found}
        example = keys((ROOT / "deploy/redeliver.example.yaml").read_text())
        differs = {key for key, _ in example - keys(CONFFILE.read_text())}
        # Left empty for the administrator, or with another path or form, because a package knows where its secret lies.
        self.assertEqual(differs, {"base_url", "token_file", "password_file"})

    def test_with_every_comment_taken_off_it_is_valid(self):
        """Taking the `#` off a line is all that an administrator has to do; the indentation is right already."""
        lines = [re.sub(r"^#( *(?:- )?[a-z_]+:)", r"\1", line) for line in CONFFILE.read_text().splitlines()]
        # What excludes another key, or names a file that is not here.
        others = r" +(token|token_env|username|password|password_file|password_env" \
            r"|ca_file|proxy_credentials_file|client_certificate|client_key):"
        text = "\n".join(line for line in lines if not re.match(others, line))
        text = text.replace("  base_url: ", "  base_url: https://provider.example ") + "\n"
        with tempfile.NamedTemporaryFile("w", suffix="-token") as token:
            token.write("a-token")
            token.flush()
            result = self.check(text.replace("/etc/redeliver/token ", f"{token.name} "))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("1 endpoint, 2 policies", result.stdout)


class UnitFileTests(unittest.TestCase):
    def test_systemd_finds_nothing_to_complain_about(self):
        """`systemd-analyze verify`, with the program where it is here; as installed it is verified in the container."""
        require_tools(("systemd-analyze", "systemd"))
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder, UNIT.name)
            unit.write_text(UNIT.read_text().replace("=/usr/bin/redeliver", f"={BUILD}/redeliver"))
            result = run("systemd-analyze", "verify", "--man=no", unit, check=False)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))

    def test_its_exposure_is_two_or_less(self):
        """`systemd-analyze security`, on its scale from 0 to 10."""
        require_tools(("systemd-analyze", "systemd"))
        text = run("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT).stdout
        self.assertLessEqual(float(re.search(r"exposure level for redeliver.service: ([0-9.]+)", text)[1]), 2.0)

    def test_a_stop_may_take_longer_than_a_call(self):
        """And than the ten seconds that the program takes to record outcomes after it."""
        seconds = int(re.search(r"(?m)^TimeoutStopSec=(\d+)s$", UNIT.read_text())[1])
        call = int(re.search(r"request_timeout: (\d+)s", CONFFILE.read_text())[1])
        self.assertGreater(seconds, call + 10)
        self.assertIn(f"above {seconds - 15}s the service's TimeoutStopSec grows too", CONFFILE.read_text())


class ChrootTests(unittest.TestCase):
    """A fresh Debian for each test."""

    def setUp(self):
        require(missing_for_chroots())
        self.package = Packages.get()
        self.debian = Chroot.fresh()
        self.addCleanup(self.debian.remove)

    def install(self, package=None, **options):
        return self.debian.install(self.debian.put(package or self.package), timeout=300, **options)

    def sandbox(self, *credential):
        """What the provider beside the chroot prints: they share this machine's loopback. All that failed arrives when it
        is asked for again."""
        bench = running.Bench()
        self.addCleanup(bench.close)
        bench.start_sandbox("--failures", "20", "--endpoints", "1", *credential)
        return bench.sandbox

    def configure(self):
        """What the configuration's own comments tell an administrator to do."""
        sandbox = self.sandbox("--token", "a-token-for-tests")
        file = self.debian.path("/etc/redeliver/config.yaml")
        file.write_text(filled_in(file.read_text(), sandbox))
        command = re.search(r"(?m)^ *#   (install .* /etc/redeliver/token)$", CONFFILE.read_text())[1]
        self.secret(command, sandbox["token"])
        return sandbox

    def secret(self, command, text):
        self.debian.run("sh", "-c", command, stdin=None, input=text + "\n")

    def redeliver(self, *arguments, user="redeliver", **options):
        return self.debian.run("redeliver", *arguments, user=user, **options)

    def modes(self, *paths):
        """Mode, owner and group of each, as `stat` in there sees them."""
        said = self.debian.run("stat", "-c", "%a %U:%G", *paths).stdout
        return dict(zip(paths, said.splitlines()))

    def rows(self, what="*"):
        database = f"file:{STATE}/redeliver.db?mode=ro"
        return self.debian.run("sqlite3", database, f"SELECT {what} FROM delivery ORDER BY id", user="redeliver").stdout

    def all_arrived(self, sandbox):
        """The receiver has each body once, with the same bytes, and the database says so too."""
        summary = json.loads(running.get(sandbox["provider"] + "/_ledger"))["summary"]
        return (summary["arrived"], summary["arrived_bytes_match"], summary["arrived_more_than_once"]) == (20, 20, 0) \
            and self.rows("DISTINCT state").split() == ["delivered"]

    def kept(self):
        """Everything below the folders that belong to the administrator and to the service."""
        # Readers leave their marks in SQLite's shared memory, which holds no data.
        return {path: facts[:3] if path.endswith("-shm") else facts for path, facts in self.debian.snapshot(BOOKS).items()
                if path.startswith(("/etc/redeliver", STATE))}


class InstallationTests(ChrootTests):
    def test_installing_makes_user_and_folders_and_starts_nothing(self):
        """A system user without login; the service is on for the next boot, and waits there for the token."""
        said = self.install()
        self.assertIn("not started: fill in /etc/redeliver/config.yaml", said.stderr)
        user = self.debian.run("getent", "passwd", "redeliver").stdout.strip().split(":")
        self.assertLess(int(user[2]), 1000)
        self.assertEqual(user[4:], ["Redeliver,,,", STATE, "/usr/sbin/nologin"])
        self.assertEqual(self.debian.run("passwd", "--status", "redeliver").stdout.split()[1], "L")
        self.assertEqual(self.modes(STATE, "/etc/redeliver", "/etc/redeliver/config.yaml"), {
            STATE: "2750 redeliver:redeliver", "/etc/redeliver": "755 root:root",
            "/etc/redeliver/config.yaml": "640 root:redeliver"})
        self.assertTrue(
            self.debian.path("/etc/systemd/system/multi-user.target.wants/redeliver.service").is_symlink())
        self.assertIn("ConditionPathExists=/etc/redeliver/token", UNIT.read_text())
        self.assertEqual(os.listdir(self.debian.path(STATE)), [])

    def test_apt_brings_everything_that_the_program_needs(self):
        """SQLite is all that the smallest Debian lacks: apt itself needs the others."""
        self.debian.run("apt-get", "remove", "-y", "libsqlite3-0", timeout=300)
        self.assertNotIn("libsqlite3", self.debian.run("ldconfig", "-p").stdout)
        self.install()
        self.assertEqual(self.redeliver("--version").stdout.strip(), own_version())

    def test_the_service_user_delivers_with_the_installed_package(self):
        """First nothing but faults, then a filled in configuration: failures arrive, and files have their modes."""
        self.install()
        self.assertEqual(self.redeliver("check", check=False).returncode, 78)
        sandbox = self.configure()
        self.assertIn("no faults; 1 endpoint", self.redeliver("check").stdout)
        wait_until("all arrived", lambda: self.redeliver("run", "--once") and self.all_arrived(sandbox), 60)
        files = ["redeliver.db", "redeliver.db-wal", "redeliver.db-shm", "redeliver.db.running", "redeliver.db.lock"]
        files.append("redeliver.prom")
        modes = self.modes(*[f"{STATE}/{name}" for name in files])
        self.assertEqual(modes.pop(f"{STATE}/redeliver.prom"), "644 redeliver:redeliver")
        self.assertEqual(modes.pop(f"{STATE}/redeliver.db.lock"), "600 redeliver:redeliver")
        self.assertEqual(set(modes.values()), {"640 redeliver:redeliver"})

    def test_node_exporter_reads_the_metrics_and_not_the_database(self):
        """By the two commands that the configuration names, as the user that node_exporter's package makes."""
        self.install()
        self.configure()
        self.redeliver("run", "--once")
        self.debian.run("adduser", "--quiet", "--system", "--group", "--no-create-home", "prometheus")
        self.debian.run("mkdir", "-p", "/var/lib/prometheus/node-exporter")
        link = "/var/lib/prometheus/node-exporter/redeliver.prom"
        read = ["cat", link]
        commands = re.findall(r"(?m)^#   (setfacl .*|ln -s .*)$", CONFFILE.read_text())
        self.assertEqual(len(commands), 2)
        self.assertNotEqual(self.debian.run(*read, user="prometheus", check=False).returncode, 0)
        for command in commands:
            self.debian.run("sh", "-c", command)
        self.assertIn("redeliver_build_info", self.debian.run(*read, user="prometheus").stdout)
        for command in [["cat", f"{STATE}/redeliver.db"], ["ls", STATE], ["cat", "/etc/redeliver/token"]]:
            self.assertNotEqual(self.debian.run(*command, user="prometheus", check=False).returncode, 0, command)

    def test_on_call_reads_the_database_and_not_the_token(self):
        """As a member of the group, which is all that it takes."""
        self.install()
        self.configure()
        self.redeliver("run", "--once")
        self.debian.run("useradd", "alice")
        self.debian.run("adduser", "alice", "redeliver")
        status = self.redeliver("status", "--database", f"{STATE}/redeliver.db", user="alice")
        self.assertIn("20", status.stdout)
        for command in [["cat", "/etc/redeliver/token"], ["touch", f"{STATE}/of-alice"]]:
            self.assertNotEqual(self.debian.run(*command, user="alice", check=False).returncode, 0, command)

    def test_a_configuration_that_was_there_before_is_kept(self):
        """Even a broken one: installing succeeds, and `check` says what is wrong with it."""
        self.debian.path("/etc/redeliver").mkdir()
        self.debian.path("/etc/redeliver/config.yaml").write_text("provider: [\n")
        self.debian.run("dpkg", "--force-confold", "--install", self.debian.put(self.package))
        self.assertEqual(self.debian.path("/etc/redeliver/config.yaml").read_text(), "provider: [\n")
        result = self.redeliver("check", check=False)
        self.assertEqual(result.returncode, 78)
        self.assertIn("is not valid YAML", result.stderr)

    def test_a_person_called_redeliver_is_not_taken_for_the_service(self):
        """Installing fails and says so, instead of giving somebody's account the customers' data."""
        self.debian.run("useradd", "--uid", "1500", "redeliver")
        result = self.install(check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("is not a system user", result.stdout + result.stderr)


class UpgradeTests(ChrootTests):
    def setUp(self):
        super().setUp()
        self.newer = Packages.get(NEWER)
        self.install()

    def assert_upgraded(self):
        self.assertEqual(self.debian.run("dpkg-query", "-W", "-f", "${Version} ${Status}", "redeliver").stdout,
                         f"{NEWER} install ok installed")

    def test_an_upgrade_keeps_configuration_data_owners_and_modes(self):
        """Not a byte differs, modes that an administrator has changed included; the new version goes on with the data."""
        self.configure()
        self.redeliver("run", "--once")
        self.debian.run("chmod", "0600", "/etc/redeliver/config.yaml")
        self.debian.run("chown", "redeliver:adm", "/etc/redeliver/config.yaml")
        before, rows = self.kept(), self.rows()
        self.install(self.newer)
        self.assert_upgraded()
        self.assertEqual(self.kept(), before)
        self.assertEqual(self.rows(), rows)
        self.redeliver("run", "--once")
        self.assertEqual(self.rows("COUNT(*)").strip(), "20")

    def test_a_new_default_configuration_does_not_replace_an_edited_one(self):
        """dpkg keeps the old one and puts the new one beside it, when nobody is there to be asked."""
        self.configure()
        edited = self.debian.path("/etc/redeliver/config.yaml").read_text()

        def add_a_line(content):
            with open(content / "etc/redeliver/config.yaml", "a") as file:
                file.write("# A key of the next version.\n")
        package = repacked(self.newer, add_a_line)
        self.debian.run("dpkg", "--force-confdef", "--force-confold", "--install", self.debian.put(package))
        self.assert_upgraded()
        self.assertEqual(self.debian.path("/etc/redeliver/config.yaml").read_text(), edited)
        self.assertIn("A key of the next version.",
                      self.debian.path("/etc/redeliver/config.yaml.dpkg-dist").read_text())

    def test_an_unedited_configuration_gets_the_new_defaults_and_stays_closed(self):
        """Its owner and mode are those of the first installation."""
        def add_a_line(content):
            with open(content / "etc/redeliver/config.yaml", "a") as file:
                file.write("# A key of the next version.\n")
        self.install(repacked(self.newer, add_a_line))
        self.assertIn("A key of the next version.", self.debian.path("/etc/redeliver/config.yaml").read_text())
        self.assertEqual(self.modes("/etc/redeliver/config.yaml"), {"/etc/redeliver/config.yaml": "640 root:redeliver"})

    def test_an_upgrade_beside_a_running_daemon_loses_nothing(self):
        """Where no systemd restarts it, the old program works on; it ends in order, and the new one finds nothing open."""
        sandbox = self.configure()
        daemon = self.debian.start("redeliver", "run", user="redeliver")
        self.addCleanup(daemon.end)
        wait_until("it writes its metrics", (self.debian.path(STATE) / "redeliver.prom").exists)
        self.install(self.newer)
        self.assertTrue(daemon.is_alive, daemon.said())
        wait_until("all arrived", lambda: self.all_arrived(sandbox), 60)
        self.assertEqual(daemon.stop(), 0, daemon.said())
        self.redeliver("run", "--once")
        self.assertEqual(self.rows("COUNT(*), COUNT(DISTINCT task_id)").strip(), "20|20")
        self.assertTrue(self.all_arrived(sandbox))

    def test_a_user_that_was_removed_gets_its_files_back(self):
        """Under another number too, and only what the old number owned changes hands."""
        self.configure()
        self.redeliver("run", "--once")
        self.debian.path(f"{STATE}/of-root").write_text("")
        self.debian.run("userdel", "redeliver")
        self.debian.run("adduser", "--quiet", "--system", "--no-create-home", "somebody")
        self.assertEqual(self.debian.run("stat", "-c", "%U", f"{STATE}/redeliver.db").stdout.strip(), "somebody")
        self.install(self.newer)
        self.assertEqual(self.modes(STATE, f"{STATE}/redeliver.db"), {
            STATE: "2750 redeliver:redeliver", f"{STATE}/redeliver.db": "640 redeliver:redeliver"})
        self.assertEqual(self.debian.run("stat", "-c", "%U", f"{STATE}/of-root").stdout.strip(), "root")

    def test_an_upgrade_that_fails_half_way_can_be_repeated(self):
        """The new version's script fails once: dpkg says so, and the next try ends with everything in its place."""
        self.configure()
        self.redeliver("run", "--once")
        before = self.kept()

        def fail(content):
            script = content / "DEBIAN/postinst"
            script.write_text(script.read_text().replace("set -e\n", "set -e\nexit 1\n", 1))
        self.assertNotEqual(self.install(repacked(self.newer, fail), check=False).returncode, 0)
        self.assertEqual(self.kept(), before)
        self.debian.run("dpkg", "--install", self.debian.put(self.newer))
        self.assert_upgraded()
        self.assertEqual(self.kept(), before)


class RemovalTests(ChrootTests):
    def setUp(self):
        super().setUp()
        self.before = self.debian.snapshot(BOOKS)
        self.install()
        self.configure()
        self.redeliver("run", "--once")

    def differences(self):
        """Every path that is not as it was before the installation, but for the user's own lines."""
        after = self.debian.snapshot(BOOKS)
        users = {"/etc/" + name + end for name in ["passwd", "group", "shadow", "gshadow"] for end in ["", "-"]}
        return sorted(path for path in self.before.keys() | after.keys()
                      if self.before.get(path) != after.get(path) and path not in users)

    def test_removing_keeps_configuration_and_data_and_installing_goes_on(self):
        """Only the program and its files go."""
        kept, rows = self.kept(), self.rows()
        self.debian.run("apt-get", "remove", "-y", "redeliver")
        self.assertFalse(self.debian.path("/usr/bin/redeliver").exists())
        self.assertEqual(self.kept(), kept)
        self.install()
        self.assertEqual((self.kept(), self.rows()), (kept, rows))
        self.redeliver("run", "--once")

    def test_purging_leaves_nothing_but_the_user(self):
        """Data, configuration and the secret are gone; the number of the user is not given to another. Twice is no fault."""
        self.debian.run("apt-get", "purge", "-y", "redeliver")
        self.assertEqual(self.differences(), [])
        self.assertIn("/usr/sbin/nologin", self.debian.run("getent", "passwd", "redeliver").stdout)
        self.debian.run("dpkg", "--purge", "redeliver")
        self.assertEqual(self.differences(), [])

    def test_purging_after_removing_leaves_nothing_either(self):
        """The program that could have been asked is gone by then."""
        self.debian.run("apt-get", "remove", "-y", "redeliver")
        self.debian.run("apt-get", "purge", "-y", "redeliver")
        self.assertEqual(self.differences(), [])

    def test_purging_and_installing_again_is_like_the_first_time(self):
        """With the user that stayed."""
        self.debian.run("apt-get", "purge", "-y", "redeliver")
        self.install()
        self.assertEqual(self.modes(STATE, "/etc/redeliver/config.yaml"), {
            STATE: "2750 redeliver:redeliver", "/etc/redeliver/config.yaml": "640 root:redeliver"})

    def test_purging_follows_no_link(self):
        """Data that an administrator keeps elsewhere stays, and dpkg says where."""
        self.debian.run("mv", STATE, "/srv/redeliver")
        self.debian.run("ln", "-s", "/srv/redeliver", STATE)
        self.redeliver("run", "--once")
        said = self.debian.run("apt-get", "purge", "-y", "redeliver")
        self.assertIn("leads to /srv/redeliver, which is left as it is", said.stderr)
        self.assertFalse(self.debian.path(STATE).is_symlink())
        self.assertTrue(self.debian.path("/srv/redeliver/redeliver.db").exists())


class SystemdTests(ChrootTests):
    """The service in a Debian that is booted, with systemd as it comes with it."""

    def setUp(self):
        require(missing_for_machines())
        super().setUp()
        self.debian.install("systemd", timeout=300)
        self.machine = Machine(self.debian)
        self.addCleanup(self.machine.stop)

    def install(self, package=None):
        return self.machine.run("apt-get", "install", "-y", "--no-install-recommends",
                                self.debian.put(package or self.package), timeout=300)

    def test_until_it_is_configured_it_is_skipped_and_not_failed(self):
        """After the installation, at a start by hand and so at each boot."""
        self.install()
        self.machine.run("systemctl", "start", "redeliver")
        self.assertEqual(
            self.machine.show("ActiveState", "ConditionResult", "UnitFileState", "Result"),
            {"ActiveState": "inactive", "ConditionResult": "no", "UnitFileState": "enabled", "Result": "success"})
        verified = self.machine.run("systemd-analyze", "verify", "--man=no", "redeliver.service", check=False)
        self.assertEqual((verified.returncode, verified.stdout + verified.stderr), (0, ""))

    def test_it_works_in_its_sandbox(self):
        """With the credential, the network and nothing else: all failures arrive, and the files have their modes."""
        self.install()
        sandbox = self.configure()
        # A name, so that the resolver is tried as well.
        self.debian.path("/etc/hosts").write_text("127.0.0.1 localhost\n")
        file = self.debian.path("/etc/redeliver/config.yaml")
        file.write_text(file.read_text().replace("http://127.0.0.1:", "http://localhost:"))
        self.machine.run("systemctl", "start", "redeliver")
        wait_until("all arrived", lambda: self.all_arrived(sandbox), 60)
        self.assertEqual(self.machine.show("ActiveState", "SubState"), {"ActiveState": "active", "SubState": "running"})
        self.assertEqual(self.modes(STATE, f"{STATE}/redeliver.db", f"{STATE}/redeliver.prom"), {
            STATE: "2750 redeliver:redeliver", f"{STATE}/redeliver.db": "640 redeliver:redeliver",
            f"{STATE}/redeliver.prom": "644 redeliver:redeliver"})
        self.machine.run("runuser", "-u", "redeliver", "--", "redeliver", "doctor")
        # Closed to the service's user, it is read by systemd all the same.
        self.debian.run("chown", "root:root", "/etc/redeliver/token")
        self.machine.run("systemctl", "restart", "redeliver")
        self.machine.run("systemctl", "stop", "redeliver")
        self.assertEqual(self.machine.show("Result", "ActiveState"), {"Result": "success", "ActiveState": "inactive"})

    def test_the_drop_in_that_the_unit_names_makes_it_log_in_with_a_password(self):
        """As it stands in the unit's comment, with a user name and the file's path in the configuration."""
        self.install()
        sandbox = self.sandbox("--username", "operations", "--password", "a-password-for-tests")
        file = self.debian.path("/etc/redeliver/config.yaml")
        text = filled_in(file.read_text(), sandbox)
        file.write_text(re.sub(r"(?m)^    token_file: .*$",
                               "    username: operations\n    password_file: /etc/redeliver/password", text))
        self.secret("install -o redeliver -g redeliver -m 0400 /dev/stdin /etc/redeliver/password", "a-password-for-tests")
        dropin = self.debian.path("/etc/systemd/system/redeliver.service.d/override.conf")
        dropin.parent.mkdir()
        dropin.write_text("\n".join(re.findall(r"(?m)^#   (.*)$", UNIT.read_text())) + "\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "start", "redeliver")
        wait_until("all arrived", lambda: self.all_arrived(sandbox), 60)
        self.machine.run("systemctl", "reload", "redeliver")

    def test_a_reload_takes_a_good_file_and_refuses_a_faulty_one(self):
        """The daemon works on in both cases, as the same process."""
        self.install()
        self.configure()
        self.machine.run("systemctl", "start", "redeliver")
        process = self.machine.show("MainPID")
        self.machine.run("systemctl", "reload", "redeliver")
        wait_until("it has read the file again", lambda: "configuration reloaded" in self.machine.journal())
        with open(self.debian.path("/etc/redeliver/config.yaml"), "a") as file:
            file.write("poll: {intervall: 1s}\n")
        self.assertNotEqual(self.machine.run("systemctl", "reload", "redeliver", check=False).returncode, 0)
        self.assertIn("intervall", self.machine.journal())
        self.assertEqual(self.machine.show("MainPID", "ActiveState"), {**process, "ActiveState": "active"})

    def test_a_faulty_configuration_is_not_tried_again_and_a_crash_is(self):
        """Exit code 78 stays down, where people see it; SIGKILL is followed by a new start."""
        self.install()
        self.configure()
        file = self.debian.path("/etc/redeliver/config.yaml")
        good = file.read_text()
        file.write_text("provider: [\n")
        self.machine.run("systemctl", "start", "redeliver", check=False)
        self.assertEqual(self.machine.show("ActiveState", "NRestarts", "ExecMainStatus"),
                         {"ActiveState": "failed", "NRestarts": "0", "ExecMainStatus": "78"})
        file.write_text(good)
        self.machine.run("systemctl", "start", "redeliver")
        self.machine.run("systemctl", "kill", "--signal=KILL", "redeliver")
        wait_until("it is started again", lambda: self.machine.show("NRestarts", "ActiveState") == {
            "NRestarts": "1", "ActiveState": "active"}, 60)

    def test_a_daemon_that_hangs_is_started_again_and_a_busy_one_is_not(self):
        """With a watchdog of 3 s for the test: alive for three times as long, then stopped from outside."""
        self.install()
        self.configure()
        dropin = self.debian.path("/etc/systemd/system/redeliver.service.d/test.conf")
        dropin.parent.mkdir()
        dropin.write_text("[Service]\nWatchdogSec=3s\nRestartSec=1s\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "start", "redeliver")
        time.sleep(9)
        self.assertEqual(self.machine.show("NRestarts", "ActiveState"), {"NRestarts": "0", "ActiveState": "active"})
        self.machine.run("systemctl", "kill", "--signal=STOP", "redeliver")
        wait_until("it is started again", lambda: self.machine.show("NRestarts", "ActiveState") == {
            "NRestarts": "1", "ActiveState": "active"}, 30)
        self.assertIn("Watchdog timeout", self.machine.journal())

    def test_an_upgrade_restarts_it_and_a_removal_stops_it(self):
        """One that an administrator has stopped and disabled stays so."""
        self.install()
        self.configure()
        self.machine.run("systemctl", "start", "redeliver")
        process = self.machine.show("MainPID")
        self.install(Packages.get(NEWER))
        self.assertEqual(self.machine.show("ActiveState"), {"ActiveState": "active"})
        self.assertNotEqual(self.machine.show("MainPID"), process)
        self.machine.run("apt-get", "remove", "-y", "redeliver")
        self.assertEqual(self.machine.show("ActiveState"), {"ActiveState": "inactive"})
        self.install()
        self.machine.run("systemctl", "disable", "--now", "redeliver")
        self.install(Packages.get(NEWER))
        self.assertEqual(self.machine.show("ActiveState", "UnitFileState"),
                         {"ActiveState": "inactive", "UnitFileState": "disabled"})
        self.machine.run("apt-get", "purge", "-y", "redeliver")
        self.assertEqual(self.machine.show("LoadState"), {"LoadState": "not-found"})
        self.assertFalse(self.debian.path(STATE).exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
