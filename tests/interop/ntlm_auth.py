#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Our NTLM and Negotiate against Samba: its helper ntlm_auth as client and as server, and winbindd as the backend of our
acceptor. Runs inside samba_world, which makes the accounts and smb.conf.
"""

import base64
import subprocess
import sys
import time

from accounts import local_name, make_accounts
from ntlm_message import Authenticate, altered, with_forged_nt_response, without_timestamp
from peer import (ASC_REQ_ALLOW_MISSING_BINDINGS, CONTINUE, ISC_REQ_CONFIDENTIALITY, ISC_REQ_INTEGRITY, OK, Peer,
                  expect_status)
from results import Results, expect_equal
from spnego_message import MECH_LIST_MIC, resp_fields, spoil_mic

DOMAIN = 'CSTEST'
ALICE = ('cs-alice', DOMAIN, 'Secret-1')
BOB = ('cs-bob', DOMAIN, 'Größe€')
SEAL, SIGN, PLAIN = ('SESSION_KEY', 'SIGN', 'SEAL'), ('SESSION_KEY', 'SIGN'), ()


class Winbindd:
    """A winbindd in the foreground."""

    def __init__(self):
        with open('/run/samba/winbindd.log', 'w', encoding='utf-8') as log:
            self._process = subprocess.Popen(['winbindd', '--foreground', '--debug-stdout', '--no-process-group'],
                                             stdout=log, stderr=log)
        for _ in range(200):
            if subprocess.run(['wbinfo', '--ping'], capture_output=True, check=False).returncode == 0:
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        with open('/run/samba/winbindd.log', encoding='utf-8') as log:
            raise RuntimeError('winbindd does not answer:\n' + log.read())

    def stop(self):
        self._process.terminate()
        self._process.wait(30)


class NtlmAuth:
    """A process of ntlm_auth, which takes and gives a line at a time: a word of two letters, then its value."""

    def __init__(self, protocol, *options, features=('SESSION_KEY',)):
        self._process = subprocess.Popen(['ntlm_auth', f'--helper-protocol={protocol}', *options],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                         encoding='utf-8')
        if features:
            self.ask('SF', ' '.join(f'NTLMSSP_FEATURE_{feature}' for feature in features))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    def ask(self, command, value=''):
        self._process.stdin.write(f'{command} {value}'.rstrip() + '\n')
        self._process.stdin.flush()
        word, _, rest = self._process.stdout.readline().rstrip('\n').partition(' ')
        return word, rest

    def token(self, command, token=b''):
        """Hands over a token and returns its answer, which must be one."""
        word, value = self.ask(command, base64.b64encode(token).decode())
        if word not in ('YR', 'TT', 'AF', 'KK'):
            raise RuntimeError(f'ntlm_auth, {command}: {word} {value}')
        return base64.b64decode(value)

    def session_key(self):
        word, value = self.ask('GK')
        expect_equal(word, 'GK', 'their answer to GK')
        return base64.b64decode(value)


def their_client(account, features, protocol='ntlmssp-client-1'):
    user, domain, password = account
    return NtlmAuth(protocol, f'--username={user}', f'--domain={domain}', f'--password={password}',
                    '--target-service=http', '--target-hostname=server.example', features=features)


def our_client(account, request=ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY, **settings):
    user, domain, password = account
    return Peer('init', user=user, domain=domain, password=password, target='http/server.example', request=request,
                **settings)


# ---- ntlm_auth is the client, winbindd our backend ----

def log_on_theirs(client, ours, alter=lambda token: token):
    """Passes the tokens of an exchange on; returns the last. ALTER has it in its hands before we see it."""
    challenge = ours.step(client.token('YR'))
    expect_equal(ours.status, CONTINUE, 'status')
    authenticate = client.token('TT', challenge)
    ours.step(alter(authenticate))
    return Authenticate(authenticate)


def check_their_client(account, features, names, granted):
    with their_client(account, features) as client, Peer('accept') as ours:
        authenticate = log_on_theirs(client, ours)
        expect_equal(ours.status, OK, 'status')
        expect_equal(authenticate.is_v2, True, 'an NTLMv2 response')
        expect_equal(ours.flags(), granted, 'flags granted')
        expect_equal(ours.names(), names, 'names')
        expect_equal(ours.target_name(), 'http/server.example', 'target')
        expect_equal(ours.session_key(), client.session_key(), 'session key')


def check_their_client_sends_mic():
    with their_client(ALICE, SEAL) as client, Peer('accept') as ours:
        authenticate = log_on_theirs(client, ours)
        expect_equal(authenticate.says_mic, True, 'MsvAvFlags says MIC')
        expect_equal(authenticate.mic != bytes(16), True, 'a MIC')


def check_their_client_refused(account, status='SEC_E_LOGON_DENIED', alter=lambda token: token, **settings):
    with their_client(account, SEAL) as client, Peer('accept', **settings) as ours:
        expect_status(status, log_on_theirs, client, ours, alter)


def check_their_client_without_bindings():
    bindings = b'tls-unique:0123456789'
    check_their_client_refused(ALICE, 'SEC_E_BAD_BINDINGS', bindings=bindings)
    with their_client(ALICE, SEAL) as client, \
            Peer('accept', bindings=bindings, request=ASC_REQ_ALLOW_MISSING_BINDINGS) as ours:
        log_on_theirs(client, ours)
        expect_equal(ours.status, OK, 'status')


def run_their_client(results):
    def case(name, function, *arguments, **settings):
        results.case(f'ntlm_auth as client: {name}', function, *arguments, **settings)

    alice = f'{DOMAIN}\\cs-alice'
    case('sealed', check_their_client, ALICE, SEAL, alice, 0x2001C)
    case('signed', check_their_client, ALICE, SIGN, alice, 0x2000C)
    case('neither', check_their_client, ALICE, PLAIN, alice, 0)
    case('a password outside ASCII', check_their_client, BOB, SEAL, f'{DOMAIN}\\cs-bob', 0x2001C)
    case("names are the account's", check_their_client, ('CS-ALICE', 'cstest', 'Secret-1'), SEAL, alice, 0x2001C)
    case('with a MIC', check_their_client_sends_mic)
    case('an altered MIC', check_their_client_refused, ALICE, 'SEC_E_MESSAGE_ALTERED', lambda t: altered(t, 72))
    case('an altered proof', check_their_client_refused, ALICE, alter=lambda t: altered(t, Authenticate(t).nt_offset))
    case('a wrong password', check_their_client_refused, ('cs-alice', DOMAIN, 'Secret-2'))
    case('an unknown user', check_their_client_refused, ('cs-nobody', DOMAIN, 'Secret-1'))
    case('a disabled account', check_their_client_refused, ('cs-disabled', DOMAIN, 'Secret-1'))
    case('no bindings', check_their_client_without_bindings)


# ---- ntlm_auth is the server ----

def log_on_ours(server, ours, alter=lambda token: token):
    """Passes the tokens of an exchange on; returns the server's verdict."""
    challenge = server.token('YR', ours.step())
    return server.ask('KK', base64.b64encode(alter(ours.step(challenge))).decode())


