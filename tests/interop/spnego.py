#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Our Negotiate against MIT's SPNEGO over gss-ntlmssp, through python3-gssapi, in both roles.

What gss-ntlmssp does of its own way stands in gss_ntlmssp.py. MIT's SPNEGO asks it to promise a MIC, so both of them
come: NTLM's own and the mechListMIC.
"""

import os
import sys
import tempfile

import gssapi
from gssapi.raw import inquire_sec_context_by_oid

from accounts import make_accounts
from gss_ntlmssp import (ACCOUNTS, BINDINGS, DOMAIN, NTLMSSP, SEALED, SESSION_KEY, SIGNED, SIZES, TARGET, Exchange,
                         exchange_sealed, exchange_signatures, gss_acceptor, gss_initiator, lm_compatibility,
                         make_users, our_names)
from ntlm_message import Authenticate, altered
from peer import ASC_REQ_ALLOW_MISSING_BINDINGS, ISC_REQ_CONFIDENTIALITY, ISC_REQ_INTEGRITY, OK, Peer, StatusError
from results import Results, expect_equal
from spnego_message import (MECH_LIST_MIC, NEGOEX, TOKEN, init_fields, mech_token, resp_fields, spoil_mic,
                            with_mechanism, without)

SPNEGO = gssapi.OID.from_int_seq('1.3.6.1.5.5.2')

# Whoever accepts, and whatever the reason: MIT's acceptor rejects, and we pass that on as this.
DENIED = ('SEC_E_LOGON_DENIED', 'SEC_E_LOGON_DENIED')


class Incomplete(Exception):
    """The tokens have ended before both sides were done."""


class Negotiation(Exchange):
    """An exchange with our Negotiate. MECH: what they initiate with; FIRST_WORD: the acceptor begins, with hints."""

    def __init__(self, role, flags=SEALED, mech=SPNEGO, first_word=False, **settings):
        self.mech, self.first_word, self.done = mech, first_word, False
        super().__init__(role, flags, package='Negotiate', **settings)

    def _initiate(self, flags, their_bindings, settings):
        seal = ISC_REQ_CONFIDENTIALITY if flags == SEALED else 0
        self.ours = Peer('init', user=self.user, domain=DOMAIN, password=self.password, target=TARGET,
                         request=ISC_REQ_INTEGRITY | seal, **settings)
        with self._closed_on_error():
            self.theirs = gss_acceptor(their_bindings, (SPNEGO, NTLMSSP))
            self._negotiate(self._step, self.theirs.step)

    def _accept(self, flags, their_bindings, settings):
        self.ours = Peer('accept', **settings)
        with self._closed_on_error():
            self.theirs = gss_initiator(self.user, self.password, flags, their_bindings, self.mech)
            self._negotiate(self.theirs.step, self._step)

    def _step(self, token=b''):
        answer = self.ours.step(token)
        self.done = self.ours.status == OK
        return answer

    def _negotiate(self, initiate, accept):
        """Passes the tokens on until there is none; one more than we need only says that MIT has failed."""
        self.hints = accept(b'') if self.first_word else None
        token, turns = initiate(), (accept, initiate)
        while token:
            take = turns[len(self.tokens) % 2]
            if take == self._step and self.done:
                break
            token = take(self._pass_on(token))
        if not (self.done and self.theirs.complete):
            raise Incomplete(f'done: {("neither", "we", "they")[self.done + 2 * self.theirs.complete]}')


# ---- exchanges that pass ----

def granted(flags, role):
    """As for bare NTLM, but for the initiator's ISC_RET_MUTUAL_AUTH, which Windows's Negotiate gives."""
    return 0xC | (0x10002 if role == 'initiator' else 0x20000) | (0x10 if flags == SEALED else 0)


def check_state(exchange, role, flags, user):
    """Both sides say the same of a finished exchange."""
    expect_equal(exchange.ours.flags(), granted(flags, role), 'flags granted')
    expect_equal(set(exchange.theirs.actual_flags) & SEALED, flags, 'their flags')
    expect_equal(exchange.theirs.mech, NTLMSSP, 'their mechanism')
    expect_equal(exchange.ours.names(), our_names(role, user), 'names')
    expect_equal(exchange.ours.target_name(), TARGET, 'target')
    expect_equal(exchange.ours.session_key(), inquire_sec_context_by_oid(exchange.theirs, SESSION_KEY)[0], 'key')
    if role == 'initiator':
        expect_equal(str(exchange.theirs.initiator_name).rstrip('\0'), f'{DOMAIN}\\{user}', 'their initiator')


def check_handshake(role, flags, user):
    with Negotiation(role, flags, user=user) as exchange:
        check_state(exchange, role, flags, user)


def check_tokens(role):
    """A mechListMIC each way, NTLM's MIC, and no SPNEGO message more than that takes."""
    with Negotiation(role) as exchange:
        fields = [init_fields(exchange.tokens[0])] + [resp_fields(token) for token in exchange.tokens[1:]]
        expect_equal([MECH_LIST_MIC in these for these in fields], [False, False, True, True], 'mechListMIC')
        expect_equal([TOKEN in these for these in fields], [True, True, True, False], 'tokens of NTLM')
        expect_equal(Authenticate(mech_token(fields[2])).says_mic, True, 'MsvAvFlags says MIC')


