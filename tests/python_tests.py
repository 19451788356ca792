#!/usr/bin/env python3
"""Runs the Python tests of a folder beside this file: `peers` drives every peer as a test would and shows that the
strict ones refuse what they should, `deploy` looks at what deploy/ holds, `stack` brings up the local stack and breaks it.

A part that is not installed is skipped by name; `tests/run` sees to it that they are there.
"""

import os
import sys
import unittest

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tests/python_tests.py peers|deploy|stack")
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), sys.argv[1])
    suite = unittest.defaultTestLoader.discover(folder, "test_*.py")
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed - len(result.skipped)
    print(f"{sys.argv[1]}: {passed} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() and passed else 1)
