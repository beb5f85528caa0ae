# SPDX-License-Identifier: Apache-2.0
"""Runs the end-to-end suite and closes with "N passed, N failed".

usage: tests/e2e/run.py [NAME ...]     only tests whose names contain one of the words"""
import os
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def end(*_):
    """Whoever ends the suite ends its fleets: each test takes down what it started, undisturbed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, end)


def wanted(suite, words):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from wanted(item, words)
        elif not words or any(w in item.id() for w in words):
            yield item


tests = unittest.TestSuite(wanted(unittest.defaultTestLoader.discover(HERE), sys.argv[1:]))
result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2 if os.environ.get("PP_VERBOSE") else 0).run(tests)
failed = len({getattr(test, "test_case", test) for test, _ in result.failures + result.errors})  # not its subtests
skipped = len(result.skipped)
passed = result.testsRun - failed - skipped
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed > 0 or passed == 0)
