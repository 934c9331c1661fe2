"""The rules and the dashboard against a real run: a real node_exporter serves the worker's file, a real Prometheus scrapes it.

One story, told in order: failures arrive, some die, one receiver is down; everything is looked at; the worker is killed; its
file stays. Spans of time in the rules are shortened (`running.shortened`); their own spans are tested by promtool.
"""

import json
import re
import subprocess
import unittest

from running import DEPLOY, Bench, environment, promtool, redeliver, same, samples, series, shortened, wait_until

RULES = DEPLOY / "prometheus" / "redeliver.rules.yml"
RULE_TESTS = sorted((DEPLOY / "prometheus").glob("*.test.yml"))
DASHBOARD = DEPLOY / "grafana" / "redeliver.json"
RUNBOOK = DEPLOY / "RUNBOOK.md"

# What a Grafana puts in for its variables while everything is chosen, and 6 minutes are shown.
VARIABLES = {
    "$__rate_interval": "15s", "$__range": "6m", "$__interval": "15s", "$instance": ".*", "$endpoint": ".*",
}


def alert_names(text):
    return re.findall(r"- alert: (\w+)", text)


class RuleFiles(unittest.TestCase):
    """What can be said of the files without running anything but promtool."""

    def test_promtool_accepts_the_rules_and_the_example(self):
        subprocess.run([promtool(), "check", "rules", RULES], check=True, capture_output=True, timeout=60)
        example = DEPLOY / "prometheus" / "prometheus.example.yml"
        subprocess.run([promtool(), "check", "config", example], check=True, capture_output=True, timeout=60)

    def test_each_alert_fires_and_stays_silent_as_the_rule_tests_say(self):
        run = subprocess.run([promtool(), "test", "rules", *RULE_TESTS], capture_output=True, text=True, timeout=900)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_each_alert_has_a_rule_test_that_fires_it_and_one_that_does_not(self):
        groups = [group for file in RULE_TESTS for group in file.read_text().split("\n  - name: ")[1:]]
        for name in alert_names(RULES.read_text()):
            expectations = [
                (group, part) for group in groups for part in re.split(r"\n      - ", group) if re.search(rf"\b{name}\b", part)]
            firing = [(group, part) for group, part in expectations if not re.search(r"exp_(samples|alerts): \[\]", part)]
            silent = [part for _, part in expectations if re.search(r"exp_(samples|alerts): \[\]", part)]
            self.assertTrue(firing, f"nothing fires {name}")
            self.assertTrue(silent or any('instance="near"' in group for group, _ in firing), f"no near miss of {name}")

    def test_each_alert_says_who_is_woken_what_it_means_and_where_to_read_on(self):
        blocks = re.split(r"(?m)^\s+- (?=alert|record)", RULES.read_text())
        alerts = [block for block in blocks if block.startswith("alert: ")]
        self.assertGreaterEqual(len(alerts), 15)
        for block in alerts:
            name = block.split()[1]
            self.assertRegex(block, r"labels: \{severity: (page|ticket)\}", name)
            for key in ("summary", "description"):
                self.assertRegex(block, rf"\n\s+{key}: \S", f"{name} has no {key}")
            self.assertIn(f"deploy/RUNBOOK.md#{name.lower()}\n", block + "\n", f"{name} leads elsewhere")

    def test_every_alert_but_those_about_the_file_is_silent_while_the_file_is_stale(self):
        about_the_file = {"RedeliverMetricsStale", "RedeliverMetricsMissing", "RedeliverMetricsHidden"}
        for block in re.split(r"(?m)^\s+- (?=alert|record)", RULES.read_text()):
            if block.startswith("alert: ") and block.split()[1] not in about_the_file:
                expression = block.split("labels:")[0].split("for:")[0].rstrip()
                self.assertRegex(expression, r"and (ignoring \([a-z_, ]+\) )?redeliver:fresh == 1$", block.split()[1])

    def test_alerts_and_sections_of_the_runbook_are_the_same(self):
        sections = re.findall(r"(?m)^## (Redeliver\w+)$", RUNBOOK.read_text())
        self.assertEqual(sorted(sections), sorted(set(alert_names(RULES.read_text()))))

    def test_the_runbook_s_table_names_each_alert_with_its_severity(self):
        rows = dict(re.findall(r"(?m)^\| \[(Redeliver\w+)\]\(#[a-z]+\) \| (page|ticket) \|", RUNBOOK.read_text()))
        severities = dict(re.findall(r"- alert: (\w+)[\s\S]*?severity: (\w+)", RULES.read_text()))
        self.assertEqual(rows, severities)


