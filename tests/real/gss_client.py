#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
gss_client.py PORT PACKAGE USER REALM: clients of MIT's and Heimdal's GSS-API log on to gss_server.js with the tickets
of the environment's cache, and talk to it in sealed messages.
"""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))

from kerberos_exchange import COMPLETE, CONFIDENTIALITY, GSS_INTEGRITY, MUTUAL, ORDERED, GssPeer
from peer import expect_status
from results import Results, expect_equal, expect_raises

PORT, PACKAGE, USER, REALM = int(sys.argv[1]), *sys.argv[2:]
REQUEST = MUTUAL | ORDERED | CONFIDENTIALITY | GSS_INTEGRITY
NAME = f'{REALM.split(".", maxsplit=1)[0]}\\{USER}'.encode()
TARGET = f'test/localhost@{REALM}'
# What the addon has a name for, and what it has not.
LOGON_DENIED, OUT_OF_SEQUENCE = 'SEC_E_LOGON_DENIED', '0x80090310'
MESSAGE_ALTERED, WRONG_PRINCIPAL = '0x8009030f', '0x80090322'


class Refused(Exception):
    """The server's status."""


class Client:
    """A connection, and the GSS-API side of it."""

    def __init__(self, library, target=TARGET):
        mech = 'spnego' if PACKAGE == 'Negotiate' else 'kerberos'
        self.gss = GssPeer(library, 'init', None, mech=mech, target=target, request=REQUEST)
        self._socket = socket.create_connection(('127.0.0.1', PORT), timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self.gss.__exit__()

    def ask(self, letter, data):
        """The answer to a frame."""
        self._socket.sendall(letter + struct.pack('>I', len(data)) + data)
        answered, size = struct.unpack('>cI', self._receive(5))
        found = self._receive(size)
        if answered == b'E':
            raise Refused(found.decode())
        expect_equal(answered, letter, 'kind of answer')
        return found

    def log_on(self, token=None):
        """Passes tokens until the client is done."""
        token = token or self.gss.step()
        while token:
            answer = self.ask(b'T', token)
            token = self.gss.step(answer) if answer else b''
        expect_equal(self.gss.status, COMPLETE, 'the client')
        return self

    def say(self, data):
        """A sealed message, and the text that comes back sealed."""
        sealed, found = self.gss.unwrap(self.ask(b'M', self.gss.wrap(data)))
        expect_equal((sealed, self.gss.status), (True, COMPLETE), 'gss_unwrap')
        return found

    def _receive(self, size):
        found = b''
        while len(found) < size:
            more = self._socket.recv(size - len(found))
            if not more:
                raise EOFError('the server has ended the connection')
            found += more
        return found


def altered(data, offset):
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1:]


def refused(status, function, *arguments):
    expect_equal(str(expect_raises(Refused, function, *arguments)), status, 'status')


def check_names(library):
    with Client(library).log_on() as client:
        expect_equal(client.say(b'hello'), NAME + b': hello', 'what the server says')
        expect_equal(client.gss.names(), TARGET, 'whom the client talks to')
        expect_equal(client.gss.flags() & REQUEST, REQUEST, 'flags')


def check_sealed(library):
    with Client(library).log_on() as client:
        for size in (0, 1, 15, 16, 17, 1000, 65537):
            text = bytes(i * 7 & 0xFF for i in range(size))
            expect_equal(client.say(text), NAME + b': ' + text, f'{size} bytes')


def check_messages_altered(library):
    """Each is refused, by both sides, and the same as it was is still good for the server."""
    with Client(library).log_on() as client:
        message = client.gss.wrap(b'pay 100 to Alice')
        for offset in (2, 15, 16, 40, len(message) - 1):
            refused(MESSAGE_ALTERED, client.ask, b'M', altered(message, offset))
        answer = client.ask(b'M', message)
        refused(OUT_OF_SEQUENCE, client.ask, b'M', message)
        expect_equal(client.gss.unwrap(answer), (True, NAME + b': pay 100 to Alice'), 'the answer')
        for offset in (16, 40, -1):  # of one message each: Heimdal counts one before it has verified it
            answer = client.ask(b'M', client.gss.wrap(b'pay 900 to Mallory'))
            expect_status('GSS_S_BAD_SIG', client.gss.unwrap, altered(answer, offset % len(answer)))


def check_tokens_altered(library):
    with Client(library) as client:
        token = client.gss.step()
        refused(LOGON_DENIED, client.ask, b'T', altered(token, len(token) - 8))


def check_token_again(library):
    with Client(library) as client, Client(library) as thief:
        token = client.gss.step()
        client.log_on(token)
        refused(LOGON_DENIED, thief.ask, b'T', token)


def check_other_key(library):
    """A ticket for a service whose key is not in the keytab any more."""
    with Client(library, f'gone/localhost@{REALM}') as client:
        refused(WRONG_PRINCIPAL, client.ask, b'T', client.gss.step())


def main():
    results = Results()
    for library in ('mit', 'heimdal'):
        for what, function in (('names on both sides', check_names),
                               ('sealed messages each way', check_sealed),
                               ('messages altered and repeated', check_messages_altered),
                               ('the token altered on the way', check_tokens_altered),
                               ('the token a second time', check_token_again),
                               ("another service's ticket", check_other_key)):
            results.case(f"{PACKAGE}, {library}'s GSS-API to node-expose-sspi: {what}", function, library)
    results.end()


if __name__ == '__main__':
    main()
