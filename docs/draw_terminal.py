#!/usr/bin/env python3
"""Draws what a program printed as a picture of a terminal (SVG): standard input to standard output.

    draw_terminal.py COMMAND [FIRST [LAST]]

COMMAND stands at the prompt. FIRST and LAST are regular expressions; what lies between two lines that match them is left out.
"""

import html
import re
import sys
import textwrap

COLUMNS = 118
LINE = 18
GLYPH = 7.83
INK, DIM, GREEN, PAPER = "#d8dee9", "#7b8494", "#a3be8c", "#20242c"


def lines(text, first, last):
    """The lines to draw, wrapped; long tables are cut at the edge as a terminal cuts them."""
    drawn, hidden = [], False
    for line in text.splitlines():
        if first and re.search(first, line):
            hidden = True
            drawn.append("…")
        if hidden and last and re.search(last, line):
            hidden = False
        if hidden:
            continue
        is_table = line[:1] in "┌│├└"
        drawn += [line[:COLUMNS]] if is_table else textwrap.wrap(line, COLUMNS, break_long_words=True) or [""]
    return drawn


def color(line):
    if line.startswith("$ "):
        return GREEN
    return GREEN if line.startswith("The receivers confirm") else DIM if line == "…" or line[:1] in "┌├└" else INK


def picture(command, drawn):
    rows = [f"$ {command}"] + drawn
    width, height = int(COLUMNS * GLYPH) + 40, (len(rows) + 1) * LINE + 44
    body = "\n".join(
        f'<text x="20" y="{52 + number * LINE}" fill="{color(row)}" xml:space="preserve">{html.escape(row)}</text>'
        for number, row in enumerate(rows))
    dots = "".join(
        f'<circle cx="{22 + 18 * number}" cy="18" r="5.5" fill="{fill}"/>'
        for number, fill in enumerate(["#bf616a", "#ebcb8b", "#a3be8c"]))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>{html.escape(command)}</title>
<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>
{dots}
<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13">
{body}
</g>
</svg>
"""


if __name__ == "__main__":
    command, first, last = (sys.argv[1:] + [None, None])[:3]
    sys.stdout.write(picture(command, lines(sys.stdin.read(), first, last)))