class DashboardFile(unittest.TestCase):
    """As far as Grafana's schema can be checked without a Grafana."""

    def setUp(self):
        self.dashboard = json.loads(DASHBOARD.read_text())
        self.panels = self.dashboard["panels"]

    def test_it_has_a_row_for_each_of_the_six_questions(self):
        self.assertEqual(
            [panel["title"] for panel in self.panels if panel["type"] == "row"],
            ["Is everything arriving?", "How late is it?", "What is held, and why?", "What died?",
             "Is the provider healthy?", "Is the worker healthy?"])
        self.assertEqual((self.dashboard["uid"], self.dashboard["schemaVersion"]), ("redeliver", 38))
        self.assertEqual([v["name"] for v in self.dashboard["templating"]["list"]], ["datasource", "instance", "endpoint"])

    def test_panels_have_titles_units_thresholds_words_for_nothing_and_a_place_of_their_own(self):
        self.assertEqual(len({panel["id"] for panel in self.panels}), len(self.panels))
        taken = set()
        for panel in self.panels:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            self.assertFalse(cells & taken, f"{panel['title']} overlaps another panel")
            taken |= cells
            self.assertTrue(panel["title"])
            if panel["type"] == "row":
                continue
            defaults = panel["fieldConfig"]["defaults"]
            self.assertTrue(defaults["unit"] and defaults["noValue"] and defaults["thresholds"]["steps"], panel["title"])
            self.assertIsNone(defaults["thresholds"]["steps"][0]["value"], panel["title"])
            self.assertEqual(panel["datasource"]["uid"], "${datasource}", panel["title"])
            references = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(set(references)), len(references))


