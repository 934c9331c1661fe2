"""Every code block of the README and of docs/ is run, with folders of this machine in place of those of an installation."""

import os
import pathlib
import re
import subprocess
import unittest

import running

PAGES = [running.ROOT / "README.md", *sorted((running.ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# `text` and `mermaid` are drawings; a block without a language is what a program prints.
LANGUAGES = {"sh", "yaml", "text", "mermaid", ""}


def all_blocks():
    return [block for page in PAGES for block in BLOCK.findall(page.read_text())]


def blocks(language):
    return [text for found, text in all_blocks() if found == language]


class ReadmeTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = running.Bench()
        cls.addClassCleanup(cls.bench.close)
        cls.folder = cls.bench.folder
        cls.bench.start_sandbox("--failures", "20")
        cls.bench.configure(["core-banking", "crm"])
        cls.bench.start_worker()
        programs = cls.folder / "programs"
        programs.mkdir()
        (programs / "redeliver").symlink_to(running.redeliver())
        for place in ["man/man1", "bash", ".zfunc", ".config/fish/completions", "backups", "new"]:
            (cls.folder / place).mkdir(parents=True)
        cls.environment = running.environment() | {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(cls.folder)}

    def run_line(self, line):
        """A line of a block as people type it, with the places of this test."""
        # A command without --config takes the installation's file.
        line = re.sub(r"^(redeliver database \w+)", rf"\1 --config {self.bench.configuration}", line)
        for installed, here in [
            ("sudo ", ""), ("-o redeliver -g redeliver -m 2750 /var/lib/redeliver", f"-m 2750 {self.folder}/new/state"),
            ("/etc/redeliver/config.yaml", str(self.bench.configuration)), ("/var/lib/redeliver", str(self.folder)),
            ("/var/backups", f"{self.folder}/backups"), ("/usr/local/share/man", f"{self.folder}/man"),
            ("/etc/bash_completion.d", f"{self.folder}/bash"),
        ]:
            line = line.replace(installed, here)
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", line], capture_output=True, text=True, timeout=60, cwd=running.ROOT,
            env=self.environment)

    def assert_runs(self, line, status=0):
        run = self.run_line(line)
        self.assertEqual(run.returncode, status, f"{line}\n{run.stdout}{run.stderr}")
        return run.stdout

    def test_no_block_is_of_a_kind_that_nobody_tries(self):
        self.assertLessEqual({language for language, _ in all_blocks()}, LANGUAGES)

    def test_every_target_of_make_in_a_block_is_run_by_ci_before_a_change_lands(self):
        ci = (running.ROOT / ".ci" / "run").read_text()
        makefile = (running.ROOT / "Makefile").read_text()
        targets = [target for text in blocks("sh") for target in re.findall(r"\bmake ([a-z-]+)", text)]
        self.assertGreaterEqual(set(targets), {"demo", "test", "lint", "man"})
        for target in targets:
            self.assertRegex(makefile, rf"(?m)^{target}:")
            self.assertRegex(ci, rf"(?m)^make {target}$")

    def test_every_other_line_of_a_block_does_what_it_says(self):
        lines = [line for text in blocks("sh") for line in text.splitlines() if line and not line.startswith("make ")]
        self.assertGreaterEqual(len(lines), 12)
        for line in lines:
            with self.subTest(line):
                if "restore" in line:
                    # The line before has made today's.
                    made = next((self.folder / "backups").glob("*.db"))
                    self.assert_runs(re.sub(r"/var/backups/\S+", f"/var/backups/{made.name}", line))
                elif " run " in line:
                    # The daemon of this test holds the database; a second one is refused.
                    self.assertIn("another", self.run_line(line).stderr)
                elif line.startswith(".build/debug/provider-sandbox"):
                    self.assert_starts(line)
                elif line == "swift build":
                    continue
                else:
                    self.assert_runs(line)

    def assert_starts(self, line):
        arguments = re.findall(r"'[^']*'|\S+", line)[1:]
        program = running.built("PROVIDER_SANDBOX_PROGRAM", "provider-sandbox")
        sandbox = self.bench.start([program, *[argument.strip("'") for argument in arguments]], "second-sandbox")
        running.wait_until("it prints its addresses", lambda: sandbox.output.read_text().endswith("\n"))
        self.assertEqual(sandbox.stop() in (0, -15), True)

    def test_installing_the_manual_and_the_completions_leaves_them_where_they_are_looked_for(self):
        for line in [line for text in blocks("sh") for line in text.splitlines() if "completion-script" in line]:
            self.assert_runs(line)
        for place in ["bash/redeliver", ".zfunc/_redeliver", ".config/fish/completions/redeliver.fish"]:
            self.assertGreater((self.folder / place).stat().st_size, 1_000)

    def test_the_least_configuration_has_no_fault(self):
        [text] = blocks("yaml")
        (self.folder / "token").write_text("t\n")
        path = self.folder / "least.yaml"
        path.write_text(
            text.replace("/etc/redeliver/token", str(self.folder / "token")).replace(
                "/var/lib/redeliver/redeliver.db", str(self.folder / "least.db")))
        self.assert_runs(f"redeliver check --config {path}")

    def test_what_a_simulation_prints_is_what_it_prints_now(self):
        [shown] = [text for text in blocks("") if text.startswith("$ redeliver simulate")]
        command, expected = shown.split("\n", 1)
        (self.folder / "redeliver.yaml").write_text(
            "provider: {base_url: 'http://127.0.0.1:9', auth: {token: x}}\nendpoints: [{id: a}]\ndatabase: x.db\n")
        run = subprocess.run(
            ["bash", "-c", command[2:]], capture_output=True, text=True, timeout=1200, cwd=self.folder, env=self.environment)
        self.assertEqual(run.returncode, 0, run.stderr)
        rows = lambda text: [line.split() for line in text.splitlines() if line.strip()]
        self.assertEqual(rows(run.stdout)[: len(rows(expected))], rows(expected))

    def test_the_picture_shows_a_whole_demo(self):
        picture = (running.ROOT / "docs" / "demo.svg").read_text()
        self.assertIn("300 of 300 bodies arrived", picture)


if __name__ == "__main__":
    unittest.main()
