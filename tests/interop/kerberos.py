#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Our Kerberos against MIT's and Heimdal's GSS-API libraries, in both roles, for each encryption type, with tickets of
Heimdal's KDC and of MIT's; and our Negotiate with Kerberos in it against their SPNEGO.
"""

import sys
import tempfile

from kerberos_exchange import (ASC_INTEGRITY, CONFIDENTIALITY, DELEGATE, GSS_DCE_STYLE, GSS_INTEGRITY,
                               ISC_DCE_STYLE, ISC_INTEGRITY, MUTUAL, ORDERED, REPLAY, Exchange, GssPeer,
                               our_buffers, pass_tokens, receive_dce, receive_iov, receive_iov_trailer, receive_pieces,
                               receive_signature, receive_wrapped, send_dce, send_iov, send_iov_stream, send_pieces,
                               send_signature, send_wrapped)
from kerberos_lacking import IN_ORDER, lacking
from kerberos_world import ETYPES, PASSWORD, USER, HeimdalRealm, MitRealm
from peer import ASC_REQ_ALLOW_MISSING_BINDINGS, ASC_REQ_EXTENDED_ERROR, Peer, StatusError, expect_status
from results import Results, expect_equal, expect_raises

# Each length modulo 16 twice, the sizes around which a DER length or a block changes, and the largest.
SIZES = (*range(34), 63, 64, 127, 128, 255, 256, 4095, 4096, 65535, 65536)
SOME = (*range(18), 255, 4097)
LARGE = 1 << 20
# KRB5KRB_AP_ERR_NOKEY: its words in the error table, and its number, for Heimdal 7.8's GSS-API has no words for it.
NO_KEY = ('Service key not available', str(2529638957))
BINDINGS = b'tls-unique:0123456789'


def data_of(size):
    return bytes(7 * i & 0xFF for i in range(min(size, 256))) * (size // 256 + 1)


# ---- exchanges that pass ----

def check_state(exchange, flags, dce):
    """Both sides say the same of a finished exchange."""
    realm, ours, theirs = exchange.realm, exchange.ours, exchange.theirs
    initiates = exchange.role == 'initiator'
    if not initiates:
        flags |= CONFIDENTIALITY  # both libraries say so in any case
    integrity = ISC_INTEGRITY if initiates else ASC_INTEGRITY
    expect_equal(ours.flags() & ~0x1000, flags | integrity | (ISC_DCE_STYLE if dce else 0), 'flags granted')
    known = MUTUAL | ORDERED | CONFIDENTIALITY | DELEGATE | GSS_INTEGRITY | GSS_DCE_STYLE
    expect_equal(theirs.flags() & known, flags | GSS_INTEGRITY | (GSS_DCE_STYLE if dce else 0), 'their flags')
    expect_equal(ours.etype(), ETYPES[exchange.etype][0], 'encryption type')
    expect_equal(ours.names(), f'{realm.name.split(".")[0]}\\{USER}', 'names')
    expect_equal(ours.target_name(), realm.service(exchange.etype), 'target')
    expect_equal(ours.session_key(), theirs.session_key(), 'key')
    if initiates:
        expect_equal(theirs.names(), f'{USER}@{realm.name}', 'their initiator')


def check_handshake(flags, dce, *where, **settings):
    with Exchange(*where, flags=flags, dce=dce, **settings) as exchange:
        check_state(exchange, flags, dce)
        if dce:
            send_dce(exchange, b'message', True)
            receive_dce(exchange, b'message', True)
        elif flags & CONFIDENTIALITY:
            send_wrapped(exchange, b'message', True)
            receive_wrapped(exchange, b'message', True)
        send_signature(exchange, b'message')
        receive_signature(exchange, b'message')


def check_messages(functions, sizes, *where, **settings):
    """Each size by each function in turn, sealed and not."""
    with Exchange(*where, **settings) as exchange:
        for size in sizes:
            for function, sealed in functions:
                function(exchange, data_of(size)[:size], sealed)


def check_signatures(sizes, *where, **settings):
    with Exchange(*where, **settings) as exchange:
        for size in sizes:
            send_signature(exchange, data_of(size)[:size])
            receive_signature(exchange, data_of(size)[:size])


def check_mixed(*where, **settings):
    """All kinds of token count with the same numbers."""
    with Exchange(*where, **settings) as exchange:
        for size in SOME:
            data = data_of(size)[:size]
            send_wrapped(exchange, data, True)
            send_signature(exchange, data)
            receive_signature(exchange, data)
            receive_wrapped(exchange, data, False)
            send_wrapped(exchange, data, False)
            receive_wrapped(exchange, data, True)


# ---- order ----

def our_tokens(exchange, count):
    return [b''.join(exchange.ours.encrypt(*our_buffers(('data', b'message')))) for _ in range(count)]


def outcomes(take, tokens, order):
    """What taking the tokens in that order ends in, one after the other."""
    found = []
    for number in order:
        try:
            found.append(take(tokens[number]))
        except StatusError as error:
            found.append(error.name)
    return found


def check_sent_order(*where):
    """Gaps and repeats of ours, as they see them: sequence numbers that mean the same."""
    with Exchange(*where) as exchange:
        def take(token):
            exchange.theirs.unwrap(token)
            return exchange.theirs.status
        order, statuses = zip(*IN_ORDER)
        expect_equal(outcomes(take, our_tokens(exchange, 4), order), list(statuses), 'statuses')


def check_received_order(flags, order, refused, *where):
    """REFUSED: which of the places in ORDER get SEC_E_OUT_OF_SEQUENCE."""
    with Exchange(*where, flags=MUTUAL | CONFIDENTIALITY | flags) as exchange:
        def take(token):
            return exchange.ours.decrypt(('stream', token), ('data', b''))[1][1]
        tokens = [exchange.theirs.wrap(b'%d' % number) for number in range(max(order) + 1)]
        wanted = ['SEC_E_OUT_OF_SEQUENCE' if place in refused else b'%d' % number
                  for place, number in enumerate(order)]
        expect_equal(outcomes(take, tokens, order), wanted, 'statuses')


def altered(token, at):
    return token[:at] + bytes((token[at] ^ 1,)) + token[at + 1:]


def check_altered(sealed, *where):
    """Whatever byte of theirs is altered, it is refused, and the message as it was is then taken."""
    with Exchange(*where) as exchange:
        # Nothing vouches for the number in an unsealed token of RC4 (RFC 4757 7.3): it is another, out of order.
        refusals = {'SEC_E_MESSAGE_ALTERED', *(('SEC_E_OUT_OF_SEQUENCE',) if exchange.etype == 'rc4' else ())}
        token = exchange.theirs.wrap(b'a message of some length', sealed)
        for at in range(len(token)):
            error = expect_raises(StatusError, exchange.ours.decrypt, ('stream', altered(token, at)), ('data', b''))
            expect_equal(error.name in refusals, True, f'byte {at} altered: {error.name} expected')
        exchange.ours.decrypt(('stream', token), ('data', b''))


def check_altered_sent(*where):
    """Each byte behind the header matters to them. Without order, which Heimdal looks at before all else."""
    with Exchange(*where, flags=MUTUAL | CONFIDENTIALITY) as exchange:
        for at in range(16, len(our_tokens(exchange, 1)[0])):
            expect_raises(StatusError, exchange.theirs.unwrap, altered(our_tokens(exchange, 1)[0], at))


# ---- bindings, delegation, replays ----

def outcome(*where, **settings):
    try:
        exchange = Exchange(*where, **settings)
    except StatusError as error:
        return error.name
    with exchange:
        send_wrapped(exchange, b'message', True)
    return 'complete'


def check_bindings(ours, theirs, wanted, request, *where):
    settings = {'request': request} if request else {}
    found = outcome(*where, ours={'bindings': ours, **settings} if ours else settings,
                    theirs={'bindings': theirs} if theirs else {})
    expect_equal(found, wanted, 'outcome')


def check_refused(status, *where, **settings):
    expect_equal(outcome(*where, **settings), status, 'outcome')


def check_delegation(*where, **settings):
    """What was delegated is used at once, by whoever got it, for the same service, where it says who delegated it."""
    with Exchange(*where, flags=MUTUAL | ORDERED | CONFIDENTIALITY | DELEGATE, **settings) as exchange:
        realm, library, etype = exchange.realm, exchange.library, exchange.etype
        acting = exchange.theirs if exchange.role == 'initiator' else exchange.ours
        expect_equal(exchange.ours.flags() & DELEGATE, DELEGATE, 'flags granted')
        acting.delegate(realm.principal(etype) if acting is exchange.theirs else realm.service(etype))
        with GssPeer(library, 'accept', realm.environment(library)) as acceptor:
            pass_tokens(acting, acceptor)
            expect_equal(acceptor.names(), f'{USER}@{realm.name}', 'who came')


def check_no_delegation(*where):
    """Nothing is delegated that was not asked for."""
    with Exchange(*where) as exchange:
        acting = exchange.theirs if exchange.role == 'initiator' else exchange.ours
        try:
            acting.delegate('')
        except StatusError:
            return
        raise AssertionError('a credential was delegated')


def check_request_replayed(realm, library, _, etype):
    """Another acceptor of ours knows the request that one has taken."""
    environment = realm.environment('ours')
    with GssPeer(library, 'init', realm.environment(library), target=realm.principal(etype)) as client:
        token = client.step()
    with Peer('accept', environment, package='Kerberos') as first, \
            Peer('accept', environment, package='Kerberos') as second:
        first.step(token)
        expect_status('SEC_E_LOGON_DENIED', second.step, token)


def check_error_received(realm):
    """The KRB-ERROR of a server that is another (KRB_AP_ERR_NOT_US). MIT's acceptor sends such; Heimdal's does not."""
    with Peer('init', realm.environment('ours'), package='Kerberos', target=realm.service('aes256-sha1'),
              request=MUTUAL) as client, GssPeer('mit', 'accept', realm.other_environment('mit')) as server:
        error = expect_raises(StatusError, server.step, client.step())
        expect_status('SEC_E_WRONG_PRINCIPAL', client.step, error.token)


def check_error_sent(realm, library):
    """KRB_AP_ERR_NOKEY from a server of ours that takes no RC4."""
    with GssPeer(library, 'init', realm.environment(library), target=realm.principal('rc4'),
                 request=MUTUAL) as client, \
            Peer('accept', realm.strong_environment('ours'), package='Kerberos',
                 request=ASC_REQ_EXTENDED_ERROR) as server:
        error = expect_raises(StatusError, server.step, client.step())
        answer = expect_raises(StatusError, client.step, error.token)
        expect_equal(any(words in str(answer) for words in NO_KEY), True, f'"{answer}" says so')


def check_explicit(realm, library, role, etype):
    """A user and a password given: the user's own credential cache stays as it was."""
    before = realm.cache('ours')
    with Exchange(realm, library, role, etype, ours={'user': USER, 'domain': realm.name, 'password': PASSWORD}) as it:
        check_state(it, MUTUAL | ORDERED | CONFIDENTIALITY, False)
    expect_equal(realm.cache('ours') == before, True, 'the cache unchanged')


