# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a GSS-API library cannot do even with itself on the other side, so that nobody can be told by its answers. Heimdal
7.8 fails in all of these: its gss_unwrap_iov takes no STREAM and no token of RC4 in DCE style, its gss_wrap_iov makes
no unsealed one in DCE style, gss_unwrap withholds what came after a gap and fails for what comes late, and an initiator
without mutual authentication counts the acceptor's messages from zero, where both ends begin with the initiator's
number (RFC 4121 4.1.1, as RFC 1964 1.1.1).
"""

from kerberos_exchange import (CONFIDENTIALITY, GSS_DCE_STYLE, GSS_INTEGRITY, MUTUAL, ORDERED, GssPeer, pass_tokens,
                               take_dce, their_dce)
from peer import StatusError
from results import expect_equal

DATA = b'message'
IN_ORDER = [(0, 'GSS_S_COMPLETE'), (2, 'GSS_S_GAP_TOKEN'), (1, 'GSS_S_UNSEQ_TOKEN'), (2, 'GSS_S_DUPLICATE_TOKEN'),
            (3, 'GSS_S_COMPLETE')]


def check_stream(initiator, acceptor):
    found = acceptor.unwrap_iov(('stream', initiator.wrap(DATA)), ('data', b''))
    expect_equal(found[1][1], DATA, 'gss_unwrap_iov')


def check_dce_unsealed(initiator, acceptor):
    expect_equal(take_dce(acceptor, *their_dce(initiator, DATA, False)), (False, DATA), 'gss_unwrap_iov')


def check_dce(initiator, acceptor):
    expect_equal(take_dce(acceptor, *their_dce(initiator, DATA, True)), (True, DATA), 'gss_unwrap_iov')


def check_order(initiator, acceptor):
    tokens = [initiator.wrap(DATA) for _ in range(4)]
    for number, status in IN_ORDER:
        acceptor.unwrap(tokens[number])
        expect_equal(acceptor.status, status, 'status')


def check_backwards(initiator, acceptor):
    expect_equal(initiator.unwrap(acceptor.wrap(DATA)), (True, DATA), 'gss_unwrap')


USUAL = MUTUAL | ORDERED | CONFIDENTIALITY | GSS_INTEGRITY

# By name: how to find out, the flags to ask for, and whether it is about RC4.
FEATURES = {
    'STREAM': (check_stream, USUAL, False),
    'unsealed in DCE style': (check_dce_unsealed, USUAL | GSS_DCE_STYLE, False),
    'RC4 in DCE style': (check_dce, USUAL | GSS_DCE_STYLE, True),
    'order': (check_order, USUAL, False),
    'order without mutual authentication': (check_backwards, USUAL & ~MUTUAL, False),
}


def works(realm, library, check, flags, rc4):
    """RC4 takes an initiator that can be kept from offering better: Heimdal's; the acceptor is who is asked about."""
    etype, initiates = ('rc4', 'heimdal') if rc4 else ('aes256-sha1', library)
    environment = realm.rc4_environment(initiates) if rc4 else realm.environment(initiates)
    with GssPeer(initiates, 'init', environment, target=realm.principal(etype), request=flags) as initiator, \
            GssPeer(library, 'accept', realm.environment(library)) as acceptor:
        pass_tokens(initiator, acceptor)
        try:
            check(initiator, acceptor)
        except (StatusError, AssertionError):
            return False
    return True


def lacking(realm, library):
    """The names of what LIBRARY cannot do."""
    return {name for name, how in FEATURES.items() if not works(realm, library, *how)}
