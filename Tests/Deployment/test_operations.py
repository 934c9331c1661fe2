"""Runs deploy/OPERATIONS.md: each `sh` block as it stands, from top to bottom, beside a daemon that works.

Only the places of files are others: /etc/redeliver, /var/lib/redeliver, /var/backups and /usr/local/bin lie in a folder of the
test. Lines of `console` blocks are played: systemctl stops and starts the daemon, scp moves to a machine that is new.
Between blocks the reader of the text does something too (edits a file, loses a disk); that stands in `acts` below.
"""

import json
import pathlib
import re
import shutil
import tempfile
import unittest
import urllib.request

import running_web as running

TEXT = running.ROOT / "deploy" / "OPERATIONS.md"
MOVED = ["/etc/redeliver", "/var/lib/redeliver", "/var/backups", "/usr/local/bin"]


def blocks():
    """Heading, language and text of each fenced block, in order."""
    heading, found, language, lines = "", [], None, []
    for line in TEXT.read_text().splitlines():
        if language is None and line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("```"):
            if language is None:
                language, lines = line[3:], []
            else:
                found.append((heading, language, "\n".join(lines)))
                language = None
        elif language is not None:
            lines.append(line)
    return found


class OperationsTests(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="redeliver-operations-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for place in MOVED:
            self.place(place).mkdir(parents=True)
        self.place("/var/lib/redeliver").chmod(0o2750)
        self.database = self.place("/var/lib/redeliver/redeliver.db")
        # "named" is the log that a start without a database would have to send everything again for.
        self.sandbox = self.provider("--failures", "80", "--down", "1:0-3000", "--retry-logs", "named")
        self.second = self.provider("--failures", "10", "--seed", "2")
        self.place("/etc/redeliver/config.yaml").write_text(self.configuration(self.sandbox, self.database))
        shutil.copy(running.redeliver(), self.place("/usr/local/bin/redeliver"))
        shutil.copy(running.redeliver(), self.folder / "redeliver")
        self.daemons, self.starts = {}, 0
        self.addCleanup(self.stop_all)

    def provider(self, *arguments):
        sandbox = running.Sandbox(*arguments)
        self.addCleanup(sandbox.stop)
        return sandbox

    def configuration(self, sandbox, database):
        return sandbox.configuration(
            database, poll={"interval": "500ms"}, confirm={"interval": "500ms", "within": "5s"},
            retry={"per_second": 100}, circuit={"trial_delays": ["500ms"]},
            policies=[{"events": "*", "schedule": ["200ms", "500ms"], "jitter": 0, "max_age": "1d"}])

    def place(self, path):
        return self.folder / path.lstrip("/")

    def stop_all(self):
        for daemon in self.daemons.values():
            daemon.stop()

    # What the text asks of a person

    def start(self, unit):
        name = {"redeliver": "config", "redeliver-second": "second"}[unit]
        self.starts += 1
        configuration = self.place(f"/etc/redeliver/{name}.yaml")
        daemon = running.Process(
            [self.place("/usr/local/bin/redeliver"), "run", "--config", configuration],
            self.folder / f"{unit}-{self.starts}.log")
        self.daemons[unit] = daemon
        database = json.loads(configuration.read_text())["database"]

        def polled():
            self.assertTrue(daemon.runs(), daemon.text())
            return "log read" in daemon.text() and running.value(database, "SELECT MIN(last_poll_ms) FROM endpoint")
        running.wait_until(polled, 30, f"the first poll of {unit}")

    def systemctl(self, verb, unit):
        if verb in ("stop", "restart", "disable --now"):
            self.assertEqual(self.daemons.pop(unit).stop(), 0)
        if verb in ("start", "restart", "enable --now"):
            self.start(unit)

    def console(self, text):
        for line in text.splitlines():
            command = re.fullmatch(
                r"\$ sudo systemctl (stop|start|restart|disable --now|enable --now) (redeliver[-\w]*)", line)
            if command:
                self.systemctl(*command.groups())
            else:
                self.assertTrue(line.startswith("$ sudo scp -p "), f"nobody plays this line: {line}")
                self.new_machine()

    def new_machine(self):
        """What was copied is at the same places; there is no database yet."""
        shutil.rmtree(self.place("/var/lib/redeliver"))
        self.place("/var/lib/redeliver").mkdir(mode=0o2750)

    def lose_the_disk(self):
        daemon = self.daemons.pop("redeliver").child
        daemon.kill()
        daemon.wait(10)
        self.new_machine()

    def edit_second(self, text):
        if " check " in text:
            self.place("/etc/redeliver/second.yaml").write_text(
                self.configuration(self.second, self.place("/var/lib/redeliver-second/redeliver.db")))

    def arrive_first(self):
        """Rows of every kind, and a delivery that has arrived, before a restore that must not send it again."""
        self.start("redeliver")
        healthy = "FROM delivery JOIN endpoint ON endpoint.id = endpoint_id WHERE endpoint.name = 'first'"
        running.wait_until(
            lambda: running.value(self.database, f"SELECT COUNT(*) > 20 AND MIN(state = 'delivered') {healthy}"),
            40, "the deliveries of the receiver that is up")
        self.arrived = running.value(self.database, f"SELECT COUNT(*) {healthy}")

    def choose_customer(self):
        """The customer of the text is one of this database, with deliveries that wait."""
        self.customer, self.body = None, None
        with running.reading(self.database) as database:
            self.customer, self.body = database.execute(
                "SELECT customer_id, body FROM delivery JOIN delivery_body ON delivery_id = delivery.id"
                " WHERE state = 'scheduled' AND customer_id IS NOT NULL AND length(body) > 60"
                " ORDER BY delivery.id DESC").fetchone()

    # The run

    def shell(self, text):
        for place in MOVED:
            text = text.replace(place, str(self.place(place)))
        text = text.replace("00000000-4711", getattr(self, "customer", ""))
        return running.run(
            "bash", "-euo", "pipefail", "-c", f'PATH="{self.place("/usr/local/bin")}:$PATH"\n{text}',
            seconds=90, cwd=self.folder)

    def test_every_block_does_what_the_text_says_and_nothing_arrives_twice(self):
        found = blocks()
        self.assertEqual({language for _, language, _ in found}, {"sh", "console", "yaml", "ini"})
        self.assertGreater(len([1 for _, language, _ in found if language == "sh"]), 12)
        acts = {
            "Capacity": lambda _: self.arrive_first(), "The disk is lost": lambda _: self.lose_the_disk(),
            "Retention and personal data": lambda text: "customer=" in text and self.choose_customer(),
            "Several credentials": self.edit_second,
        }
        for heading, language, text in found:
            with self.subTest(heading=heading, text=text.splitlines()[0]):
                if language == "console":
                    self.console(text)
                elif language == "sh":
                    acts.get(heading, lambda _: None)(text)
                    done = self.shell(text)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.check(heading, text, done.stdout)
        self.finish()

    def check(self, heading, text, output):
        """What the text says one sees."""
        if "new_in_24h" in text:
            self.assertRegex(output, r"│ 80 +│ 80 ")
        if "database backup" in text:
            self.assertIn("backup written and verified", output)
        if heading == "The drill":
            self.assertIn("sound", output)
            self.assertFalse(self.place("/var/backups/redeliver/drill").exists())
        if heading == "Restore" and "--confirm" in text:
            self.assertIn("the replaced database is kept as", output)
        if "before-restore" in text:
            self.assertEqual(list(self.database.parent.glob("*before-restore*")), [])
            self.assertIn("before-restore", output)
        if "customer=" in text:
            self.assertIn("sound", output)
            self.assertEqual(running.value(
                self.database, "SELECT COUNT(*) FROM v_open WHERE customer_id = ?", self.customer), 0)
            for file in self.database.parent.glob("redeliver.db*"):
                self.assertNotIn(self.body, file.read_bytes(), f"the body is still in {file.name}")
        if heading == "The disk is lost":
            self.assertIn("there was no database to keep", output)

    def finish(self):
        self.assertTrue(all(daemon.runs() for daemon in self.daemons.values()))
        running.wait_until(
            lambda: running.value(self.place("/var/lib/redeliver-second/redeliver.db"),
                                  "SELECT COUNT(*) = 10 AND MIN(state) = 'delivered' FROM delivery"),
            30, "the second credential's deliveries")
        # Longer than confirm.within, so that whoever would send again has done so.
        running.wait_until(
            lambda: running.value(self.database, "SELECT MIN(last_poll_ms) FROM endpoint WHERE last_poll_ms > ("
                                  "SELECT MAX(created_ms) + 6000 FROM delivery)"), 30, "six seconds of the last daemon")
        self.assertEqual(arrivals(self.sandbox), (self.arrived, 0))


class SecondUnitTests(unittest.TestCase):
    def test_systemd_takes_the_unit_of_a_second_credential_and_only_its_own_places_are_left(self):
        unit = running.ROOT / "deploy/systemd/redeliver.service"
        if not unit.exists():
            self.skipTest("deploy/systemd/redeliver.service is not there yet")
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="redeliver-unit-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        copy = folder / "redeliver-second.service"
        # systemd looks whether the program is there.
        copy.write_text(unit.read_text().replace("/usr/bin/redeliver", running.redeliver()))
        (folder / "redeliver-second.service.d").mkdir()
        change = next(text for _, language, text in blocks() if language == "ini")
        (folder / "redeliver-second.service.d/override.conf").write_text(
            change.replace("/usr/bin/redeliver", running.redeliver()))
        done = running.run("systemd-analyze", "verify", "--man=no", copy)
        self.assertEqual((done.returncode, done.stderr.strip()), (0, ""))
        # Every setting of the unit that names a place of the first one is set anew.
        for line in unit.read_text().splitlines():
            key, _, said = line.partition("=")
            if not line.startswith("#") and re.search(r"/etc/redeliver|redeliver run|redeliver check|^redeliver$", said):
                if key not in ("User", "Group"):
                    self.assertRegex(change, rf"(?m)^{key}=$", line)


class LostDiskTests(unittest.TestCase):
    """The table of "The disk is lost": what a start with no database sends again."""

    def test_without_a_backup_only_a_log_that_shows_new_task_ids_makes_things_arrive_twice(self):
        for shows, twice in (("same", 0), ("in-place", 0), ("named", 40)):
            with self.subTest(retries_in_the_log=shows):
                self.deliver_lose_and_start_again(shows, twice)

    def deliver_lose_and_start_again(self, shows, twice):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="redeliver-lost-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        sandbox = running.Sandbox("--failures", "40", "--retry-logs", shows)
        self.addCleanup(sandbox.stop)
        database = folder / "redeliver.db"
        (folder / "config.yaml").write_text(sandbox.configuration(
            database, poll={"interval": "500ms"}, confirm={"interval": "500ms"}, retry={"per_second": 100},
            circuit={"trial_delays": ["500ms"]}, policies=[{"events": "*", "schedule": ["200ms"], "jitter": 0}]))
        for turn in ("before", "after"):
            for file in folder.glob("redeliver.db*"):
                file.unlink()
            daemon = running.Process(
                [running.redeliver(), "run", "--config", folder / "config.yaml"], folder / f"{turn}.log")
            try:
                running.wait_until(lambda: arrivals(sandbox)[0] == 40, 40, "every delivery")
                if turn == "after" and twice:
                    running.wait_until(lambda: arrivals(sandbox)[1] == twice, 40, "every delivery once more")
                # As long again as the first attempt waits, and some readings of the log.
                first = running.wait_until(
                    lambda: running.value(database, "SELECT MIN(last_poll_ms) FROM endpoint"), 20, "a poll")
                running.wait_until(
                    lambda: running.value(database, "SELECT MIN(last_poll_ms) FROM endpoint") > first + 4_000, 30,
                    "further polls")
                self.assertTrue(daemon.runs(), daemon.text())
            finally:
                daemon.stop()
        self.assertEqual(arrivals(sandbox), (40, twice))


def arrivals(sandbox):
    """How many deliveries arrived, and how many of them more than once."""
    with urllib.request.urlopen(sandbox.said["provider"] + "/_ledger", timeout=10) as answer:
        summary = json.load(answer)["summary"]
    return summary["arrived"], summary["arrived_more_than_once"]


if __name__ == "__main__":
    unittest.main()