# ---- all of it ----

class Cases:
    """Runs cases of one exchange, but for those that need what the library cannot do."""

    def __init__(self, results, realm, library, role, etype, lacks):
        self.name = f'{realm.name}, {library}, {role}, {etype}'
        self.results, self.where, self.lacks = results, (realm, library, role, etype), lacks

    def __call__(self, name, function, *arguments, needs=None, **settings):
        name = f'{self.name}: {name}'
        if needs in self.lacks:
            self.results.not_compared(name, f'{self.where[1]} fails with itself: {needs}')
        else:
            self.results.case(name, function, *arguments, *self.where, **settings)

    @property
    def rc4(self):
        return self.where[3] == 'rc4'


def run_handshakes(case):
    counts = 'order without mutual authentication' if case.where[2] == 'acceptor' else None
    case('mutual', check_handshake, MUTUAL | ORDERED | CONFIDENTIALITY, False)
    case('not mutual', check_handshake, ORDERED | CONFIDENTIALITY, False, needs=counts)
    case('not mutual, any order', check_handshake, CONFIDENTIALITY, False)
    case('signing alone', check_handshake, MUTUAL | ORDERED, False)
    case('DCE style', check_handshake, MUTUAL | ORDERED | CONFIDENTIALITY, True,
         needs='RC4 in DCE style' if case.rc4 else None)


