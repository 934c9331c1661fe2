"""Measures this tree and an earlier commit in turns, so that a machine's moods hit both, and prints their ratios.

Called by `make bench-against BEFORE=<commit>`. The earlier commit is checked out and built below `.build/before`.
"""

import argparse
import json
import pathlib
import shlex
import statistics
import subprocess

HERE = pathlib.Path.cwd()
BEFORE = HERE / ".build" / "before"


def check_out(commit):
    if not BEFORE.exists():
        subprocess.run(["git", "worktree", "add", "--force", "--detach", BEFORE, commit], check=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", commit], cwd=BEFORE, check=True)


def build(tree, command):
    for product in ("redeliver-bench", "redeliver"):
        subprocess.run(shlex.split(command) + [product], cwd=tree, check=True, capture_output=True)


def measure(tree, options):
    """One run of a tree's own benchmarks: the values of each figure, by its name and stored deliveries."""
    figures = tree / ".build" / "against.json"
    command = [".build/release/redeliver-bench", "--program", ".build/release/redeliver", "--json", figures, *options]
    subprocess.run(command, cwd=tree, check=True, stdout=subprocess.DEVNULL)
    return {(figure["name"], figure["rows"]): figure["values"] for figure in json.loads(figures.read_text())["figures"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("--build", required=True, help="how a product is built")
    parser.add_argument("--turns", type=int, default=4, help="runs of each tree, after each other")
    arguments, options = parser.parse_known_args()
    check_out(arguments.commit)
    trees = {"before": BEFORE, "now": HERE}
    values = {name: {} for name in trees}
    for tree in trees.values():
        build(tree, arguments.build)
    for _ in range(arguments.turns):
        for name, tree in trees.items():
            for figure, measured in measure(tree, options).items():
                values[name].setdefault(figure, []).extend(measured)
    print("| what | deliveries | before | now | now ÷ before | runs of each |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for figure, before in values["before"].items():
        now = values["now"].get(figure)
        if not now or not all(before):
            continue
        old, new = statistics.median(before), statistics.median(now)
        print(f"| {figure[0]} | {figure[1]:,} | {old:,.4g} | {new:,.4g} | {new / old:.2f} | {len(before)} |")


if __name__ == "__main__":
    main()
