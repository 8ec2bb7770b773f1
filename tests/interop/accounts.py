# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our acceptor's account file, made as a user makes it."""

import os
import socket
import subprocess

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools', 'countersign')


def make_accounts(folder, passwords):
    """An account file in FOLDER with the users and passwords of a dictionary; `peer` then uses it."""
    os.environ['COUNTERSIGN_ACCOUNTS'] = os.path.join(folder, 'accounts')
    os.environ['COUNTERSIGN_LOOPBACK_SECRET'] = os.path.join(folder, 'secret')
    for user, password in passwords.items():
        subprocess.run([TOOL, 'account', 'add', '--password-stdin', user], input=password, encoding='utf-8', check=True,
                       stdout=subprocess.DEVNULL)


def local_name(user):
    """MACHINE\\user, as servers name who is in the account file: the host's name as NetBIOS has it."""
    return socket.gethostname().split('.')[0].upper()[:15] + '\\' + user
