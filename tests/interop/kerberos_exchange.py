# SPDX-License-Identifier: LGPL-2.1-or-later
"""An exchange between our Kerberos and a GSS-API library's, and the messages that go each way once it is complete."""

from contextlib import ExitStack

from peer import OK, Peer, Process, built, bytes_of, flattened
from results import expect_equal

DELEGATE, MUTUAL, REPLAY, SEQUENCE, CONFIDENTIALITY = 1, 2, 4, 8, 0x10  # the same in GSS-API and SSPI
GSS_INTEGRITY, GSS_DCE_STYLE = 0x20, 0x1000
ISC_INTEGRITY, ISC_DCE_STYLE = 0x10000, 0x200
ASC_INTEGRITY = 0x20000

ORDERED = REPLAY | SEQUENCE
SECQOP_WRAP_NO_ENCRYPT = 0x80000001
COMPLETE = 'GSS_S_COMPLETE'


class GssPeer(Process):
    """One process of gss_mit or gss_heimdal."""

    failure = 0xFFFF0000

    def __init__(self, library, role, env, **settings):
        super().__init__(built(f'gss_{library}'), role, env, **settings)

    def _ask_sealed(self, command, *arguments):
        words = self._ask(command, *arguments).split()
        return words[0] == '1', [bytes_of(word) for word in words[1:]]

    def wrap(self, data, sealed=True):
        found, (token,) = self._ask_sealed('wrap', int(sealed), data)
        expect_equal(found, sealed, 'gss_wrap: sealed')
        return token

    def unwrap(self, token):
        """Whether TOKEN was sealed, and its data."""
        sealed, (data,) = self._ask_sealed('unwrap', token)
        return sealed, data

    def wrap_iov(self, *buffers, sealed=True):
        """BUFFERS: pairs of type and bytes; returns the bytes of each."""
        found, parts = self._ask_sealed('wrap-iov', int(sealed), *flattened(buffers))
        expect_equal(found, sealed, 'gss_wrap_iov: sealed')
        return parts

    def unwrap_iov(self, *buffers):
        """Whether it was sealed, and the bytes of each buffer."""
        return self._ask_sealed('unwrap-iov', *flattened(buffers))


class Incomplete(Exception):
    """The tokens have ended before both sides were done."""


class Exchange:
    """ROLE is ours; FLAGS are what the initiator asks for, of the names above, with DCE for DCE style. NEGOTIATED: our
    Negotiate and their SPNEGO, around Kerberos. STRONG: we have no allow_weak_crypto, whatever they have."""

    def __init__(self, realm, library, role, etype, flags=MUTUAL | ORDERED | CONFIDENTIALITY, dce=False,
                 negotiated=False, strong=False, ours=None, theirs=None):
        self.realm, self.library, self.role, self.etype, self.dce = realm, library, role, etype, dce
        ours = {'package': 'Negotiate' if negotiated else 'Kerberos', **(ours or {})}
        theirs = {'mech': 'spnego' if negotiated else 'kerberos', **(theirs or {})}
        environment = (realm.strong_environment if strong else realm.environment)('ours')
        initiates = role == 'initiator'
        if initiates:
            request = flags | ISC_INTEGRITY | (ISC_DCE_STYLE if dce else 0)
            ours = {'target': realm.service(etype), 'request': request, **ours}
        else:
            request = flags | GSS_INTEGRITY | (GSS_DCE_STYLE if dce else 0)
            theirs = {'target': realm.principal(etype), 'request': request, **theirs}
        with ExitStack() as stack:
            self.ours = stack.enter_context(Peer('init' if initiates else 'accept', environment, **ours))
            self.theirs = stack.enter_context(
                GssPeer(library, 'accept' if initiates else 'init', realm.environment(library), **theirs))
            pass_tokens(*((self.ours, self.theirs) if initiates else (self.theirs, self.ours)))
            self._stack = stack.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()


def pass_tokens(initiator, acceptor):
    """Runs an exchange to its end."""
    sides, token, turn = (initiator, acceptor), initiator.step(), 1
    while token:
        token = sides[turn % 2].step(token)
        turn += 1
    undone = [name for name, side in zip(('initiator', 'acceptor'), sides) if side.status not in (OK, COMPLETE)]
    if undone:
        raise Incomplete(f'not done: {" ".join(undone)}')


# ---- messages ----

def qop_of(sealed):
    return 0 if sealed else SECQOP_WRAP_NO_ENCRYPT


def our_buffers(*buffers):
    """EncryptMessage's buffers: a padding goes with them, for RC4; AES leaves it empty."""
    return ('token', b''), *buffers, ('padding', b'')


def expect_taken(exchange, found, wanted, what):
    """They took it for what it is, and in its order."""
    expect_equal(found, wanted, what)
    expect_equal(exchange.theirs.status, COMPLETE, f'{what}: status')


def send_wrapped(exchange, data, sealed):
    """EncryptMessage to gss_unwrap."""
    parts = exchange.ours.encrypt(*our_buffers(('data', data)), qop=qop_of(sealed))
    expect_taken(exchange, exchange.theirs.unwrap(b''.join(parts)), (sealed, data), 'gss_unwrap')


