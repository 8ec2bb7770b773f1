# SPDX-License-Identifier: LGPL-2.1-or-later
"""Both sides of a logon in ad_world's domain, and what its tickets say."""

import glob
import os
import subprocess
from contextlib import contextmanager

from ad_domain import NETBIOS, PASSWORD
from kerberos_exchange import CONFIDENTIALITY, ISC_INTEGRITY, MUTUAL, ORDERED, pass_tokens
from peer import Peer, built
from results import expect_equal

FOLDER = '/run/domain'
WEB, SERVER = 'HTTP/web.dom.example', 'HOST/server.dom.example'
ALICE = {'user': 'alice', 'domain': NETBIOS, 'password': PASSWORD}
REQUEST = MUTUAL | ORDERED | CONFIDENTIALITY | ISC_INTEGRITY


def environment(account='svc-web', **more):
    """That of a process which has an account's keys, and no tickets."""
    return {**os.environ, 'KRB5_KTNAME': f'FILE:{FOLDER}/{account.rstrip("$")}.keytab', 'KRB5CCNAME': 'FILE:/run/none',
            'COUNTERSIGN_REPLAY_CACHE': '/run/replays', 'KRB5RCACHEDIR': '/run', **more}


def weak(account='svc-web'):
    """The same where RC4 is allowed."""
    path = '/run/weak.conf'
    with open(path, 'w', encoding='ascii') as file:
        file.write('[libdefaults]\n    allow_weak_crypto = true\n')
    return environment(account, KRB5_CONFIG=f'{path}:{os.environ["KRB5_CONFIG"]}')


def clock(seconds, account='svc-web'):
    """The same where the clock is that much ahead."""
    (library,) = glob.glob('/usr/lib/*/faketime/libfaketime.so.1')
    return environment(account, LD_PRELOAD=library, FAKETIME=f'{seconds:+d}', DONT_FAKE_MONOTONIC='1')


def identity(user, domain='', password=PASSWORD):
    return {'user': user, 'domain': domain, 'password': password}


def our_client(who, env=None, target=WEB, package='Kerberos', request=REQUEST, **settings):
    return Peer('init', env or environment(), package=package, target=target, request=request, **who, **settings)


def our_server(env=None, package='Kerberos', **settings):
    return Peer('accept', env or environment(), package=package, **settings)


@contextmanager
def logged_on(who=ALICE, server=None, client=None, **settings):
    """Both sides ours, done; SERVER and CLIENT are their environments."""
    package = settings.get('package', 'Kerberos')
    with our_client(who, client or server, **settings) as initiator, our_server(server, package) as acceptor:
        pass_tokens(initiator, acceptor)
        yield initiator, acceptor


def exchange_messages(client, server):
    for data in (b'', b'message', bytes(4097)):
        expect_equal(server.unseal_stream(b''.join(client.encrypt(('token', b''), ('data', data)))), data, 'to server')
        expect_equal(client.unseal_stream(b''.join(server.encrypt(('token', b''), ('data', data)))), data, 'to client')


def described(token, account):
    """What tokendump says the PAC says: its values by their names."""
    command = [built('../../tokendump'), '--keytab', f'{FOLDER}/{account}.keytab', '--hex', token.hex()]
    found = subprocess.run(command, check=True, capture_output=True, encoding='utf-8',
                           env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    values = {}
    for line in found.stdout.splitlines():
        name, _, value = line.strip().partition(' ')
        values.setdefault(name.rstrip(':'), []).append(value.strip())
    return values