def exchange_messages(exchange, unseal=Peer.unseal, sizes=SIZES):
    """Signing and sealing by turns, each way."""
    for size in sizes:
        exchange_signatures(exchange, (size,))
        exchange_sealed(exchange, unseal, (size,))


def check_signing(role, flags):
    with Negotiation(role, flags) as exchange:
        for _ in range(3):
            exchange_signatures(exchange)


def check_sealing(role, unseal):
    with Negotiation(role) as exchange:
        for _ in range(3):
            exchange_sealed(exchange, unseal)


def check_both(role):
    with Negotiation(role) as exchange:
        exchange_messages(exchange)
        exchange_messages(exchange, Peer.unseal_stream)


def check_passes(role, **settings):
    with Negotiation(role, **settings) as exchange:
        check_state(exchange, role, SEALED, 'alice')
        exchange_messages(exchange, sizes=(17,))


def check_bare(role, **settings):
    """NTLM's tokens without SPNEGO around them; who expects SPNEGO takes them all the same."""
    with Negotiation(role, **settings) as exchange:
        expect_equal([token[:8] for token in exchange.tokens], [b'NTLMSSP\0'] * 3, 'tokens')
        expect_equal(exchange.ours.names(), our_names(role, 'alice'), 'names')
        exchange_messages(exchange, sizes=(17,))


def check_first_word(role):
    """The acceptor says first what it can (MS-SPNG 2.2.1), as SMB servers do."""
    with Negotiation(role, first_word=True) as exchange:
        expect_equal(bytes(exchange.hints[:1]), b'\x60', 'the tag of the hints')
        check_state(exchange, role, SEALED, 'alice')
        exchange_messages(exchange, sizes=(17,))


def check_v1(role, ours, theirs):
    """NTLMv1 where both sides' policies allow it, without and with extended session security."""
    with lm_compatibility(theirs), Negotiation(role, level=ours, minimum=0) as exchange:
        expect_equal(Authenticate(mech_token(resp_fields(exchange.tokens[2]))).is_v2, False, 'an NTLMv2 response')
        exchange_messages(exchange)


# ---- exchanges that fail ----

def outcome(role, **settings):
    """How an exchange ends: "complete", as it should, a status of ours, or who was done when the tokens ended."""
    try:
        exchange = Negotiation(role, **settings)
    except StatusError as error:
        return error.name
    except gssapi.exceptions.GSSError:
        return 'GSSError'
    except Incomplete as error:
        return str(error)
    with exchange:
        check_state(exchange, role, SEALED, 'alice')
    return 'complete'


def check_outcome(role, ends, **settings):
    """ENDS: how it ends where we are the initiator, and where we are the acceptor."""
    expect_equal(outcome(role, **settings), ends[role == 'acceptor'], 'outcome')


def change(number, function, *arguments):
    """An alter that puts one message through FUNCTION."""
    return lambda this, token: function(token, *arguments) if this == number else token


def check_unknown_user(role):
    ACCOUNTS['mallory'] = 'Secret-3'
    try:
        check_outcome(role, DENIED, user='mallory')
    finally:
        del ACCOUNTS['mallory']


def check_no_downgrade(role, number):
    """Whatever byte of a message is altered: an error, or the very outcome of the exchange without that."""
    with Negotiation(role) as exchange:
        size = len(exchange.tokens[number - 1])
    for at in range(size):
        outcome(role, alter=change(number, altered, at))


# ---- all of it ----

def run_passing(results, role):
    def case(name, function, *arguments, **settings):
        results.case(f'{role}: {name}', function, role, *arguments, **settings)

    case('handshake, sealed', check_handshake, SEALED, 'alice')
    case('handshake, signed only', check_handshake, SIGNED, 'alice')
    case('handshake, names and password outside ASCII', check_handshake, SEALED, 'jürgen')
    case('mechListMIC each way', check_tokens)
    case('sign', check_signing, SEALED)
    case('sign, signed only', check_signing, SIGNED)
    case('seal, TOKEN and DATA', check_sealing, Peer.unseal)
    case('seal, STREAM', check_sealing, Peer.unseal_stream)
    case('sign and seal by turns', check_both)
    case('the same bindings', check_passes, our_bindings=BINDINGS, their_bindings=BINDINGS)
    case('the acceptor speaks first', check_first_word)
    for level in (0, 1, 2):
        ours, theirs = (level, 1) if role == 'initiator' else (3, level)
        case(f"NTLMv1, the client's level {level}", check_v1, ours, theirs)


