#!/usr/bin/env python3
"""Runs the Python tests of a folder beside this file: `peers` drives every peer as a test would and shows that the
strict ones refuse what they should, `deploy` looks at what deploy/ holds, `stack` brings up the local stack and breaks it.

A part that is not installed is skipped by name; `tests/run` sees to it that they are there.
"""

import os
import sys
import unittest


class Result(unittest.TextTestResult):
    """Counts what passed: a class that is skipped as a whole counts as skipped once, and its tests were never run."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tests/python_tests.py peers|deploy|stack")
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), sys.argv[1])
    suite = unittest.defaultTestLoader.discover(folder, "test_*.py")
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{sys.argv[1]}: {result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and (result.passed or result.skipped) else 1)
