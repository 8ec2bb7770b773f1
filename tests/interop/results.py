# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test cases: a line each, and a last line that says how many passed."""

import sys
import traceback


class Results:
    """Runs cases and counts them."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def case(self, name, function, *arguments, **settings):
        """Calls FUNCTION; the case fails if it raises."""
        try:
            function(*arguments, **settings)
        except Exception as error:  # whatever it is, the next case is to run
            self.failed += 1
            print(f'FAIL  {name}: {type(error).__name__}: {error}')
            for line in traceback.format_tb(error.__traceback__)[1:]:
                print('      ' + line.strip().replace('\n', '\n      '))
        else:
            self.passed += 1
            print(f'ok    {name}')
        sys.stdout.flush()

    def skip(self, name, reason):
        """Counts a case that cannot be run here."""
        self.skipped += 1
        print(f'skip  {name}: {reason}')
        sys.stdout.flush()

    def not_compared(self, name, reason):
        """Says what nobody can be compared with: that is no case, and counts as none."""
        print(f'--    {name}: {reason}')
        sys.stdout.flush()

    def end(self):
        """Prints the counts and ends the program."""
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped')
        sys.exit(0 if self.passed and not self.failed else 1)


def expect_equal(found, wanted, what):
    if found != wanted:
        raise AssertionError(f'{what}: {shorten(found)}, not {shorten(wanted)}')


def expect_raises(kind, function, *arguments, **settings):
    """Calls FUNCTION, which is to raise a KIND; returns what it raised."""
    try:
        function(*arguments, **settings)
    except kind as error:
        return error
    raise AssertionError(f'no {kind.__name__}')


def shorten(value):
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + '...'
