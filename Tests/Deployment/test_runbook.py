"""Every command of the runbook runs, against a real database and a daemon that works on it."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import unittest

from running import DEPLOY, Bench, environment, redeliver, wait_until

RUNBOOK = DEPLOY / "RUNBOOK.md"

# What cannot run here: there is no systemd in a test. Nothing else may stand in a `console` block.
NOT_RUN = {
    "systemctl status redeliver",
    "systemctl restart redeliver",
    "systemctl reload redeliver",
    "systemctl list-timers 'redeliver*'",
    "journalctl -u redeliver --since -1h",
    "journalctl -u redeliver --since -1h --priority warning",
    "journalctl -k --since -1h --grep 'Out of memory'",
}


def blocks(text):
    """(section, language, text) of each fenced block; what is indented, as in a list, is outdented."""
    section, language, indent, lines = "", None, "", []
    for line in text.splitlines():
        if language is None and line.startswith("## "):
            section = line[3:]
        elif language is None and (fence := re.match(r"^(\s*)```(\w*)\s*$", line)):
            indent, language, lines = fence[1], fence[2], []
        elif language is not None and line.strip() == "```":
            yield section, language, "\n".join(lines)
            language = None
        elif language is not None:
            lines.append(line.removeprefix(indent))


class Runbook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = Bench()
        cls.addClassCleanup(cls.bench.close)
        cls.bench.start_sandbox(
            "--failures", "60", "--endpoints", "2", "--spread", "20m", "--seed", "7", "--down", "1:0-600", "--refail", "6:9")
        cls.bench.configure(["core-banking", "crm"])
        cls.bench.start_worker()
        cls.bench.start_node_exporter()
        wait_until("some died, some arrived, some are held", lambda: all(cls.one(sql) for sql in (
            "SELECT COUNT(*) > 1 FROM v_dead", "SELECT SUM(delivered_24h) > 10 FROM v_by_endpoint",
            "SELECT COUNT(*) > 5 FROM v_open WHERE held_because = 'circuit'")), 60)
        folder = cls.bench.folder / "programs"
        folder.mkdir()
        (folder / "redeliver").symlink_to(redeliver())
        cls.environment = environment(
            PATH=f"{folder}:{os.environ['PATH']}", DB=str(cls.bench.database), CONFIG=str(cls.bench.configuration),
            TEXTFILE=str(cls.bench.metrics), NODE_EXPORTER=f"http://127.0.0.1:{cls.bench.node_port}/metrics",
            ENDPOINT="crm")

    @classmethod
    def one(cls, sql):
        with contextlib.closing(sqlite3.connect(f"file:{cls.bench.database}?mode=ro", uri=True)) as connection:
            row = connection.execute(sql).fetchone()
        return row and row[0]

    def run_block(self, language, text):
        """As a person would, who has set the variables of the first section and found the id in a view."""
        state = "dead" if "requeue" in text else "open"
        identifier = self.one(f"SELECT id FROM v_{state} ORDER BY id LIMIT 1")
        self.assertIsNotNone(identifier, f"nothing is {state} any more")
        command = ["sqlite3", "-bail", "-box", f"file:{self.bench.database}?mode=ro", text] if language == "sql" else [
            "bash", "-eu", "-c", text]
        return subprocess.run(
            command, env=self.environment | {"ID": str(identifier)}, cwd=self.bench.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120)

    def test_every_command_and_query_of_the_runbook_runs(self):
        for tool in ("sqlite3", "curl"):
            if not shutil.which(tool):
                self.skipTest(f"{tool} is not installed")
        run = 0
        for section, language, text in blocks(RUNBOOK.read_text()):
            if language == "console":
                continue
            with self.subTest(section=section, command=text):
                self.assertIn(language, ("sh", "sql"), "a block of another kind is run by nobody")
                result = self.run_block(language, text)
                self.assertEqual(result.returncode, 0, f"{result.stdout[-1500:]}\n{result.stderr[-1500:]}")
                run += 1
        self.assertGreater(run, 50)

    def test_only_what_needs_systemd_is_not_run(self):
        commands = {
            line for _, language, text in blocks(RUNBOOK.read_text()) if language == "console" for line in text.splitlines()}
        self.assertEqual(commands, NOT_RUN)

    def test_each_section_has_something_to_run(self):
        sections = {section for section, language, _ in blocks(RUNBOOK.read_text()) if language in ("sh", "sql")}
        self.assertEqual(sections, set(re.findall(r"(?m)^## (.*)$", RUNBOOK.read_text())))

    def test_every_link_within_the_runbook_leads_somewhere(self):
        text = RUNBOOK.read_text()
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)$", text)}
        for anchor in re.findall(r"\]\(#([^)]+)\)", text):
            self.assertIn(anchor, anchors)
        for path in re.findall(r"\]\(([^)#]+)\)", text):
            self.assertTrue((DEPLOY / path).exists(), path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
