"""Datasette over the database of a daemon that works: what a person sees who clicks, and what nobody may see.

The daemon gets 1,500 failures, one of its two receivers is down, and it works on them until the end. Datasette is
started as people start it, by deploy/datasette/serve, and opened in a headless Chromium.
"""

import concurrent.futures
import html
import http.cookiejar
import os
import pathlib
import re
import shutil
import sqlite3
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import running_web as running

setUpModule = running.packages

FOLDER = running.ROOT / "deploy" / "datasette"
SECRET_ENTRY = "Grete Unlesbar, born 1961-02-03"

# Parameters with which a query has to find something, and those with which it finds nothing and says so.
EMPTY = {"twice"}


def datasette_program():
    return running.program(
        "datasette", "DATASETTE", *(place / "datasette" for place in running.PYTHON_PROGRAMS),
        package="deploy/datasette/requirements.txt",
    )


class Served:
    """Datasette as `serve` starts it, and a client that has opened the printed address once."""

    def __init__(self, database, folder, name, *options):
        self.port = running.free_port()
        self.process = running.Process(
            [FOLDER / "serve", database, "--port", self.port, *options], folder / f"{name}.log",
            DATASETTE=datasette_program(), PYTHONUNBUFFERED="1",
        )
        self.base = f"http://127.0.0.1:{self.port}"
        try:
            running.wait_until(lambda: "Uvicorn running" in self.process.text() or not self.process.runs(), 40, "serve")
            self.address = re.search(r"http://\S+/-/auth-token\?token=\w+", self.process.text())[0]
        except (AssertionError, TypeError):
            self.process.stop()
            raise AssertionError(f"Datasette did not start: {self.process.text()}") from None
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def log_in(self):
        self.get(self.address.removeprefix(self.base))
        return self

    def get(self, path, opener=None):
        """Status and text, whatever the status."""
        try:
            with (opener or self.opener).open(self.base + path, timeout=30) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")

    def stop(self):
        self.process.stop()


class DatasetteTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="redeliver-datasette-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        # Another name than metadata.yaml's on purpose: what is refused must not hang on the file's name.
        cls.database = cls.folder / "failures.db"
        cls.sandbox = running.Sandbox("--failures", "1500", "--down", "0:0-3000")
        cls.addClassCleanup(cls.sandbox.stop)
        configuration = cls.folder / "config.yaml"
        configuration.write_text(cls.sandbox.configuration(
            cls.database, poll={"interval": "1s"}, confirm={"interval": "1s"}, retry={"per_second": 10},
            circuit={"trial_delays": ["1s"]}, policies=[{"events": "*", "schedule": ["100ms", "300ms"], "jitter": 0}]))
        cls.daemon = running.Process(
            [running.redeliver(), "run", "--config", configuration], cls.folder / "daemon.log")
        cls.addClassCleanup(cls.daemon.stop)
        running.wait_until(
            lambda: cls.goes_on() and running.value(cls.database, "SELECT 1 FROM v_by_endpoint WHERE circuit = 'open'"),
            60, "an open circuit")
        for command in (["endpoints", "pause", "second"], ["endpoints", "resume", "second"],
                        ["deliveries", "discard", str(running.value(
                            cls.database, "SELECT id FROM v_open WHERE endpoint = 'first' AND state = 'scheduled'"))]):
            running.run(
                running.redeliver(), *command, "--reason", "their maintenance", "--config", configuration, check=True)
        cls.add_unreadable_entry()
        with running.reading(cls.database) as database:
            cls.bodies = [row[0].decode() for row in database.execute(
                "SELECT body FROM delivery_body WHERE length(body) > 30")]
            cls.task, cls.customer = database.execute(
                "SELECT task_id, customer_id FROM v_open WHERE endpoint = 'first' AND customer_id IS NOT NULL").fetchone()
        assert len(cls.bodies) > 100
        cls.served = Served(cls.database, cls.folder, "datasette").log_in()
        cls.addClassCleanup(cls.served.stop)

    @classmethod
    def goes_on(cls):
        if not cls.daemon.runs():
            raise AssertionError(f"the daemon ended: {cls.daemon.text()}")
        return True

    @classmethod
    def add_unreadable_entry(cls):
        connection = sqlite3.connect(cls.database, timeout=20)
        with connection:
            connection.execute(
                "INSERT INTO unreadable_entry (endpoint_id, sha256, reason, detail, raw, raw_length, seen_ms)"
                " VALUES (?, zeroblob(32), 'no_task_id', 'no field names it', ?, ?, ?)",
                (cls.sandbox.said["endpoints"][0], SECRET_ENTRY.encode(), len(SECRET_ENTRY), int(time.time() * 1000)))
        connection.close()

    @classmethod
    def metadata(cls):
        import yaml
        return yaml.safe_load((FOLDER / "metadata.yaml").read_text())

    def queries(self):
        return self.metadata()["databases"]["redeliver"]["queries"]

    def assert_no_body(self, text, where):
        self.assertNotIn(SECRET_ENTRY, text, where)
        for body in self.bodies:
            self.assertFalse(body in text or html.escape(body) in text or body.encode().hex().upper() in text, where)

    # What people see

    def test_each_canned_query_is_reached_by_clicking_and_shows_rows_or_says_that_there_are_none(self):
        from playwright.sync_api import sync_playwright
        parameters = {"task_id": self.task, "customer_id": self.customer, "endpoint": "first"}
        # A browser of its own login: the printed address works once.
        served = Served(self.database, self.folder, "browser")
        self.addCleanup(served.stop)
        with sync_playwright() as playwright:
            browser = self.chromium(playwright)
            page = browser.new_page(viewport={"width": 1100, "height": 760})
            page.set_default_timeout(15_000)
            page.goto(served.address)
            for name, query in self.queries().items():
                with self.subTest(query=name):
                    page.goto(served.base + "/")
                    page.get_by_role("link", name="redeliver", exact=True).first.click()
                    page.get_by_role("link", name=query["title"]).click()
                    page.wait_for_url(f"**/redeliver/{name}")
                    self.assertIn(query["title"], page.locator("h1").inner_text())
                    for parameter in re.findall(r":(\w+)", query["sql"]):
                        page.fill(f"input[name={parameter}]", parameters[parameter])
                        with page.expect_navigation():
                            page.get_by_role("button", name="Run SQL").click()
                    rows = page.locator("table.rows-and-columns tbody tr").count()
                    if name in EMPTY:
                        self.assertEqual(rows, 0)
                        self.assertIn("0 results", page.inner_text("body"))
                    else:
                        self.assertGreater(rows, 0)
                    self.assert_no_body(page.content(), name)
            self.check_that_a_click_tells_a_tasks_story(page, served)
            self.check_that_the_help_of_columns_waits_for_a_click(page, served)
            self.screenshot(page, served)
            browser.close()

    def check_that_a_click_tells_a_tasks_story(self, page, served):
        page.goto(served.base + "/redeliver/oldest")
        link = page.locator("td.col-task_id a").first
        task = link.inner_text()
        link.click()
        self.assertIn("What happened to one task?", page.locator("h1").inner_text())
        self.assertEqual(page.input_value("input[name=task_id]"), task)
        self.assertIn("discovered", page.inner_text("table.rows-and-columns"))

    def check_that_the_help_of_columns_waits_for_a_click(self, page, served):
        page.goto(served.base + "/redeliver/v_open")
        help = page.locator("dl.column-descriptions")
        self.assertFalse(help.is_visible())
        page.get_by_text("What the columns mean").click()
        self.assertTrue(help.is_visible())

    def screenshot(self, page, served):
        target = os.environ.get("DATASETTE_SCREENSHOT")
        if not target:
            return
        page.goto(served.base + "/redeliver/v_open")
        page.set_viewport_size({"width": 1200, "height": 700})
        # A machine without a font for it shows a box instead of the padlock beside the title.
        page.evaluate("document.querySelector('h1').textContent = 'v_open (view)'")
        page.screenshot(path=target)
        self.assertLess(pathlib.Path(target).stat().st_size, 150_000)

    def chromium(self, playwright):
        path = running.program("chromium", "CHROMIUM_PROGRAM", package="Debian's chromium")
        # Chromium refuses to run its sandbox as root, which tests in a container are.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        return playwright.chromium.launch(executable_path=path, headless=True, args=options)

    def test_a_view_offers_its_facets_and_explains_each_column(self):
        for view, texts in self.metadata()["databases"]["redeliver"]["tables"].items():
            with self.subTest(view=view):
                status, page = self.served.get(f"/redeliver/{view}")
                self.assertEqual(status, 200)
                for facet in texts.get("facets", []):
                    self.assertIn(f'data-column="{facet}"', page)
                    self.assertIn(f'class="facet-info facet-redeliver-{view.replace("_", "-")}-{facet}', page.replace(
                        f"facet-redeliver-{view}-", f"facet-redeliver-{view.replace('_', '-')}-"))
                for column, text in texts["columns"].items():
                    self.assertIn(column, page)
                    self.assertIn(text.replace("'", "&#39;").replace('"', "&#34;"), page)

    def test_every_column_of_every_view_is_described_as_in_the_migrations(self):
        described = self.metadata()["databases"]["redeliver"]["tables"]
        with running.reading(self.database) as database:
            views = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view'").fetchall()
            columns = {name: [row[1] for row in database.execute(f"PRAGMA table_info({name})")] for name, _ in views}
        self.assertEqual({name: list(texts["columns"]) for name, texts in described.items()}, columns)
        for name, sql in views:
            question = re.split(r"(?<=[?.]) ", described[name]["description"])[0]
            self.assertIn(question, sql.splitlines()[1], name)
            # The comments of the columns: those of the first SELECT of the view itself.
            own = re.search(r"^    SELECT$(.*?)^    FROM", sql, re.DOTALL | re.MULTILINE)[1]
            for column, comment in re.findall(r"(\w+),?\s+-- (.*)$", own, re.MULTILINE):
                with self.subTest(view=name, column=column):
                    self.assertIn(comment, described[name]["columns"][column])

    def test_the_queries_are_those_for_on_call_in_the_same_order(self):
        page = (running.ROOT / "docs" / "on-call.md").read_text()
        wanted = re.findall(r"^\| ([^|]*\?) \| `(SELECT .*)` \|$", page, re.MULTILINE)
        self.assertGreater(len(wanted), 10)
        offered = [
            (query["title"], re.sub(r":\w+", "'…'", query["sql"]).strip()) for query in self.queries().values()]
        self.assertEqual(offered[:len(wanted)], wanted)

    def test_no_query_has_the_name_of_a_table(self):
        # Such a query would hide behind the table, or the table behind it.
        with running.reading(self.database) as database:
            names = {row[0] for row in database.execute("SELECT name FROM sqlite_schema")}
        self.assertEqual(names & set(self.queries()), set())

    # What nobody may see

    def test_no_address_shows_a_table_a_body_or_the_file(self):
        with running.reading(self.database) as database:
            tables = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        self.assertIn("delivery_body", tables)
        paths = [
            "/redeliver.db", "/redeliver/redeliver.db", "/failures", "/failures.db", "/_internal", "/_internal.db",
            "/_memory?sql=SELECT+1", "/redeliver?sql=SELECT+body+FROM+delivery_body",
            "/redeliver.json?sql=SELECT+body+FROM+delivery_body", "/redeliver.csv?sql=SELECT+raw+FROM+unreadable_entry",
            "/redeliver/-/query?sql=SELECT+body+FROM+delivery_body", "/redeliver/v_open?_where=1",
            "/redeliver/v_open.json?_where=id+IN+(SELECT+delivery_id+FROM+delivery_body)",
            "/redeliver/v_open?_through=" + urllib.parse.quote(
                '{"table":"delivery_body","column":"task_id_json","value":"1"}'),
            "/redeliver/delivery_body/1", "/redeliver/delivery_body/1.json", "/redeliver/delivery_body/1/body.blob",
            "/redeliver/DELIVERY_BODY.json", "/redeliver/%64elivery_body.json", "/redeliver/unreadable_entry/1.json",
            "/redeliver/unreadable_entry.blob?_blob_column=raw", "/redeliver/sqlite_master.json",
            "/redeliver/sqlite_schema", "/-/permissions",
        ]
        for table in tables:
            paths += [f"/redeliver/{table}{end}" for end in ("", ".json", ".csv", ".json?_shape=array", "/1.json")]
        for path in paths:
            with self.subTest(path=path):
                status, text = self.served.get(path)
                self.assertIn(status, (400, 403, 404))
                self.assert_no_body(text, path)

    def test_what_is_added_to_the_address_of_a_query_changes_nothing(self):
        _, rows = self.served.get("/redeliver/by_hand.json?_shape=array")
        _, asked = self.served.get("/redeliver/by_hand.json?_shape=array&sql=SELECT+body+FROM+delivery_body")
        self.assertEqual(asked, rows)

    def test_no_page_that_a_link_leads_to_shows_a_body(self):
        seen, waiting = set(), ["/"]
        while waiting and len(seen) < 150:
            path = waiting.pop(0)
            if path in seen:
                continue
            seen.add(path)
            status, text = self.served.get(path)
            self.assertLess(status, 500, path)
            self.assert_no_body(text, path)
            links = re.findall(r'href="(/[^"#]*)', text.replace("&amp;", "&"))
            waiting += [link for link in dict.fromkeys(links) if not link.startswith(("/-/static", "/-/logout"))]
        self.assertGreater(len(seen), 40)

    def test_a_mistaken_query_cannot_read_a_body_or_change_a_row(self):
        peeks = {
            "a": "SELECT body FROM delivery_body",
            "b": "SELECT raw FROM unreadable_entry",
            "c": "SELECT * FROM unreadable_entry",
            "d": "SELECT (SELECT CAST(body AS TEXT) FROM delivery_body LIMIT 1) AS x",
            "e": "WITH v_open AS (SELECT body FROM delivery_body) SELECT * FROM v_open",
            "f": "SELECT * FROM v_open JOIN delivery_body ON delivery_body.delivery_id = v_open.id",
            "g": "SELECT hex(main.delivery_body.body) AS x FROM main.delivery_body",
            "h": "SELECT COUNT(*) FROM delivery_body WHERE body LIKE '%a%'",
            "i": "DELETE FROM delivery",
            "j": "ATTACH '/etc/passwd' AS other",
            "k": "PRAGMA journal_mode = DELETE",
        }
        before = running.value(self.database, "SELECT COUNT(*) FROM delivery")
        served = self.serve_with(peeks)
        for name in peeks:
            with self.subTest(sql=peeks[name]):
                for end in ("", ".json", ".csv"):
                    status, text = served.get(f"/redeliver/{name}{end}")
                    # As CSV a failed query is an empty file.
                    self.assertTrue(status == 400 or (end == ".csv" and not text.strip()), (status, text))
                    self.assert_no_body(text, name)
        self.assertEqual(running.value(self.database, "SELECT COUNT(*) FROM delivery"), before)

    def serve_with(self, queries):
        """The same Datasette with these queries beside ours: the last --metadata counts."""
        import yaml
        metadata = self.metadata()
        metadata["databases"]["redeliver"]["queries"].update({name: {"sql": sql} for name, sql in queries.items()})
        file = self.folder / f"{self._testMethodName}.yaml"
        file.write_text(yaml.safe_dump(metadata))
        served = Served(self.database, self.folder, self._testMethodName, "--metadata", file)
        self.addCleanup(served.stop)
        return served.log_in()

    def test_only_who_has_the_printed_address_sees_anything_and_it_works_once(self):
        stranger = urllib.request.build_opener()
        for path in ("/", "/redeliver", "/redeliver/health", "/redeliver/health.json", "/redeliver/v_open.csv",
                     "/redeliver.db", "/-/metadata.json", "/-/databases.json"):
            with self.subTest(path=path):
                self.assertEqual(self.served.get(path, stranger)[0], 403)
        self.assertEqual(self.served.get(self.served.address.removeprefix(self.served.base), stranger)[0], 403)

    def test_it_listens_on_loopback_only(self):
        listening = []
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in pathlib.Path(table).read_text().splitlines()[1:]:
                local, state = line.split()[1], line.split()[3]
                if state == "0A" and local.endswith(f":{self.served.port:04X}"):
                    listening.append((table, local.split(":")[0]))
        self.assertEqual(listening, [("/proc/net/tcp", "0100007F")])

    def test_no_option_takes_the_walls_down(self):
        for options in (["--host", "0.0.0.0"], ["--immutable", self.database], ["--plugins-dir", self.folder],
                        ["--setting", "default_allow_sql", "on"], ["--uds", self.folder / "socket"], ["other.db"]):
            with self.subTest(options=options):
                done = running.run(FOLDER / "serve", self.database, *options)
                self.assertEqual(done.returncode, 64)
                self.assertIn("usage:", done.stderr)

    def test_a_wrong_path_or_a_missing_datasette_is_said_in_a_sentence(self):
        done = running.run(FOLDER / "serve", self.folder / "none.db")
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (74, 1))
        done = running.run("env", "DATASETTE=/nowhere/datasette", FOLDER / "serve", self.database)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (69, 1))

    def test_started_by_hand_it_refuses_two_databases_and_an_immutable_one(self):
        other = self.folder / "other.db"
        sqlite3.connect(other).close()
        for files, words in (([self.database, other], "Give one database"), (["-i", self.database], "Not --immutable")):
            done = running.run(datasette_program(), "serve", *files, "--plugins-dir", FOLDER / "plugins", "--get", "/")
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, words)

    # What it must not do to the daemon

    def test_a_slow_query_is_cut_off_and_holds_nothing_back(self):
        endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) AS i FROM n, v_open"
        served = self.serve_with({"endless": endless})
        began = time.monotonic()
        status, text = served.get("/redeliver/endless")
        self.assertEqual(status, 400)
        self.assertIn("took too long", text)
        self.assertLess(time.monotonic() - began, 8)
        self.check_that_no_reader_holds_the_log()

    def check_that_no_reader_holds_the_log(self):
        """A checkpoint that may copy everything back finds no reader in its way, within some moments."""
        connection = sqlite3.connect(self.database, timeout=20, isolation_level=None)
        self.addCleanup(connection.close)

        def copied():
            busy, frames, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            return busy == 0 and frames == done
        running.wait_until(copied, 20, "a checkpoint of the whole write-ahead log")

    def test_the_daemon_goes_on_and_its_write_ahead_log_stays_small_while_people_click(self):
        log = pathlib.Path(f"{self.database}-wal")
        paths = [f"/redeliver/{name}" for name in self.queries()] + ["/redeliver/v_open", "/redeliver/v_attempts"]
        calls = running.value(self.database, "SELECT COUNT(*) FROM attempt")
        polled = running.value(self.database, "SELECT MAX(last_poll_ms) FROM endpoint")
        largest, end = 0, time.monotonic() + 10

        def click(index):
            clicks = 0
            while time.monotonic() < end:
                self.served.get(paths[(index + clicks) % len(paths)])
                clicks += 1
            return clicks
        with concurrent.futures.ThreadPoolExecutor(4) as people:
            clicking = [people.submit(click, index * 5) for index in range(4)]
            while time.monotonic() < end:
                largest = max(largest, log.stat().st_size)
                time.sleep(0.1)
            clicks = sum(one.result(timeout=60) for one in clicking)
        self.assertGreater(clicks, 20)
        self.assertTrue(self.daemon.runs())
        self.assertGreater(running.value(self.database, "SELECT COUNT(*) FROM attempt"), calls)
        self.assertGreater(running.value(self.database, "SELECT MAX(last_poll_ms) FROM endpoint"), polled + 5_000)
        # SQLite begins to copy back at 4 MB; the daemon's own soak test sees 25 MB under far more work.
        self.assertLess(largest, 25_000_000)
        self.check_that_no_reader_holds_the_log()
        self.assertNotIn("database is locked", self.daemon.text())


if __name__ == "__main__":
    unittest.main()