def receive_wrapped(exchange, data, sealed):
    """gss_wrap to DecryptMessage with STREAM."""
    qop, (_, found) = exchange.ours.decrypt(('stream', exchange.theirs.wrap(data, sealed)), ('data', b''))
    expect_equal((qop, found), (qop_of(sealed), data), 'DecryptMessage')


def send_signature(exchange, data):
    expect_taken(exchange, exchange.theirs.verify(data, exchange.ours.sign(data)), None, 'gss_verify_mic')


def receive_signature(exchange, data):
    exchange.ours.verify(data, exchange.theirs.sign(data))


def send_iov(exchange, data, sealed):
    """EncryptMessage to gss_unwrap_iov with HEADER, DATA and PADDING, a buffer each."""
    token, body, padding = exchange.ours.encrypt(*our_buffers(('data', data)), qop=qop_of(sealed))
    found, parts = exchange.theirs.unwrap_iov(('header', token), ('data', body), ('padding', padding))
    expect_taken(exchange, (found, parts[1]), (sealed, data), 'gss_unwrap_iov')


def send_iov_stream(exchange, data, sealed):
    """EncryptMessage to gss_unwrap_iov with STREAM."""
    stream = b''.join(exchange.ours.encrypt(*our_buffers(('data', data)), qop=qop_of(sealed)))
    found, parts = exchange.theirs.unwrap_iov(('stream', stream), ('data', b''))
    expect_taken(exchange, (found, parts[1]), (sealed, data), 'gss_unwrap_iov')


def receive_iov(exchange, data, sealed):
    """gss_wrap_iov without a trailer to DecryptMessage with TOKEN, DATA and PADDING."""
    token, body, padding = exchange.theirs.wrap_iov(('header', b''), ('data', data), ('padding', b''), sealed=sealed)
    buffers = ('token', token), ('data', body), ('padding', padding)
    qop, parts = exchange.ours.decrypt(*buffers if padding else buffers[:2])
    expect_equal((qop, parts[1]), (qop_of(sealed), data), 'DecryptMessage')


def receive_iov_trailer(exchange, data, sealed):
    """gss_wrap_iov with a trailer, which rotates nothing, to DecryptMessage with STREAM."""
    parts = exchange.theirs.wrap_iov(('header', b''), ('data', data), ('padding', b''), ('trailer', b''),
                                     sealed=sealed)
    qop, (_, found) = exchange.ours.decrypt(('stream', b''.join(parts)), ('data', b''))
    expect_equal((qop, found), (qop_of(sealed), data), 'DecryptMessage')


def split(data):
    """Three pieces, the second of which is not to be encrypted."""
    return data[:len(data) // 3], b'between ' + data[:5], data[len(data) // 3:]


def send_pieces(exchange, data, sealed):
    """Two DATA with one between them that is only signed."""
    first, signed, last = split(data)
    token, *body, padding = exchange.ours.encrypt(
        *our_buffers(('data', first), ('checked', signed), ('data', last)), qop=qop_of(sealed))
    found, parts = exchange.theirs.unwrap_iov(('header', token), ('data', body[0]), ('sign-only', signed),
                                              ('data', body[2]), ('padding', padding))
    expect_taken(exchange, (found, parts[1], parts[3]), (sealed, first, last), 'gss_unwrap_iov')


def receive_pieces(exchange, data, sealed):
    first, signed, last = split(data)
    token, *body, padding = exchange.theirs.wrap_iov(('header', b''), ('data', first), ('sign-only', signed),
                                                     ('data', last), ('padding', b''), sealed=sealed)
    buffers = ('token', token), ('data', body[0]), ('checked', signed), ('data', body[2]), ('padding', padding)
    qop, parts = exchange.ours.decrypt(*buffers if padding else buffers[:4])
    expect_equal((qop, parts[1], parts[3]), (qop_of(sealed), first, last), 'DecryptMessage')


HEAD, TRAILER = b'the header of a PDU.....', b'its sec_trailer.'


def their_dce(peer, data, sealed):
    """The token of a PDU of theirs, and its encrypted body."""
    token, _, body, _ = peer.wrap_iov(('header', b''), ('sign-only', HEAD), ('data', data), ('sign-only', TRAILER),
                                      sealed=sealed)
    return token, body


def take_dce(peer, token, body):
    """Whether a PDU was sealed, and its body, by gss_unwrap_iov."""
    sealed, parts = peer.unwrap_iov(('header', token), ('sign-only', HEAD), ('data', body), ('sign-only', TRAILER))
    return sealed, parts[2]


def send_dce(exchange, data, sealed):
    """A PDU as Windows's RPC lays it out, the token last."""
    _, body, _, token = exchange.ours.encrypt(('checked', HEAD), ('data', data), ('checked', TRAILER), ('token', b''),
                                              qop=qop_of(sealed))
    expect_taken(exchange, take_dce(exchange.theirs, token, body), (sealed, data), 'gss_unwrap_iov')


def receive_dce(exchange, data, sealed):
    token, body = their_dce(exchange.theirs, data, sealed)
    qop, parts = exchange.ours.decrypt(('checked', HEAD), ('data', body), ('checked', TRAILER), ('token', token))
    expect_equal((qop, parts[1]), (qop_of(sealed), data), 'DecryptMessage')
