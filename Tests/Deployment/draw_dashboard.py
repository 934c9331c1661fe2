"""Draws deploy/grafana/redeliver.svg: the dashboard's panels, with what a real Prometheus answers to their queries.

It is no screenshot: Grafana is not run. Titles, places, units, words, colours and queries are those of redeliver.json; the
drawing is this program's. Run it by hand, it takes four minutes: python3 Tests/Deployment/draw_dashboard.py
"""

import datetime
import html
import json
import subprocess
import time

from running import DEPLOY, Bench, environment, redeliver, shortened

SECONDS = 210
STEP = 2
COLUMN, LINE, GAP, HEAD = 54, 27, 6, 64
COLOURS = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#96d98d", "#ffb357", "#fade2a", "#c8f2c2"]
NAMED = {
    "green": "#73bf69", "red": "#f2495c", "yellow": "#f2cc0c", "orange": "#ff9830", "blue": "#5794f2", "transparent": "none"}
VARIABLES = {"$__rate_interval": "10s", "$__range": f"{SECONDS}s", "$instance": ".*", "$endpoint": ".*"}


def story(bench):
    """Both receivers are down at first, one for longer; six deliveries never arrive; the provider takes its time."""
    bench.start_sandbox(
        "--failures", "400", "--endpoints", "2", "--spread", "25m", "--seed", "11", "--down", "0:0-15", "--down", "1:0-170",
        "--refail", "6:9", "--latency", "40ms", "--fault", "retry:drop-before:2@0.05")
    bench.configure(["core-banking", "crm"], per_second=4)
    bench.start_node_exporter()
    rules = bench.folder / "redeliver.rules.yml"
    rules.write_text(shortened((DEPLOY / "prometheus" / "redeliver.rules.yml").read_text()))
    bench.start_prometheus(rules)
    bench.start_worker()
    time.sleep(SECONDS / 3)
    backup = [redeliver(), "database", "backup", "--database", bench.database, bench.folder / "backup.db"]
    subprocess.run(backup, check=True, capture_output=True, timeout=60, env=environment())
    time.sleep(SECONDS / 3 * 2)


