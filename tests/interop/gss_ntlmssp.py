#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Our NTLM against gss-ntlmssp, through python3-gssapi, in both roles.

What gss-ntlmssp 1.2 does of its own way, and the cases heed: gss_get_mic and gss_wrap refuse an empty message;
gss_wrap encrypts also where sealing was not negotiated; a MIC is sent only after somebody (SPNEGO) has asked for it
through GSS_SPNEGO_REQUIRE_MIC; an acceptor with channel bindings takes a client that sends none; the initiator's name
that an acceptor shows ends in a NUL.
"""

import contextlib
import os
import sys
import tempfile

import gssapi
from gssapi.raw import ChannelBindings, acquire_cred_with_password, inquire_sec_context_by_oid

from accounts import local_name, make_accounts
from ntlm_message import Authenticate, altered
from peer import (ASC_REQ_ALLOW_MISSING_BINDINGS, CONTINUE, ISC_REQ_CONFIDENTIALITY, ISC_REQ_INTEGRITY, OK, Peer,
                  expect_status)
from results import Results, expect_equal, expect_raises

NTLMSSP = gssapi.OID.from_int_seq('1.3.6.1.4.1.311.2.2.10')
SPNEGO_REQUIRE_MIC = gssapi.OID.from_int_seq('1.3.6.1.4.1.7165.655.1.2')
SESSION_KEY = gssapi.OID.from_int_seq('1.2.840.113554.1.2.2.5.5')

SIGNED = {gssapi.RequirementFlag.integrity}
SEALED = SIGNED | {gssapi.RequirementFlag.confidentiality}

DOMAIN = 'DOM'
ACCOUNTS = {'alice': 'Secret-1', 'jürgen': 'Größe€'}
TARGET = 'http/server.example'
BINDINGS = b'tls-server-end-point:0123456789abcdef'

SIZES = (0, 1, 15, 16, 17, 4096, 65536)


# ---- their side ----

def gss_bindings(data):
    return data and ChannelBindings(application_data=data, initiator_address_type=0, acceptor_address_type=0)


def gss_initiator(user, password, flags, bindings, mech=NTLMSSP):
    name = gssapi.Name(f'{DOMAIN}\\{user}', gssapi.NameType.user)
    credentials = acquire_cred_with_password(name, password.encode(), mechs=[mech], usage='initiate').creds
    return gssapi.SecurityContext(name=gssapi.Name(TARGET.replace('/', '@'), gssapi.NameType.hostbased_service),
                                  creds=gssapi.Credentials(credentials), mech=mech, usage='initiate', flags=flags,
                                  channel_bindings=gss_bindings(bindings))


def gss_acceptor(bindings, mechs=(NTLMSSP,)):
    return gssapi.SecurityContext(creds=gssapi.Credentials(usage='accept', mechs=mechs), usage='accept',
                                  channel_bindings=gss_bindings(bindings))


@contextlib.contextmanager
def lm_compatibility(level):
    """gss-ntlmssp's own LmCompatibilityLevel; None leaves its default, 3."""
    if level is not None:
        os.environ['LM_COMPAT_LEVEL'] = str(level)
    try:
        yield
    finally:
        os.environ.pop('LM_COMPAT_LEVEL', None)


# ---- exchanges ----