class RealRun(unittest.TestCase):
    """In the order of their numbers: each test finds the world as the one before has left it."""

    @classmethod
    def setUpClass(cls):
        cls.bench = Bench()
        cls.addClassCleanup(cls.bench.close)
        # Six deliveries fail once too often and die (of one receiver less than five, or its circuit opens); answers of some
        # calls are lost; the second receiver stays down. The first is down until Prometheus watches: a counter that has
        # risen before does not rise.
        cls.bench.start_sandbox(
            "--failures", "120", "--endpoints", "2", "--spread", "20m", "--seed", "7", "--down", "0:0-12", "--down", "1:0-600",
            "--refail", "6:9", "--fault", "retry:drop-before:3")
        cls.bench.configure(["core-banking", "crm"])
        cls.bench.start_node_exporter()
        rules = cls.bench.folder / "redeliver.rules.yml"
        rules.write_text(shortened(RULES.read_text()))
        cls.bench.start_prometheus(rules)
        cls.bench.start_worker()
        backup = [redeliver(), "database", "backup", "--database", cls.bench.database, cls.bench.folder / "backup.db"]
        subprocess.run(backup, check=True, capture_output=True, timeout=60, env=environment())
        wait_until(
            "deliveries arrive and die, a circuit opens and Prometheus has seen it",
            lambda: cls.bench.query('sum(redeliver_deliveries_finalized_total{outcome="dead"}) > 0')
            and cls.bench.query('sum(redeliver_deliveries_finalized_total{outcome="delivered"}) > 30')
            and cls.bench.query('redeliver_circuit_open{scope="endpoint",endpoint="crm"} == 1'), 60)
        # The longest look back of any recording rule is `offset 5m`, shortened to 5 s.
        wait_until("Prometheus remembers ten seconds", lambda: cls.bench.query("redeliver_build_info offset 10s"))

    def value(self, expression):
        result = self.bench.query(expression)
        self.assertEqual(len(result), 1, expression)
        return float(result[0]["value"][1])

    def test_1_every_recording_rule_returns_data(self):
        recordings = [rule for rule in self.bench.rules() if rule["type"] == "recording"]
        self.assertGreaterEqual(len(recordings), 15)
        for rule in recordings:
            wait_until(f"{rule['name']} has data", lambda: self.bench.query(rule["name"]), 20)

    def test_2_every_rule_is_healthy_and_was_evaluated(self):
        names = alert_names(RULES.read_text())
        rules = self.bench.rules()
        self.assertEqual(sorted(rule["name"] for rule in rules if rule["type"] == "alerting"), sorted(names))
        for rule in rules:
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])
            self.assertFalse(rule["lastEvaluation"].startswith("0001"), rule["name"])

    def test_3_the_rules_as_they_are_can_be_evaluated_too(self):
        """With their own spans, which the run was too short for: an error would show, no result is expected."""
        blocks = re.findall(r"(?m)^( +)expr: (\|\n(?:\1 +.*\n|\n)+|.*\n)", RULES.read_text())
        self.assertGreaterEqual(len(blocks), 40)
        for _, expression in blocks:
            self.bench.query(expression.removeprefix("|").strip())

    def test_4_no_text_of_an_alert_is_broken(self):
        for alert in self.bench.api("alerts")["alerts"]:
            for text in alert["annotations"].values():
                self.assertNotIn("<error", text)
                self.assertNotIn("<no value>", text)

    def test_5_the_alerts_are_those_of_the_story(self):
        """A receiver is down, some died, the worker lives."""
        wait_until("the circuit's alert fires", lambda: self.bench.alert_state("RedeliverCircuitOpen") == "firing", 60)
        self.assertEqual(self.bench.alert_state("RedeliverMetricsStale"), "inactive")
        self.assertEqual(self.bench.alert_state("RedeliverMetricsMissing"), "inactive")
        self.assertEqual(self.bench.alert_state("RedeliverMetricsHidden"), "inactive")
        self.assertEqual(self.bench.alert_state("RedeliverLoopStalled"), "inactive")
        self.assertEqual(self.bench.alert_state("RedeliverAuthBroken"), "inactive")
        self.assertEqual(self.bench.alert_state("RedeliverNoCalls"), "inactive")

    def test_6_every_query_of_the_dashboard_returns_data(self):
        dashboard = json.loads(DASHBOARD.read_text())
        queries = [
            (panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]
        queries += [
            (variable["name"], "count by ({1}) ({0})".format(*re.match(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()))
            for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
        # What is only there when something is wrong, or a start just happened, may be empty; it must be no error.
        for annotation in dashboard["annotations"]["list"]:
            self.bench.query(self.filled(annotation["expr"]))
        self.assertGreaterEqual(len(queries), 40)
        empty = []
        for title, expression in queries:
            result = self.bench.query(self.filled(expression))
            if not [sample for sample in result if sample["value"][1] != "NaN"]:
                empty.append(f"{title}: {expression}")
        self.assertEqual(empty, [])

    def filled(self, expression):
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)
        self.assertNotIn("$", expression)
        return expression

    def test_7_a_killed_worker_leaves_its_file_and_the_stale_alert_fires(self):
        self.bench.worker.kill()
        self.assertTrue(self.bench.metrics.exists())
        wait_until("it is pending or fires", lambda: self.bench.alert_state("RedeliverMetricsStale") != "inactive", 30)
        wait_until("it fires", lambda: self.bench.alert_state("RedeliverMetricsStale") == "firing", 30)
        self.assertEqual(self.value("redeliver_build_info"), 1, "the numbers are still served")
        # All others are silent: what they would go by is old.
        wait_until("the circuit's alert is silent", lambda: self.bench.alert_state("RedeliverCircuitOpen") == "inactive", 20)
        active = {alert["labels"]["alertname"] for alert in self.bench.api("alerts")["alerts"]}
        self.assertEqual(active, {"RedeliverMetricsStale"})

    def test_8_every_series_of_the_file_arrives_once_with_its_value(self):
        """After the kill, because only then the file stands still."""
        written = samples(self.bench.metrics.read_text())
        self.assertEqual(len({key for key, _ in written}), len(written), "a series stands in the file twice")
        served = [(key, value) for key, value in samples(self.bench.exposition()) if key[0].startswith("redeliver_")]
        self.assertEqual(len(served), len(written), "node_exporter hides or adds series")
        self.assertTrue(all(same(value, dict(served)[key]) for key, value in written))

        scraped = {}
        for result in self.bench.query('{__name__=~"redeliver_.*",job="node"}'):
            labels = dict(result["metric"])
            name = labels.pop("__name__")
            self.assertEqual(labels.pop("instance"), f"127.0.0.1:{self.bench.node_port}")
            labels.pop("job")
            key = series(name, labels)
            self.assertNotIn(key, scraped)
            scraped[key] = float(result["value"][1])
        self.assertEqual(scraped.keys(), dict(written).keys())
        different = [key for key, value in written if not same(value, scraped[key])]
        self.assertEqual(different, [])
        self.assertEqual(self.value("node_textfile_scrape_error"), 0)
        self.assertEqual(self.value('count(node_textfile_mtime_seconds{file=~".*redeliver.prom"})'), 1)

    def test_9_a_second_file_with_the_same_series_is_hidden_without_a_word_but_not_from_the_rules(self):
        before = len(samples(self.bench.exposition()))
        other = self.bench.metrics.with_name("redeliver-other.prom")
        other.write_text(re.sub(r"(?m)^(redeliver_auth_ok) .*$", r"\1 0", self.bench.metrics.read_text()))
        served = samples(self.bench.exposition())
        values = [value for key, value in served if key[0] == "redeliver_auth_ok"]
        self.assertEqual(len(values), 1, "node_exporter has learned to tell: the rule and this test can go")
        self.assertEqual(dict(served)[series("node_textfile_scrape_error", {})], 0)
        self.assertEqual(len(served), before + 1, "the second file adds only its own time of change")
        wait_until("the alert is pending or fires", lambda: self.bench.alert_state("RedeliverMetricsHidden") != "inactive", 20)
        other.unlink()


if __name__ == "__main__":
    unittest.main(verbosity=2)
