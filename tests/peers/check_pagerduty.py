#!/usr/bin/env python3
"""Checks rendered PagerDuty events: by pagerduty_rules.py and by PagerDuty's own schema where it is at hand.

  check_pagerduty.py [--schema OPENAPI.json] FILE.json…
"""

import argparse
import json
import sys

import pagerduty_rules


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schema", help="by default the one beside the repository")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    validator = pagerduty_rules.schema_validator(options.schema)
    bad = 0
    for path in options.files:
        with open(path, "rb") as file:
            text = file.read()
        found = pagerduty_rules.problems(json.loads(text), len(text), validator)
        bad += bool(found)
        for problem in found:
            print(f"{path}: {problem}")
    with_schema = "with" if validator else "without"
    print(f"pagerduty: {len(options.files)} checked {with_schema} PagerDuty's schema, {bad} bad")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
