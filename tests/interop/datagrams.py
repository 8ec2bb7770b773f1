# SPDX-License-Identifier: LGPL-2.1-or-later
"""Schannel's DTLS against OpenSSL's and GnuTLS's programs, in both roles, on networks that are good and bad."""

import contextlib
import random
import re
import socket
import struct
import sys
import tempfile
import time

from peer import StatusError
from results import Results, expect_equal, shorten
from tls_programs import CONTINUE, PATIENCE, Program, TlsPeer, World, free_port

DTLS1_2 = {'init': 0x80000, 'accept': 0x40000}
DTLS1_0 = {'init': 0x20000, 'accept': 0x10000}
WITHOUT_AES256, WITHOUT_GCM, WITHOUT_CHACHA20, WITHOUT_DHE, WITHOUT_ECDHE = 2, 4, 16, 0x80, 0x100
FRAGMENT = 'SEC_I_MESSAGE_FRAGMENT'
# OpenSSL's programs have SHA-1 only where nobody asks for security.
OLD = ('-dtls1', '-cipher', 'DEFAULT@SECLEVEL=0')
NEW = ('-dtls1_2',)
VERSIONS = {'-dtls1': (0xfeff, DTLS1_0, OLD), '-dtls1_2': (0xfefd, DTLS1_2, NEW)}
SUITES = (
    ('-dtls1_2', 'rsa', 0, 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'),
    ('-dtls1_2', 'ecdsa', WITHOUT_AES256, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'),
    ('-dtls1_2', 'rsa', WITHOUT_GCM, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'),
    ('-dtls1_2', 'rsa', WITHOUT_GCM | WITHOUT_CHACHA20, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384'),
    ('-dtls1_2', 'rsa', WITHOUT_ECDHE, 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384'),
    ('-dtls1', 'rsa', 0, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'),
    ('-dtls1', 'ecdsa', WITHOUT_AES256, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'),
)


class Datagrams:
    """Our side over a socket, called as a Windows program would; LOSS of what it sends and gets is lost."""

    def __init__(self, peer, endpoint, loss=0.0, seed=0):
        self.peer, self.endpoint, self.loss = peer, endpoint, loss
        self.random = random.Random(seed)
        self.data = []
        self.closed = False
        self.lost = self.largest = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.endpoint.close()

    def _is_lost(self):
        lost = self.random.random() < self.loss
        self.lost += lost
        return lost

    def _transmit(self, datagram):
        self.largest = max(self.largest, len(datagram))
        if not self._is_lost():
            self.endpoint.send(datagram)

    def _receive(self, seconds):
        """What comes in that time, or None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.endpoint.settimeout(left)
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                datagram = self.endpoint.recv(65536)
                if not self._is_lost():
                    return datagram
        return None

    def leg(self, *datagram):
        consumed, token = self.peer.leg(*datagram)
        if token:
            self._transmit(token)
        while self.peer.status == FRAGMENT:
            _, token = self.peer.leg()
            self._transmit(token)
        return consumed

    def handshake(self, first=False):
        """Legs until it is through, in time; FIRST: ours begins."""
        end = time.monotonic() + PATIENCE
        self.peer.status = CONTINUE
        begun = first
        if first:
            self.leg()
        while self.peer.status == CONTINUE:
            if time.monotonic() > end:
                raise TimeoutError('no handshake')
            datagram = self._receive(0.4)
            if datagram is not None or begun:
                self._take_leg(datagram)
                begun = True
        return self

    def _take_leg(self, datagram):
        """What is behind the handshake's last record is data already."""
        if datagram is None:
            self.leg()
            return
        rest = datagram[self.leg(datagram):]
        if rest:
            self._decrypt(rest)

    def send(self, data):
        self._transmit(self.peer.encrypt(data))

    def _decrypt(self, datagram):
        while datagram:
            try:
                status, extra, data = self.peer.decrypt(datagram)
            except StatusError as error:
                if error.name in ('SEC_E_MESSAGE_ALTERED', 'SEC_E_OUT_OF_SEQUENCE'):
                    return
                raise
            if status == 'SEC_I_CONTEXT_EXPIRED':
                self.closed = True
                return
            if status == 'SEC_I_RENEGOTIATE':
                self.leg(datagram)
                return
            if data:
                self.data.append(data)
            datagram = datagram[len(datagram) - extra:] if extra else b''

    def receive(self, seconds=PATIENCE):
        """The next datagram's data; None: none in that time."""
        end = time.monotonic() + seconds
        while not self.data and not self.closed and time.monotonic() < end:
            datagram = self._receive(max(end - time.monotonic(), 0.01))
            if datagram:
                self._decrypt(datagram)
        return self.data.pop(0) if self.data else None

    def shut_down(self):
        self.peer.shutdown()
        self.leg()


@contextlib.contextmanager
def server(world, ready, *arguments):
    """A program that serves; READY is what it says then."""
    with Program(world, *arguments) as running:
        running.wait_for(ready)
        yield running


def openssl_server(world, port, certificate, *options):
    chain, key = world.files(certificate)
    return server(world, b'ACCEPT', 'openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-cert', chain, '-key', key,
                  *options)


def connect(peer, port, **settings):
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint.connect(('127.0.0.1', port))
    return Datagrams(peer, endpoint, **settings).handshake(first=True)


@contextlib.contextmanager
def accept(world, peer, arguments, cookies=True, **settings):
    """A client program, ARGUMENTS of the port, and our end; its handshake is through."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as endpoint:
        endpoint.bind(('127.0.0.1', 0))
        endpoint.settimeout(PATIENCE)
        with Program(world, *arguments(endpoint.getsockname()[1])) as running:
            _, address = endpoint.recvfrom(65536, socket.MSG_PEEK)
            endpoint.connect(address)
            if cookies:
                peer.come_from(f'{address[0]}:{address[1]}'.encode())
            yield running, Datagrams(peer, endpoint, **settings).handshake()


def openssl_client(*options):
    return lambda port: ['openssl', 's_client', '-connect', f'127.0.0.1:{port}', *options]


def expect_data(connection, program, sizes=(1, 2, 100, 900)):
    """Lines of each size, each way; PROGRAM shows on its output what it receives."""
    for size in sizes:
        line = (b'%04d' % size + b'0123456789abcdef' * 64)[:size] + b'\n'
        connection.send(line)
        program.wait_for(line)
        program.type(line)
        expect_equal(connection.receive(), line, f'{size} bytes from the other side')


def client_data(world, version, certificate, without, suite):
    wire, protocols, options = VERSIONS[version]
    port = free_port()
    with openssl_server(world, port, certificate, *options) as program, \
            TlsPeer('init', protocols=protocols['init'], without=without, datagram=0, target='localhost') as peer, \
            connect(peer, port) as connection:
        expect_equal(peer.info()[:2], (wire, suite), 'what was agreed on')
        expect_data(connection, program)
        connection.shut_down()
        program.wait_for(b'DONE')


def server_data(world, version, certificate, without, suite, cookies=True):
    wire, protocols, options = VERSIONS[version]
    with TlsPeer('accept', protocols=protocols['accept'], without=without, datagram=0,
                 certificate=world.certificate(certificate)) as peer, \
            accept(world, peer, openssl_client(*options), cookies) as (program, connection):
        expect_equal(peer.info()[:2], (wire, suite), 'what was agreed on')
        program.wait_for(b'Verify return code')
        expect_data(connection, program)
        connection.shut_down()
        program.wait_for(b'closed')


def client_with_cookie(world):
    port = free_port()
    with openssl_server(world, port, 'rsa', *NEW, '-listen') as program, \
            TlsPeer('init', protocols=DTLS1_2['init'], datagram=0, target='localhost') as peer, \
            connect(peer, port) as connection:
        expect_data(connection, program)


def client_certificate(world):
    port = free_port()
    with openssl_server(world, port, 'rsa', *NEW, '-Verify', '1') as program, \
            TlsPeer('init', protocols=DTLS1_2['init'], datagram=500, certificate=world.certificate('ecdsa')) as peer, \
            connect(peer, port) as connection:
        expect_data(connection, program, (1, 300))
        program.wait_for(b'Client certificate')


def server_asks(world):
    options = [*NEW, '-cert', world.path('ecdsa.pem'), '-key', world.path('ecdsa.key')]
    with TlsPeer('accept', protocols=DTLS1_2['accept'], ask=True, datagram=500,
                 certificate=world.certificate('rsa')) as peer, \
            accept(world, peer, openssl_client(*options)) as (program, connection):
        expect_equal(peer.bytes(0).hex(), world.certificate('ecdsa').split()[0], 'the chain')
        expect_data(connection, program, (1, 300))


def client_resumes(world):
    port = free_port()
    with openssl_server(world, port, 'rsa', *NEW) as program, \
            TlsPeer('init', protocols=DTLS1_2['init'], resume=True, datagram=0, target='localhost') as peer:
        for resumed in (False, True):
            with connect(peer, port) as connection:
                expect_equal(peer.info()[2], resumed, 'resumed')
                expect_data(connection, program, (1,))
                connection.shut_down()
                time.sleep(0.5)
            peer.again()


def server_resumes(world):
    session = world.path('datagram-session')
    with TlsPeer('accept', protocols=DTLS1_2['accept'], resume=True, datagram=0,
                 certificate=world.certificate('rsa')) as peer:
        for option, resumed in (('-sess_out', False), ('-sess_in', True)):
            with accept(world, peer, openssl_client(*NEW, option, session)) as (program, connection):
                expect_equal(peer.info()[2], resumed, 'resumed')
                expect_data(connection, program, (1,))
                connection.shut_down()
                program.process.wait(PATIENCE)
            peer.again()


SRTP_LABEL, SRTP_BYTES, SRTP = 'EXTRACTOR-dtls_srtp', 60, 9  # SRTP: tls.h's TLS_SRTP
SRTP_NAMES = {0: None, 1: 'SRTP_AES128_CM_SHA1_80', 2: 'SRTP_AES128_CM_SHA1_32', 7: 'SRTP_AEAD_AES_128_GCM',
              8: 'SRTP_AEAD_AES_256_GCM'}
# What each side offers, numbers here and OpenSSL's names there, and what comes out: OpenSSL's order decides in either role.
SRTP_CASES = {
    'init': (((1,), 'SRTP_AES128_CM_SHA1_80', 1), ((1, 2), 'SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80', 2),
             ((1, 7), 'SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80', 7), ((2,), 'SRTP_AES128_CM_SHA1_80', 0)),
    'accept': (((1,), 'SRTP_AES128_CM_SHA1_80', 1), ((1, 2), 'SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80', 2),
               ((1, 8), 'SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80', 8), ((2,), 'SRTP_AES128_CM_SHA1_80', 0)),
}


def srtp_profiles(numbers):
    """SEC_SRTP_PROTECTION_PROFILES"""
    return struct.pack(f'<H{len(numbers)}H', 2 * len(numbers), *numbers)


def srtp_options(theirs):
    return [*NEW, '-use_srtp', theirs, '-keymatexport', SRTP_LABEL, '-keymatexportlen', str(SRTP_BYTES)]


def expect_srtp(peer, program, profile):
    """Both sides have agreed on PROFILE, and on keys."""
    program.wait_for(b'Keying material: ' + peer.export(SRTP_BYTES, SRTP_LABEL).hex().upper().encode())
    expect_equal(int.from_bytes(peer.bytes(SRTP), 'little'), profile, 'the profile here')
    there = re.search(rb'SRTP Extension negotiated, profile=(\S+)', program.output())
    expect_equal(there and there[1].decode(), SRTP_NAMES[profile], 'the profile there')


def srtp(world, role, ours, theirs, profile):
    with contextlib.ExitStack() as stack:
        settings = {'protocols': DTLS1_2[role], 'datagram': 0, 'srtp': srtp_profiles(ours)}
        if role == 'init':
            port = free_port()
            program = stack.enter_context(openssl_server(world, port, 'rsa', *srtp_options(theirs)))
            peer = stack.enter_context(TlsPeer('init', target='localhost', **settings))
            connection = stack.enter_context(connect(peer, port))
        else:
            peer = stack.enter_context(TlsPeer('accept', certificate=world.certificate('rsa'), **settings))
            program, connection = stack.enter_context(accept(world, peer, openssl_client(*srtp_options(theirs))))
        expect_srtp(peer, program, profile)
        expect_data(connection, program, (1, 300))


def small_datagrams(world, role):
    with contextlib.ExitStack() as stack:
        if role == 'init':
            port = free_port()
            stack.enter_context(openssl_server(world, port, 'rsa', *NEW, '-mtu', '300'))
            peer = stack.enter_context(TlsPeer('init', protocols=DTLS1_2['init'], datagram=256, target='localhost'))
            connection = stack.enter_context(connect(peer, port))
        else:
            peer = stack.enter_context(TlsPeer('accept', protocols=DTLS1_2['accept'], datagram=256,
                                               certificate=world.certificate('rsa')))
            _, connection = stack.enter_context(accept(world, peer, openssl_client(*NEW)))
        connection.send(b'x' * 150)
        if connection.largest > 256:
            raise AssertionError(f'a datagram of {connection.largest} bytes')


def gets_through(connection, program, side, line):
    """Whether LINE comes in time, while what the other side sends once more of its handshake is taken. GnuTLS begins
    to wait anew with whatever comes, so that data all the time would keep it from that."""
    for _ in range(13):
        came = connection.receive(0.1)
        if came if side == 'ours' else line in program.output():
            return True
    return False


def expect_survives(connection, program):
    """Data gets through, each way, now and then."""
    for side, send in (('theirs', connection.send), ('ours', program.type)):
        for number in range(12):
            line = b'%s %d\n' % (side.encode(), number)
            send(line)
            if gets_through(connection, program, side, line):
                break
        else:
            raise AssertionError(f'no data, {side}: {shorten(program.output()[-200:])}')
    if not connection.lost:
        raise AssertionError('nothing was lost')


def client_with_losses(world, seed, kind):
    port = free_port()
    chain, key = world.files('rsa')
    arguments = {
        'openssl': (b'ACCEPT', 'openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-cert', chain, '-key', key,
                    *NEW, '-mtu', '400'),
        'gnutls': (b'listening', 'gnutls-serv', '--udp', '--echo', '--mtu', '400', '--port', str(port),
                   '--x509certfile', chain, '--x509keyfile', key),
    }[kind]
    with server(world, *arguments) as program, \
            TlsPeer('init', protocols=DTLS1_2['init'], datagram=400, target='localhost') as peer, \
            connect(peer, port, loss=0.2, seed=seed) as connection:
        connection.loss = 0.1
        if kind == 'openssl':
            expect_survives(connection, program)
        else:
            expect_echo(connection)


def server_with_losses(world, seed, kind):
    arguments = openssl_client(*NEW, '-mtu', '400') if kind == 'openssl' else gnutls_client_arguments('DTLS1.2')
    with TlsPeer('accept', protocols=DTLS1_2['accept'], datagram=400, certificate=world.certificate('rsa')) as peer, \
            accept(world, peer, arguments, loss=0.2, seed=seed) as (program, connection):
        connection.loss = 0.1
        expect_survives(connection, program)


def expect_echo(connection):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        connection.send(b'a line\n')
        if connection.receive(0.3) == b'a line\n':
            return
    raise AssertionError('no echo')


def gnutls_priority(version):
    return f'NORMAL:-VERS-ALL:+VERS-{version}'


def gnutls_client_arguments(version):
    return lambda port: ['gnutls-cli', '--udp', '--insecure', '--no-ca-verification', '--port', str(port),
                         '--priority', gnutls_priority(version), '127.0.0.1']


def gnutls_server(world, version, protocols):
    port = free_port()
    chain, key = world.files('rsa')
    with server(world, b'listening', 'gnutls-serv', '--udp', '--echo', '--port', str(port), '--x509certfile', chain,
                '--x509keyfile', key, '--priority', gnutls_priority(version)), \
            TlsPeer('init', protocols=protocols['init'], datagram=0, target='localhost') as peer, \
            connect(peer, port) as connection:
        expect_echo(connection)
        connection.shut_down()


def gnutls_client(world, version, protocols):
    with TlsPeer('accept', protocols=protocols['accept'], datagram=0, certificate=world.certificate('ecdsa')) as peer, \
            accept(world, peer, gnutls_client_arguments(version)) as (program, connection):
        program.wait_for(b'Handshake was completed')
        connection.send(b'to them\n')
        program.wait_for(b'to them')
        program.type(b'to us\n')
        expect_equal(connection.receive(), b'to us\n', 'data')


def main():
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        for version, certificate, without, suite in SUITES:
            for role, function in (('client', client_data), ('server', server_data)):
                results.case(f'DTLS {role}, {version}, {suite}', function, world, version, certificate, without, suite)
        results.case('DTLS server without cookies', server_data, world, *SUITES[0], False)
        for name, function in (('client, cookie', client_with_cookie), ('client, its certificate', client_certificate),
                               ('server asks', server_asks), ('client resumes', client_resumes),
                               ('server resumes', server_resumes)):
            results.case(f'DTLS {name}', function, world)
        for role, cases in SRTP_CASES.items():
            for ours, theirs, profile in cases:
                results.case(f'SRTP, {role}, {ours}, {theirs}', srtp, world, role, ours, theirs, profile)
        for role in ('init', 'accept'):
            results.case(f'DTLS small datagrams, {role}', small_datagrams, world, role)
        for version, protocols in (('DTLS1.2', DTLS1_2), ('DTLS1.0', DTLS1_0)):
            results.case(f'gnutls-serv, {version}', gnutls_server, world, version, protocols)
            results.case(f'gnutls-cli, {version}', gnutls_client, world, version, protocols)
        for kind in ('openssl', 'gnutls'):
            for seed in (1, 2, 4, 9):
                results.case(f'DTLS client, losses, {kind}, {seed}', client_with_losses, world, seed, kind)
                results.case(f'DTLS server, losses, {kind}, {seed}', server_with_losses, world, seed, kind)
    results.end()


if __name__ == '__main__':
    sys.exit(main())