def filled(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def duration(seconds):
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms" if 0 < abs(seconds) < 1 else f"{seconds:.3g} s"


def worded(value, unit):
    if unit == "s":
        return duration(value)
    if unit == "bytes":
        for size, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
            if value >= size:
                return f"{value / size:.3g} {name}"
    if unit == "dateTimeFromNow":
        return f"{duration(max(0, time.time() - value / 1000))} ago"
    return f"{value:.3g}" if value != int(value) else f"{int(value)}"


class Panel:
    def __init__(self, panel, bench, end):
        self.panel, self.bench, self.end = panel, bench, end
        self.defaults = panel["fieldConfig"]["defaults"]
        place = panel["gridPos"]
        self.x, self.y = place["x"] * COLUMN + GAP, place["y"] * LINE + HEAD
        self.w, self.h = place["w"] * COLUMN - GAP, place["h"] * LINE - GAP
        self.out = [
            f'<rect x="{self.x}" y="{self.y}" width="{self.w}" height="{self.h}" rx="3" fill="#181b1f" stroke="#2c3235"/>']
        self.text(self.x + 8, self.y + 17, panel["title"], "#d8d9da", 12, clip=self.w)

    def text(self, x, y, words, colour="#9fa7b3", size=10, anchor="start", clip=None):
        words = str(words)
        if clip and len(words) * size * 0.56 > clip - 12:
            words = words[: int((clip - 12) / (size * 0.56)) - 1] + "…"
        self.out.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="{anchor}">{html.escape(words)}</text>')

    def colour(self, value):
        found = None
        for step in self.defaults["thresholds"]["steps"]:
            if step["value"] is None or value >= step["value"]:
                found = step["color"]
        return NAMED[found]

    def mapped(self, value):
        """The words and the colour for a value that has some of its own."""
        for mapping in self.defaults["mappings"]:
            if str(int(value)) in mapping["options"] and value == int(value):
                option = mapping["options"][str(int(value))]
                return option["text"], NAMED[option["color"]]
        return worded(round(value, self.defaults.get("decimals", 9)), self.defaults["unit"]), self.colour(value)

    def legend(self, target, labels):
        words = target["legendFormat"]
        for name, value in {"scope": "", "endpoint": "", **labels}.items():
            words = words.replace("{{" + name + "}}", value)
        return words.strip()

    def now(self):
        for target in self.panel["targets"]:
            for result in self.bench.api("query", query=filled(target["expr"]), time=self.end)["result"]:
                value = float(result["value"][1])
                if value == value:
                    yield self.legend(target, result["metric"]), value, result["metric"]

    def ranges(self):
        for target in self.panel["targets"]:
            answer = self.bench.api(
                "query_range", query=filled(target["expr"]), start=self.end - SECONDS, end=self.end, step=STEP)
            for result in answer["result"]:
                points = [(at, float(value)) for at, value in result["values"] if float(value) == float(value)]
                if points:
                    yield self.legend(target, result["metric"]), points, target["refId"]

    def nothing(self):
        self.text(self.x + self.w / 2, self.y + self.h / 2 + 8, self.defaults["noValue"], anchor="middle")

    def across(self, at):
        return self.x + 46 + (at - self.end + SECONDS) / SECONDS * (self.w - 56)

    def draw(self):
        {"stat": self.stat, "timeseries": self.lines, "bargauge": self.bars, "state-timeline": self.states, "table": self.table}[
            self.panel["type"]]()
        return "\n".join(self.out)

    def stat(self):
        values = list(self.now())
        if not values:
            return self.nothing()
        across = min(len(values), 3)
        down = -(-len(values) // across)
        width, height = (self.w - 16) / across, (self.h - 34) / down
        for number, (legend, value, _) in enumerate(values):
            words, colour = self.mapped(value)
            x, y = self.x + 8 + number % across * width, self.y + 26 + number // across * height
            self.out.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 3:.1f}" height="{height - 3:.1f}" rx="3" fill="{colour}" fill-opacity="0.85"/>')
            size = min(26, (width - 10) / max(1, len(words)) * 1.7, height * 0.6)
            self.text(x + width / 2, y + height / 2 + size / 3, words, "#111217", round(size), "middle")
            if len(values) > 1:
                self.text(x + 5, y + 11, legend, "#111217", 9)

    def lines(self):
        found = list(self.ranges())
        # What has an axis of its own in Grafana is not drawn.
        aside = {rule["matcher"]["options"] for rule in self.panel["fieldConfig"]["overrides"]}
        found = [series for series in found if series[2] not in aside]
        if not found:
            return self.nothing()
        unit = self.defaults["unit"]
        legends = -(-sum(len(legend) + 4 for legend, _, _ in found) * 6 // int(self.w - 16))
        top, bottom = self.y + 30, self.y + self.h - 20 - 12 * legends
        low = self.defaults.get("min", min(0, min(value for _, points, _ in found for _, value in points)))
        high = max(value for _, points, _ in found for _, value in points)
        high = high * 1.08 if high > low else low + 1

        def down(value):
            return bottom - (value - low) / (high - low) * (bottom - top)

        for share in (0, 0.5, 1):
            value = low + share * (high - low)
            self.out.append(
                f'<path d="M{self.x + 46} {down(value):.1f}H{self.x + self.w - 10}" stroke="#2c3235"/>')
            self.text(self.x + 42, down(value) + 3, worded(value, unit), size=9, anchor="end")
        for step in self.defaults["thresholds"]["steps"]:
            if step["value"] and low < step["value"] < high:
                self.out.append(
                    f'<path d="M{self.x + 46} {down(step["value"]):.1f}H{self.x + self.w - 10}" stroke="#f2495c" stroke-dasharray="4 3"/>')
        x, y = self.x + 8, self.y + self.h - 8 - 12 * (legends - 1)
        for number, (legend, points, _) in enumerate(found):
            colour = COLOURS[number % len(COLOURS)]
            path = " ".join(f"{self.across(at):.1f},{down(value):.1f}" for at, value in points)
            self.out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
            if x + (len(legend) + 3) * 6 > self.x + self.w and x > self.x + 8:
                x, y = self.x + 8, y + 12
            self.out.append(f'<rect x="{x}" y="{y - 5}" width="10" height="3" fill="{colour}"/>')
            self.text(x + 14, y, legend, size=9)
            x += (len(legend) + 4) * 6
        self.clock(bottom + 11)

    def clock(self, y):
        for share in (0, 0.5, 1):
            at = self.end - SECONDS * (1 - share)
            moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
            self.text(self.across(at), y, f"{moment:%H:%M:%S}", size=8, anchor=("start", "middle", "end")[int(share * 2)])

    def bars(self):
        values = list(self.now())
        if not values:
            return self.nothing()
        if "{{le}}" in self.panel["targets"][0]["legendFormat"]:
            values.sort(key=lambda entry: float(entry[2]["le"]))
        height = (self.h - 32) / len(values)
        high = max(value for _, value, _ in values) or 1
        for number, (legend, value, _) in enumerate(values):
            y = self.y + 26 + number * height
            x = self.x + 150
            width = (self.w - 210) * value / high
            self.text(x - 6, y + height / 2 + 3, legend, size=9, anchor="end")
            self.out.append(
                f'<rect x="{x}" y="{y + 1:.1f}" width="{width:.1f}" height="{max(1, height - 3):.1f}" fill="{self.colour(value)}"/>')
            self.text(x + width + 6, y + height / 2 + 3, worded(round(value), self.defaults["unit"]), size=9)

    def states(self):
        found = list(self.ranges())
        if not found:
            return self.nothing()
        height = (self.h - 46) / len(found)
        left = 110
        for number, (legend, points, _) in enumerate(found):
            y = self.y + 26 + number * height
            self.text(self.x + left - 4, y + height / 2 + 3, legend, size=9, anchor="end")
            runs = []
            for at, value in points:
                if runs and runs[-1][2] == value:
                    runs[-1][1] = at
                else:
                    if runs:
                        runs[-1][1] = at
                    runs.append([at, at, value])
            for begin, end, value in runs:
                x, last = (self.x + left + (t - self.end + SECONDS) / SECONDS * (self.w - left - 10) for t in (begin, end))
                words, colour = self.mapped(value)
                self.out.append(
                    f'<rect x="{x:.1f}" y="{y + 1:.1f}" width="{max(1, last - x):.1f}" height="{height - 2:.1f}" fill="{colour}" fill-opacity="0.8"/>')
                if last - x > 40:
                    self.text(x + 5, y + height / 2 + 3, words, "#111217", 9)

    def table(self):
        rows = list(self.now())
        names = [name for name in ("alertname", "severity", "instance", "endpoint", "version") if any(name in labels for *_, labels in rows)]
        if not rows:
            return self.nothing()
        shows_value = "since" in json.dumps(self.panel.get("transformations", []))
        columns = names + (["since"] if shows_value else [])
        # The first column has the longest words.
        width = (self.w - 16) / (len(columns) + 0.6)
        left = [self.x + 8] + [self.x + 8 + (number + 0.6) * width for number in range(1, len(columns))]
        for number, name in enumerate(columns):
            self.text(left[number], self.y + 34, name, "#5794f2", 9, clip=width)
        for line, (_, value, labels) in enumerate(rows[: (self.h - 40) // 14]):
            for number, name in enumerate(columns):
                words = labels.get(name, "") if name != "since" else self.mapped(value)[0]
                self.text(left[number], self.y + 50 + line * 14, words, "#d8d9da", 9, clip=width * (1 if number else 1.6))


def draw(bench):
    dashboard = json.loads((DEPLOY / "grafana" / "redeliver.json").read_text())
    end = time.time()
    width = 24 * COLUMN + GAP
    height = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in dashboard["panels"]) * LINE + HEAD + GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#111217"/>',
        f'<text x="{GAP + 2}" y="26" fill="#d8d9da" font-size="18">{dashboard["title"]}</text>',
        f'<text x="{GAP + 2}" y="48" fill="#9fa7b3" font-size="11">No screenshot: drawn by Tests/Deployment/draw_dashboard.py from what a '
        f"real Prometheus answered to the dashboard's queries in a run of {SECONDS} s against provider-sandbox, with the rules' spans of time shortened.</text>",
    ]
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            y = panel["gridPos"]["y"] * LINE + HEAD
            out.append(f'<text x="{GAP + 2}" y="{y + 17}" fill="#ffffff" font-size="15">▾ {html.escape(panel["title"])}</text>')
        else:
            out.append(Panel(panel, bench, end).draw())
    (DEPLOY / "grafana" / "redeliver.svg").write_text("\n".join(out) + "\n</svg>\n")


if __name__ == "__main__":
    bench = Bench()
    try:
        story(bench)
        draw(bench)
    finally:
        bench.close()