def run_failing(results, role):
    def case(name, function, *arguments, **settings):
        results.case(f'{role}: {name}', function, role, *arguments, **settings)

    # The first choice was taken, so we ask for no MIC (RFC 4178 5); MIT's initiator does, once it has sent its own.
    optional = ('complete', 'GSSError')
    altered_to_us = ('SEC_E_LOGON_DENIED', 'SEC_E_MESSAGE_ALTERED')
    case('wrong password', check_outcome, DENIED, password='Secret-2')
    case('password of another case', check_outcome, DENIED, password='secret-1')
    case('an unknown user', check_unknown_user)
    case('other bindings', check_outcome, ('SEC_E_LOGON_DENIED', 'SEC_E_BAD_BINDINGS'), our_bindings=BINDINGS,
         their_bindings=BINDINGS[1:])
    # The MIC tells. As initiator we begin again before that, for MIT leaves our token aside.
    case('a mechanism put first', check_outcome, DENIED, alter=change(1, with_mechanism, NEGOEX, True))
    case('a mechanism put last', check_outcome, altered_to_us, alter=change(1, with_mechanism, NEGOEX, False))
    case("the initiator's mechListMIC altered", check_outcome, altered_to_us, alter=change(3, spoil_mic))
    case("the acceptor's mechListMIC altered", check_outcome, ('SEC_E_MESSAGE_ALTERED', 'GSSError'),
         alter=change(4, spoil_mic))
    case("the initiator's mechListMIC removed", check_outcome, optional, alter=change(3, without, MECH_LIST_MIC))
    case("the acceptor's mechListMIC removed", check_outcome, optional, alter=change(4, without, MECH_LIST_MIC))
    case('no last token of NTLM', check_outcome, ('SEC_E_INVALID_TOKEN', 'SEC_E_INVALID_TOKEN'),
         alter=change(3, without, TOKEN))
    for number in (1, 2, 3, 4):
        case(f'any byte of message {number} altered', check_no_downgrade, number)


def run_cases(results):
    for role in ('initiator', 'acceptor'):
        run_passing(results, role)
        run_failing(results, role)
    results.case('initiator: bare NTLM, as the package list says', check_bare, 'initiator', packages='NTLM')
    results.case('acceptor: bare NTLM from their NTLM', check_bare, 'acceptor', mech=NTLMSSP)
    results.case('acceptor: bindings missing', check_outcome, 'acceptor', (None, 'SEC_E_BAD_BINDINGS'),
                 our_bindings=BINDINGS)
    results.case('acceptor: bindings missing, and that allowed', check_passes, 'acceptor', our_bindings=BINDINGS,
                 request=ASC_REQ_ALLOW_MISSING_BINDINGS)


def peers_understand_each_other():
    """MIT's SPNEGO on both sides, without us. With gss-ntlmssp 1.2 and OpenSSL 3.5 (Debian 13) it fails: gss-ntlmssp
    cannot put its RC4 state back after the mechListMIC, so nobody can be told by its answers."""
    user, password = next(iter(ACCOUNTS.items()))
    initiator = gss_initiator(user, password, SEALED, None, SPNEGO)
    acceptor = gss_acceptor(None, (SPNEGO, NTLMSSP))
    try:
        token = initiator.step()
        while token and not (initiator.complete and acceptor.complete):
            token = acceptor.step(token)
            token = initiator.step(token) if token else None
        acceptor.verify_signature(b'message', initiator.get_signature(b'message'))
        return True
    except gssapi.exceptions.GSSError:
        return False


def hide_kerberos(folder):
    """No realm, no ticket, no key: SPNEGO has NTLM alone to offer, whatever the machine is set up for."""
    os.environ['KRB5_CONFIG'] = '/dev/null'
    os.environ['KRB5CCNAME'] = 'FILE:' + os.path.join(folder, 'no-tickets')
    os.environ['KRB5_KTNAME'] = 'FILE:' + os.path.join(folder, 'no-keys')


def main():
    if len(sys.argv) > 1:
        sys.exit('usage: spnego.py (COUNTERSIGN_BUILD names the build tree)')
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        hide_kerberos(folder)
        make_users(folder)
        make_accounts(folder, ACCOUNTS)
        if peers_understand_each_other():
            run_cases(results)
        else:
            results.skip('MIT SPNEGO', 'gss-ntlmssp here fails in SPNEGO with itself on the other side')
    results.end()


if __name__ == '__main__':
    main()
