#!/usr/bin/env python3
"""Writes a copy of the rules in which time runs faster: every `for`, interval and window is divided.

  hasten.py FROM TO DIVISOR

Thresholds, labels and texts are those of the originals, which are not touched; a text that names a time still names
the original one. Unit tests of rules are left out.
"""

import glob
import os
import re
import sys

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION = r"(?:\d+(?:ms|[smhd]))+"
# A key of a group or rule; a window; an offset; seconds that are taken from the present time.
PLACES = [
    rf"(?P<before>^\s*(?:- )?(?:for|keep_firing_for|interval): )(?P<time>{DURATION})\b",
    rf"(?P<before>\[)(?P<time>{DURATION})(?=[\]:])",
    rf"(?P<before>\boffset )(?P<time>{DURATION})\b",
    r"(?P<before>\btime\(\) - )(?P<time>\d+)\b",
]


def divided(time, divisor):
    """A duration or a number of seconds, divided, with the unit that it needs."""
    if time.isdigit():
        return f"{int(time) / divisor:g}"
    total = sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhd])", time))
    return f"{max(1, round(total / divisor))}ms"


def hasten(text, divisor):
    lines = []
    for line in text.splitlines(keepends=True):
        if not line.lstrip().startswith("#"):
            for place in PLACES:
                line = re.sub(place, lambda m: m["before"] + divided(m["time"], divisor), line)
        lines.append(line)
    return "".join(lines)


def main():
    source, target, divisor = sys.argv[1], sys.argv[2], float(sys.argv[3])
    os.makedirs(target, exist_ok=True)
    for path in sorted(glob.glob(os.path.join(source, "*.yaml"))):
        if not path.endswith("_test.yaml"):
            with open(path, encoding="utf-8") as file:
                text = hasten(file.read(), divisor)
            with open(os.path.join(target, os.path.basename(path)), "w", encoding="utf-8") as file:
                file.write(text)


if __name__ == "__main__":
    main()