def both_ways(*functions):
    return [(function, sealed) for sealed in (True, False) for function in functions]


def run_wrap(case):
    case('wrap', check_messages, [(send_wrapped, True), (receive_wrapped, True)], (*SIZES, LARGE))
    case('wrap, not sealed', check_messages, [(send_wrapped, False), (receive_wrapped, False)], (*SIZES, LARGE))
    case('wrap, not mutual', check_messages, both_ways(send_wrapped, receive_wrapped), SOME, flags=CONFIDENTIALITY)
    case('MIC', check_signatures, (*SIZES, LARGE))


def run_iov(case):
    case('wrap_iov, from us', check_messages, both_ways(send_iov), (*SIZES, LARGE))
    case('wrap_iov, to us', check_messages, both_ways(receive_iov), (*SIZES, LARGE))
    case('wrap_iov, STREAM from us', check_messages, both_ways(send_iov_stream), SOME, needs='STREAM')
    case('wrap_iov, TRAILER to us', check_messages, both_ways(receive_iov_trailer), SOME)
    case('wrap_iov, pieces from us', check_messages, both_ways(send_pieces), SOME)
    case('wrap_iov, pieces to us', check_messages, both_ways(receive_pieces), SOME)


def run_dce(case):
    unsealed = None if case.rc4 else 'unsealed in DCE style'
    case('DCE style, from us', check_messages, both_ways(send_dce), SIZES, dce=True,
         needs='RC4 in DCE style' if case.rc4 else None)
    case('DCE style, to us', check_messages, [(receive_dce, True)], SIZES, dce=True)
    case('DCE style, to us, not sealed', check_messages, [(receive_dce, False)], SIZES, dce=True, needs=unsealed)
    case('DCE style, MIC', check_signatures, SIZES, dce=True)