class Exchange:
    """One exchange: `ours` and `theirs` are complete once it is made, unless making it raised."""

    def __init__(self, role, flags=SEALED, user='alice', password=None, our_bindings=None, their_bindings=None,
                 mic=True, alter=lambda number, token: token, **settings):
        self.tokens = []
        self.user, self.password = user, ACCOUNTS[user] if password is None else password
        self.alter, self.mic = alter, mic
        if our_bindings:
            settings['bindings'] = our_bindings
        if role == 'initiator':
            self._initiate(flags, their_bindings, settings)
        else:
            self._accept(flags, their_bindings, settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.__exit__()

    def _pass_on(self, token):
        self.tokens.append(self.alter(len(self.tokens) + 1, token))
        return self.tokens[-1]

    @contextlib.contextmanager
    def _closed_on_error(self):
        try:
            yield
        except Exception:
            self.ours.__exit__()
            raise

    def _initiate(self, flags, their_bindings, settings):
        seal = ISC_REQ_CONFIDENTIALITY if flags == SEALED else 0
        self.ours = Peer('init', user=self.user, domain=DOMAIN, password=self.password, target=TARGET,
                         request=ISC_REQ_INTEGRITY | seal, **settings)
        with self._closed_on_error():
            self.theirs = gss_acceptor(their_bindings)
            challenge = self._pass_on(self.theirs.step(self._pass_on(self.ours.step())))
            self.theirs.step(self._pass_on(self.ours.step(challenge)))

    def _accept(self, flags, their_bindings, settings):
        self.ours = Peer('accept', **settings)
        with self._closed_on_error():
            self.theirs = gss_initiator(self.user, self.password, flags, their_bindings)
            negotiate = self._pass_on(self.theirs.step())
            if self.mic:
                inquire_sec_context_by_oid(self.theirs, SPNEGO_REQUIRE_MIC)
            challenge = self._pass_on(self.ours.step(negotiate))
            expect_equal(self.ours.status, CONTINUE, 'status')
            self.ours.step(self._pass_on(self.theirs.step(challenge)))

    @property
    def authenticate(self):
        return Authenticate(self.tokens[2])


def message(size):
    return bytes((size + 31 * i) & 0xFF for i in range(size))


def exchange_signatures(exchange, sizes=SIZES):
    """Signs messages of all SIZES each way and verifies them."""
    for data in map(message, filter(None, sizes)):
        exchange.ours.verify(data, exchange.theirs.get_signature(data))
        exchange.theirs.verify_signature(data, exchange.ours.sign(data))


def exchange_sealed(exchange, unseal, sizes=SIZES):
    """Seals messages of all SIZES each way; UNSEAL is the method of Peer that takes theirs apart."""
    for data in map(message, sizes):
        expect_equal(exchange.theirs.unwrap(exchange.ours.seal(data)).message, data, 'what they unwrapped')
        if data:
            expect_equal(unseal(exchange.ours, exchange.theirs.wrap(data, True).message), data, 'what we unsealed')


# ---- cases ----

def granted(flags, role):
    """ISC_RET_ or ASC_RET_ flags: both kinds of detection come with integrity."""
    return 0xC | (0x10000 if role == 'initiator' else 0x20000) | (0x10 if flags == SEALED else 0)


def our_names(role, user):
    """A client is who it says; a server names the account of this machine, whatever domain the client claims."""
    return f'{DOMAIN}\\{user}' if role == 'initiator' else local_name(user)


def check_handshake(role, flags, user):
    with Exchange(role, flags, user) as exchange:
        expect_equal(exchange.ours.status, OK, 'status')
        expect_equal(exchange.theirs.complete, True, 'theirs complete')
        expect_equal(exchange.ours.flags(), granted(flags, role), 'flags granted')
        expect_equal(set(exchange.theirs.actual_flags) & SEALED, flags, 'their flags')
        expect_equal(exchange.ours.names(), our_names(role, user), 'names')
        expect_equal(exchange.ours.target_name(), TARGET, 'target')
        expect_equal(exchange.ours.session_key(), inquire_sec_context_by_oid(exchange.theirs, SESSION_KEY)[0], 'key')
        if role == 'initiator':
            expect_equal(str(exchange.theirs.initiator_name).rstrip('\0'), f'{DOMAIN}\\{user}', 'their initiator')


def check_authenticate(role):
    with Exchange(role) as exchange:
        expect_equal(exchange.authenticate.is_v2, True, 'an NTLMv2 response')
        expect_equal(exchange.authenticate.says_mic, True, 'MsvAvFlags says MIC')
        expect_equal(exchange.authenticate.mic != bytes(16), True, 'a MIC')


def check_without_mic():
    with Exchange('acceptor', mic=False) as exchange:
        expect_equal(exchange.authenticate.says_mic, False, 'MsvAvFlags says MIC')
        exchange_sealed(exchange, Peer.unseal, (16,))


def check_signing(role, flags):
    with Exchange(role, flags) as exchange:
        for _ in range(3):
            exchange_signatures(exchange)


def check_sealing(role, unseal):
    with Exchange(role) as exchange:
        for _ in range(3):
            exchange_sealed(exchange, unseal)


def check_both(role):
    """Signing and sealing share the RC4 stream and the sequence number."""
    with Exchange(role) as exchange:
        for size in SIZES:
            exchange_signatures(exchange, (size,))
            exchange_sealed(exchange, Peer.unseal_stream, (size,))


def check_altered_sealed(role):
    """What we refuse leaves our state in place: the true message passes afterwards."""
    with Exchange(role) as exchange:
        wrapped = exchange.theirs.wrap(message(100), True).message
        for at in (4, 12, 16, 115):
            expect_status('SEC_E_MESSAGE_ALTERED', exchange.ours.unseal, altered(wrapped, at))
            expect_status('SEC_E_MESSAGE_ALTERED', exchange.ours.unseal_stream, altered(wrapped, at))
        expect_equal(exchange.ours.unseal(wrapped), message(100), 'the true message')
        expect_status('SEC_E_MESSAGE_ALTERED', exchange.ours.unseal, wrapped)
        sealed = exchange.ours.seal(message(100))
        expect_raises(gssapi.exceptions.GSSError, exchange.theirs.unwrap, altered(sealed, 115))


def check_altered_signed(role):
    with Exchange(role, SIGNED) as exchange:
        data = message(100)
        signature = exchange.theirs.get_signature(data)
        expect_status('SEC_E_MESSAGE_ALTERED', exchange.ours.verify, altered(data, 99), signature)
        expect_status('SEC_E_MESSAGE_ALTERED', exchange.ours.verify, data, altered(signature, 4))
        exchange.ours.verify(data, signature)
        expect_raises(gssapi.exceptions.GSSError, exchange.theirs.verify_signature, altered(data, 99),
                      exchange.ours.sign(data))


def check_refused(role, status='SEC_E_LOGON_DENIED', **settings):
    """The acceptor ends the exchange: we with STATUS, they with an error of GSS."""
    if role == 'acceptor':
        expect_status(status, Exchange, role, **settings)
    else:
        expect_raises(gssapi.exceptions.GSSError, Exchange, role, **settings)


def check_passes(role, **settings):
    with Exchange(role, **settings) as exchange:
        expect_equal(exchange.ours.status, OK, 'status')
        exchange_signatures(exchange, (17,))
        exchange_sealed(exchange, Peer.unseal, (17,))


def check_v1(role, ours, theirs, ess):
    """NTLMv1 where both sides' policies allow it. minimum: without extended session security keys may be weaker."""
    with lm_compatibility(theirs), Exchange(role, level=ours, minimum=0) as exchange:
        expect_equal(exchange.authenticate.is_v2, False, 'an NTLMv2 response')
        expect_equal(exchange.authenticate.ess, ess, 'extended session security')
        for _ in range(3):
            exchange_sealed(exchange, Peer.unseal)
            exchange_signatures(exchange)


def check_v1_refused():
    for level in (0, 1, 2):
        with lm_compatibility(level):
            check_refused('acceptor', minimum=0)


def check_altered_proof(role):
    def alter(number, token):
        return altered(token, Authenticate(token).nt_offset) if number == 3 else token

    check_refused(role, alter=alter)


def check_unknown_user(role):
    ACCOUNTS['mallory'] = 'Secret-3'
    try:
        check_refused(role, user='mallory')
    finally:
        del ACCOUNTS['mallory']


def alter_message(number, at):
    return lambda this, token: altered(token, at) if this == number else token


# ---- all of it ----

def run_cases(results):
    for role in ('initiator', 'acceptor'):
        run_role(results, role)
    results.case('acceptor: a client without MIC', check_without_mic)
    results.case('acceptor: NTLMv1 is refused by default', check_v1_refused)
    for level in (0, 1, 2):
        results.case(f'acceptor: NTLMv1, their level {level}', check_v1, 'acceptor', 3, level, level > 0)
        results.case(f'initiator: NTLMv1, our level {level}', check_v1, 'initiator', level, 1, level > 0)


def run_role(results, role):
    def case(name, function, *arguments, **settings):
        results.case(f'{role}: {name}', function, role, *arguments, **settings)

    case('handshake, sealed', check_handshake, SEALED, 'alice')
    case('handshake, signed only', check_handshake, SIGNED, 'alice')
    case('handshake, names and password outside ASCII', check_handshake, SEALED, 'jürgen')
    case('NTLMv2 with a MIC', check_authenticate)
    case('sign', check_signing, SEALED)
    case('sign, signed only', check_signing, SIGNED)
    case('seal, TOKEN and DATA', check_sealing, Peer.unseal)
    case('seal, STREAM', check_sealing, Peer.unseal_stream)
    case('sign and seal by turns', check_both)
    case('altered sealed messages', check_altered_sealed)
    case('altered signed messages', check_altered_signed)
    case('wrong password', check_refused, password='Secret-2')
    case('password of another case', check_refused, password='secret-1')
    case('the same bindings', check_passes, our_bindings=BINDINGS, their_bindings=BINDINGS)
    case('other bindings', check_refused, 'SEC_E_BAD_BINDINGS', our_bindings=BINDINGS, their_bindings=BINDINGS[1:])
    case('an altered offer', check_refused, 'SEC_E_MESSAGE_ALTERED', alter=alter_message(1, 32))
    case('an altered challenge', check_refused, 'SEC_E_MESSAGE_ALTERED', alter=alter_message(2, 48))
    case('an altered MIC', check_refused, 'SEC_E_MESSAGE_ALTERED', alter=alter_message(3, 72))
    case('an altered proof', check_altered_proof)
    case('an unknown user', check_unknown_user)
    if role == 'initiator':
        case('bindings that only the client has', check_passes, our_bindings=BINDINGS)
    else:
        case('bindings that only the client has', check_passes, their_bindings=BINDINGS)
        case('bindings missing', check_refused, 'SEC_E_BAD_BINDINGS', our_bindings=BINDINGS)
        case('bindings missing, and that allowed', check_passes, our_bindings=BINDINGS,
             request=ASC_REQ_ALLOW_MISSING_BINDINGS)


def make_users(folder):
    """The accounts for gss-ntlmssp, in a file in FOLDER; the environment then names it."""
    users = os.path.join(folder, 'users')
    with open(users, 'w', encoding='utf-8') as file:
        file.writelines(f'{DOMAIN}:{user}:{password}\n' for user, password in ACCOUNTS.items())
    os.environ['NTLM_USER_FILE'] = users


def main():
    if len(sys.argv) > 1:
        sys.exit('usage: gss_ntlmssp.py (COUNTERSIGN_BUILD names the build tree)')
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        make_users(folder)
        make_accounts(folder, ACCOUNTS)
        run_cases(results)
    results.end()


if __name__ == '__main__':
    main()