def check_their_server(account, names, **settings):
    with NtlmAuth('squid-2.5-ntlmssp') as server, our_client(account, **settings) as ours:
        expect_equal(log_on_ours(server, ours), ('AF', names), 'their verdict')
        expect_equal(ours.status, OK, 'status')
        expect_equal(ours.session_key(), server.session_key(), 'session key')


def check_their_server_refuses(account, verdict, alter=lambda token: token):
    with NtlmAuth('squid-2.5-ntlmssp') as server, our_client(account) as ours:
        expect_equal(log_on_ours(server, ours, alter), verdict, 'their verdict')


def run_their_server(results):
    def case(name, function, *arguments, **settings):
        results.case(f'ntlm_auth as server: {name}', function, *arguments, **settings)

    alice, denied = f'{DOMAIN}\\cs-alice', ('NA', 'NT_STATUS_LOGON_FAILURE')
    case('sealed', check_their_server, ALICE, alice)
    case('signed', check_their_server, ALICE, alice, request=ISC_REQ_INTEGRITY)
    case('neither', check_their_server, ALICE, alice, request=0)
    case('with channel bindings', check_their_server, ALICE, alice, bindings=b'tls-unique:0123456789')
    case('a password outside ASCII', check_their_server, BOB, f'{DOMAIN}\\cs-bob')
    for level in (0, 1, 2):
        case(f'NTLMv1, our level {level}', check_their_server, ALICE, alice, level=level)
    case('an altered MIC', check_their_server_refuses, ALICE, ('NA', 'NT_STATUS_INVALID_PARAMETER'),
         lambda t: altered(t, 72))
    case('an altered proof', check_their_server_refuses, ALICE, denied, lambda t: altered(t, Authenticate(t).nt_offset))
    case('a wrong password', check_their_server_refuses, ('cs-alice', DOMAIN, 'Secret-2'), denied)
    case('an unknown user', check_their_server_refuses, ('cs-nobody', DOMAIN, 'Secret-1'), denied)


# ---- both of them speak SPNEGO ----