def run_negotiated(case):
    usual = MUTUAL | ORDERED | CONFIDENTIALITY
    case('Negotiate, mutual', check_handshake, usual, False, negotiated=True)
    case('Negotiate, DCE style', check_handshake, usual, True, negotiated=True,
         needs='RC4 in DCE style' if case.rc4 else None)
    case('Negotiate, all kinds by turns', check_mixed, negotiated=True)
    case('Negotiate, delegation', check_delegation, negotiated=True)


def run_order(case):
    case('gaps and repeats sent', check_sent_order, needs='order')
    case('SEQUENCE_DETECT: the next alone', check_received_order, ORDERED, (0, 2, 1, 1, 2, 0), (1, 3, 5))
    case('REPLAY_DETECT: each once', check_received_order, REPLAY, (0, 2, 1, 1, 2, 3), (3, 4))
    case('neither: any', check_received_order, 0, (2, 0, 0, 1), ())
    case('any byte to us altered', check_altered, True)
    case('any byte to us altered, not sealed', check_altered, False)
    case('any byte from us altered', check_altered_sent)


def run_bindings(case):
    ours_initiates = case.where[2] == 'initiator'
    bad = 'GSS_S_BAD_BINDINGS' if ours_initiates else 'SEC_E_BAD_BINDINGS'
    clients, servers = ((BINDINGS, None), (None, BINDINGS)) if ours_initiates else ((None, BINDINGS), (BINDINGS, None))
    case('bindings: the same', check_bindings, BINDINGS, BINDINGS, 'complete', 0)
    case('bindings: others', check_bindings, BINDINGS, BINDINGS[1:], bad, 0)
    case("bindings: the client's alone", check_bindings, *clients, 'complete', 0)
    # Heimdal's lets a client without any pass. MIT's refuses ours, which says that it knows of them; ours refuses both.
    lets_pass = ours_initiates and case.where[1] == 'heimdal'
    case("bindings: the server's alone", check_bindings, *servers, 'complete' if lets_pass else bad, 0)
    if not ours_initiates:
        case("bindings: the server's alone, and that allowed", check_bindings, *servers, 'complete',
             ASC_REQ_ALLOW_MISSING_BINDINGS)


def run_once(case):
    """What does not depend on the encryption type."""
    run_bindings(case)
    case('no delegation', check_no_delegation)
    if case.where[2] == 'initiator':
        case('user and password', check_explicit)
        case('wrong password', check_refused, 'SEC_E_LOGON_DENIED',
             ours={'user': USER, 'domain': case.where[0].name, 'password': PASSWORD + '!'})
    else:
        case('a request replayed to another acceptor of ours', check_request_replayed)


def run_weak(case):
    """RC4 where our krb5.conf has no allow_weak_crypto: no ticket is asked for, and none is opened."""
    case('not allowed', check_refused,
         'SEC_E_KDC_UNKNOWN_ETYPE' if case.where[2] == 'initiator' else 'SEC_E_NO_KERB_KEY', strong=True)


def run_etype(case, thorough):
    run_handshakes(case)
    if case.rc4:
        run_weak(case)
    run_negotiated(case)
    case('delegation', check_delegation)
    case('all kinds by turns', check_mixed)
    if thorough:
        run_wrap(case)
        run_iov(case)
        run_dce(case)
        run_order(case)


def run_realm(results, realm, thorough):
    """All of it; or, of another KDC, what its tickets, session keys and what it forwards can change."""
    for library in ('mit', 'heimdal'):
        lacks = lacking(realm, library)
        for role in ('initiator', 'acceptor'):
            for etype in ETYPES:
                run_etype(Cases(results, realm, library, role, etype, lacks), thorough)
            run_once(Cases(results, realm, library, role, 'aes256-sha1', lacks))


def run_errors(results, realm):
    results.case(f'{realm.name}, mit: KRB-ERROR to us', check_error_received, realm)
    for library in ('mit', 'heimdal'):
        results.case(f'{realm.name}, {library}: KRB-ERROR from us', check_error_sent, realm, library)


def main():
    if len(sys.argv) > 1:
        sys.exit('usage: kerberos.py (COUNTERSIGN_BUILD names the build tree)')
    results = Results()
    for make, name in ((HeimdalRealm, 'HEIMDAL.TEST'), (MitRealm, 'MIT.TEST')):
        with tempfile.TemporaryDirectory() as folder, make(name, folder) as realm:
            run_realm(results, realm, make is HeimdalRealm)
            if make is HeimdalRealm:
                run_errors(results, realm)
    results.end()


if __name__ == '__main__':
    main()
