#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `peer` answers to lines that are wrong: an error, and nothing has happened."""

import subprocess
import sys

from peer import program
from results import Results, expect_equal

CASES = (
    ('an unknown command', ['frobnicate'], 'error no such command'),
    ('an empty line', [''], 'error no such command'),
    ('a role that is none', ['role both'], 'error role is init or accept'),
    ('a package that is none', ['package Nonesuch'], 'error no such package'),
    ('no package', ['package'], 'error no such package'),
    ('half a byte', ['bindings 123'], 'error an odd number of hexadecimal digits'),
    ('a letter that is no digit', ['bindings 0g'], 'error not a hexadecimal number'),
    ('no number', ['request'], 'error not a number of 32 bits'),
    ('a number too large', ['request 0x100000000'], 'error not a number of 32 bits'),
    ('a user that is not UTF-8', [b'user \xff'], 'error not UTF-8'),
    ('a setting after the first step', ['role accept', 'step 00', 'request 0'], 'error the exchange has begun'),
    ('a message before the first step', ['encrypt 0 data 00'], 'error the exchange is not complete'),
    ('a message before the last step', ['role init', 'user a', 'password b', 'step', 'sign 00'],
     'error the exchange is not complete'),
    ('a token that is none', ['role accept', 'step 00'], '0x80090308 SEC_E_INVALID_TOKEN -'),
    ('a token that is none, Negotiate', ['package Negotiate', 'role accept', 'step 00'],
     '0x80090308 SEC_E_INVALID_TOKEN -'),
    ('a package list that leaves nothing', ['package Negotiate', 'packages !ntlm,!kerberos', 'step'],
     '0x8009030E SEC_E_NO_CREDENTIALS -'),
)


def check(lines, answer):
    """The last of LINES gets ANSWER, and the program ends well."""
    text = b''.join((line if isinstance(line, bytes) else line.encode()) + b'\n' for line in lines)
    result = subprocess.run([program()], input=text, capture_output=True, check=True, timeout=30)
    expect_equal(result.stdout.decode().splitlines()[-1], answer, 'answer')


def main():
    if len(sys.argv) > 1:
        sys.exit('usage: peer_errors.py (COUNTERSIGN_BUILD names the build tree)')
    results = Results()
    for name, lines, answer in CASES:
        results.case(f'peer: {name}', check, lines, answer)
    results.end()


if __name__ == '__main__':
    main()