def negotiate_with_client(client, ours, alter=lambda token: token):
    """As log_on_theirs; a fourth message follows, which the client must be content with. Returns the third."""
    challenge = ours.step(client.token('YR'))
    expect_equal(ours.status, CONTINUE, 'status')
    authenticate = client.token('TT', challenge)
    last = ours.step(alter(authenticate))
    expect_equal(client.ask('TT', base64.b64encode(last).decode()), ('AF', ''), 'their verdict')
    return authenticate


def check_spnego_client(account, features, names, granted):
    with their_client(account, features, 'gss-spnego-client') as client, Peer('accept', package='Negotiate') as ours:
        authenticate = negotiate_with_client(client, ours)
        expect_equal(MECH_LIST_MIC in resp_fields(authenticate), True, 'a mechListMIC')
        expect_equal(ours.status, OK, 'status')
        expect_equal(ours.flags(), granted, 'flags granted')
        expect_equal(ours.names(), names, 'names')
        expect_equal(ours.target_name(), 'http/server.example', 'target')
        expect_equal(ours.session_key(), client.session_key(), 'session key')


def check_spnego_client_refused(account, status='SEC_E_LOGON_DENIED', alter=lambda token: token):
    with their_client(account, SEAL, 'gss-spnego-client') as client, Peer('accept', package='Negotiate') as ours:
        expect_status(status, negotiate_with_client, client, ours, alter)


def negotiate_with_server(server, ours, alter=lambda token: token):
    """Returns the server's verdict: a word, and with a good one its last message and the user."""
    word, value = server.ask('YR', base64.b64encode(ours.step()).decode())
    expect_equal(word, 'TT', 'their answer to the first message')
    authenticate = ours.step(base64.b64decode(value.split()[0]))
    return server.ask('KK', base64.b64encode(alter(authenticate)).decode())


def check_spnego_server(account, names, **settings):
    with NtlmAuth('gss-spnego') as server, our_client(account, package='Negotiate', **settings) as ours:
        word, value = negotiate_with_server(server, ours)
        token, _, user = value.partition(' ')
        expect_equal((word, user), ('AF', names), 'their verdict')
        expect_equal(ours.step(base64.b64decode(token)), b'', 'a fifth message')
        expect_equal(ours.status, OK, 'status')
        expect_equal(ours.session_key(), server.session_key(), 'session key')


def check_spnego_server_refuses(account, verdict, alter=lambda token: token):
    with NtlmAuth('gss-spnego') as server, our_client(account, package='Negotiate') as ours:
        expect_equal(negotiate_with_server(server, ours, alter), verdict, 'their verdict')


def run_spnego(results):
    def case(name, function, *arguments, **settings):
        results.case(f'ntlm_auth, SPNEGO: {name}', function, *arguments, **settings)

    alice, bob, denied = f'{DOMAIN}\\cs-alice', f'{DOMAIN}\\cs-bob', ('NA', '* NT_STATUS_LOGON_FAILURE')
    case('client, sealed', check_spnego_client, ALICE, SEAL, alice, 0x2001C)
    case('client, signed', check_spnego_client, ALICE, SIGN, alice, 0x2000C)
    case('client, a password outside ASCII', check_spnego_client, BOB, SEAL, bob, 0x2001C)
    case('client, a wrong password', check_spnego_client_refused, ('cs-alice', DOMAIN, 'Secret-2'))
    case('client, a disabled account', check_spnego_client_refused, ('cs-disabled', DOMAIN, 'Secret-1'))
    case('client, an altered mechListMIC', check_spnego_client_refused, ALICE, 'SEC_E_MESSAGE_ALTERED', spoil_mic)
    case('server, sealed', check_spnego_server, ALICE, alice)
    case('server, signed', check_spnego_server, ALICE, alice, request=ISC_REQ_INTEGRITY)
    case('server, no protection asked for', check_spnego_server, ALICE, alice, request=0)
    case('server, with channel bindings', check_spnego_server, ALICE, alice, bindings=b'tls-unique:0123456789')
    case('server, a password outside ASCII', check_spnego_server, BOB, bob)
    for level in (1, 2):
        case(f'server, NTLMv1, our level {level}', check_spnego_server, ALICE, alice, level=level)
    # Without extended session security one RC4 stream serves both directions. It is to be put back after each
    # mechListMIC (MS-SPNG 3.2.5.1), as gss-ntlmssp does; Samba puts it back after both of them.
    case('server, NTLMv1, our level 0: its MIC', expect_status, 'SEC_E_MESSAGE_ALTERED', check_spnego_server, ALICE,
         alice, level=0)
    case('server, a wrong password', check_spnego_server_refuses, ('cs-alice', DOMAIN, 'Secret-2'), denied)
    case('server, an unknown user', check_spnego_server_refuses, ('cs-nobody', DOMAIN, 'Secret-1'), denied)
    case('server, an altered mechListMIC', check_spnego_server_refuses, ALICE,
         ('BH', 'NT_STATUS_ACCESS_DENIED * NT_STATUS_ACCESS_DENIED'), spoil_mic)


# ---- both sides are ours, winbindd our backend ----

def log_on_both(client, server):
    server.step(client.step(server.step(client.step())))


def check_logon(account, names=f'{DOMAIN}\\cs-alice', level=None):
    levels = {} if level is None else {'level': level}
    with our_client(account, **levels) as client, Peer('accept', level=3) as server:
        log_on_both(client, server)
        expect_equal(server.names(), names, 'names')
        for data in (b'', b'0123456789abcdef', bytes(4097)):
            expect_equal(server.unseal(client.seal(data)), data, 'what the server unsealed')
            expect_equal(client.unseal_stream(server.seal(data)), data, 'what the client unsealed')


def check_logon_refused(account, status='SEC_E_LOGON_DENIED', **settings):
    with our_client(account, **settings) as client, Peer('accept') as server:
        expect_status(status, log_on_both, client, server)


def check_lmv2_behind_a_forged_response():
    """Winbind would take the right LMv2 for it; its AV pairs would then be whoever's (CVE-2019-1338)."""
    with our_client(ALICE) as client, Peer('accept') as server:
        answer = client.step(without_timestamp(server.step(client.step())))
        expect_status('SEC_E_LOGON_DENIED', server.step, with_forged_nt_response(answer))


def check_file_goes_first():
    """Who is in the account file is not winbindd's to judge, whichever of them the password suits."""
    with our_client(('cs-filed', DOMAIN, 'Secret-3')) as client, Peer('accept') as server:
        log_on_both(client, server)
        expect_equal(server.names(), local_name('cs-filed'), 'names')
    check_logon_refused(('cs-filed', DOMAIN, 'Secret-1'))


def run_winbind(results):
    def case(name, function, *arguments, **settings):
        results.case(f'winbind: {name}', function, *arguments, **settings)

    case('logon and messages', check_logon, ALICE)
    for domain in ('', '.', 'cstest'):
        case(f'domain "{domain}"', check_logon, ('cs-alice', domain, 'Secret-1'))
    for level in (0, 2):
        case(f'NTLMv1, level {level} to level 3', check_logon, ALICE, level=level)
    case('NTLMv1 to level 5', check_logon_refused, ALICE, level=2)
    case('LMv2 behind a forged NT response', check_lmv2_behind_a_forged_response)
    case('a wrong password', check_logon_refused, ('cs-alice', DOMAIN, 'Secret-2'))
    case('no password', check_logon_refused, ('cs-alice', DOMAIN, ''))
    case('an account without password', check_logon_refused, ('cs-empty', DOMAIN, ''))
    case('an unknown user', check_logon_refused, ('cs-nobody', DOMAIN, 'Secret-1'))
    case('an unknown domain', check_logon_refused, ('cs-alice', 'ELSEWHERE', 'Secret-1'))
    case('the account file goes first', check_file_goes_first)


# ---- winbindd is not there ----

def run_without_winbind(results, when):
    def case(name, function, *arguments, **settings):
        results.case(f'winbindd {when}: {name}', function, *arguments, **settings)

    case('nobody logs on', check_logon_refused, ALICE)
    case('a wrong password', check_logon_refused, ('cs-alice', DOMAIN, 'Secret-2'))
    case('the account file serves', check_file_goes_first)


def run_ntlm(results):
    run_without_winbind(results, 'not started')
    winbindd = Winbindd()
    run_their_client(results)
    run_their_server(results)
    run_winbind(results)
    winbindd.stop()
    run_without_winbind(results, 'stopped')


def run_negotiate(results):
    winbindd = Winbindd()
    run_spnego(results)
    winbindd.stop()


def main():
    parts = {'ntlm': run_ntlm, 'spnego': run_negotiate}
    if len(sys.argv) != 2 or sys.argv[1] not in parts:
        sys.exit('usage: samba_world ntlm_auth.py ntlm|spnego (COUNTERSIGN_BUILD names the build tree)')
    results = Results()
    make_accounts('/run', {'cs-filed': 'Secret-3'})
    parts[sys.argv[1]](results)
    results.end()


if __name__ == '__main__':
    main()
