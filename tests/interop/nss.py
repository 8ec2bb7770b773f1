# SPDX-License-Identifier: LGPL-2.1-or-later
"""Schannel's native half against NSS's programs, selfserv and tstclnt, in both roles.

NSS begins no key update, and tstclnt neither ends with its standard input nor, always, with -Q: who wants its
close_notify sends it something."""

import contextlib
import os
import random
import socket
import subprocess
import sys
import tempfile

from openssl import WITHOUT_CHACHA20, WITHOUT_DHE, WITHOUT_ECDHE, WITHOUT_GCM, expect_data, offer_of, text_of
from peer import StatusError, expect_status
from results import Results, expect_equal
from tls_programs import PATIENCE, Connection, CutConnection, Program, TlsPeer, World, client, connect, server

VERSIONS = {'tls1.0': (0x0301, {'init': 0x80, 'accept': 0x40}), 'tls1.1': (0x0302, {'init': 0x200, 'accept': 0x100}),
            'tls1.2': (0x0303, {'init': 0x800, 'accept': 0x400}),
            'tls1.3': (0x0304, {'init': 0x2000, 'accept': 0x1000})}
NEW = ('tls1.2', 'tls1.3')
SIZES = (1, 1000, 16385, 100000)
REQUEST = b'GET data HTTP/1.0\r\n\r\n'
DATA = text_of(1 << 18)
# Version, certificate, what ours goes without, the suite that ours comes to as a client, and as a server: each server
# has its own order.
SUITES = (
    ('tls1.3', 'rsa', 0, 'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'),
    ('tls1.3', 'ecdsa', WITHOUT_GCM, 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'),
    ('tls1.3', 'rsa', WITHOUT_ECDHE, 'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'),
    ('tls1.2', 'rsa', 0, 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'),
    ('tls1.2', 'ecdsa', WITHOUT_GCM, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
     'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'),
    ('tls1.2', 'rsa', WITHOUT_GCM | WITHOUT_CHACHA20, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
     'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'),
    ('tls1.2', 'rsa', WITHOUT_ECDHE, 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384'),
    ('tls1.2', 'rsa', WITHOUT_ECDHE | WITHOUT_DHE, 'TLS_RSA_WITH_AES_128_GCM_SHA256',
     'TLS_RSA_WITH_AES_256_GCM_SHA384'),
    ('tls1.1', 'rsa', 0, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'),
    ('tls1.0', 'ecdsa', 0, 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA'),
    ('tls1.0', 'rsa', WITHOUT_ECDHE, 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA', 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA'),
)
# Groups that ours has no key share of, so that TLS 1.3 takes a HelloRetryRequest.
GROUPS = ('P256', 'P384', 'P521', 'FF2048', 'FF3072')


class Databases(World):
    """Certificates and keys also as NSS keeps them: a database for each, which trusts it, and one of nothing."""

    def __init__(self, folder):
        super().__init__(folder)
        for name in ('rsa', 'ecdsa', 'none'):
            self._run('certutil', '-N', '-d', self._database(name), '--empty-password')
        for name in ('rsa', 'ecdsa'):
            self._openssl('pkcs12', '-export', '-in', name + '.pem', '-inkey', name + '.key', '-name', name, '-passout',
                          'pass:', '-out', name + '.p12')
            self._run('pk12util', '-i', name + '.p12', '-d', self._database(name), '-W', '')
            self._run('certutil', '-M', '-n', name, '-t', 'CT,,', '-d', self._database(name))
        with open(self.path('data'), 'wb') as file:
            file.write(DATA)

    def _database(self, name):
        os.makedirs(self.path('nss-' + name), exist_ok=True)
        return 'sql:nss-' + name

    def _run(self, *arguments):
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)


def selfserv(world, version, *options, certificate='rsa'):
    """A server that answers REQUEST with DATA, behind a header, and then with close_notify."""
    return server(world, program=lambda port: ['stdbuf', '-oL', 'selfserv', '-n', certificate, '-p', str(port), '-d',
                                               'sql:nss-' + certificate, '-H', '1', '-V', f'{version}:{version}',
                                               *options])


def tstclnt_arguments(port, version, *options, certificate='none'):
    return ['tstclnt', '-h', '127.0.0.1', '-p', str(port), '-a', 'localhost', '-d', 'sql:nss-' + certificate, '-o',
            '-V', f'{version}:{version}', *options]


def tstclnt(world, version, *options, certificate='none'):
    return client(world, program=lambda port: tstclnt_arguments(port, version, *options, certificate=certificate))


def our_client(version, **settings):
    return TlsPeer('init', protocols=VERSIONS[version][1]['init'], target='localhost', **settings)


def our_server(world, version, certificate='rsa', **settings):
    return TlsPeer('accept', protocols=VERSIONS[version][1]['accept'], certificate=world.certificate(certificate),
                   **settings)


def fetch(connection, pieces=(REQUEST,)):
    for piece in pieces:
        connection.send(piece)
    answer = connection.receive(len(DATA) + 1000)
    expect_equal(answer.partition(b'\r\n\r\n')[2], DATA, 'the data')
    expect_equal(connection.closed, True, 'close_notify')


def wait_for_client(program):
    """Its report, behind which it shows data."""
    program.wait_for(b'stapled data)\n')


def client_data(world, version, certificate, without, suite):
    with selfserv(world, version, certificate=certificate) as (_, port):
        for size in (1, 5000):
            with our_client(version, without=without) as peer, connect(peer, port) as connection:
                expect_equal(peer.info()[:2], (VERSIONS[version][0], suite), 'what was agreed on')
                fetch(connection, (b'GE', b'T data HTTP/1.0\r\nX: ', text_of(size)[:-1], b'\r\n\r', b'\n'))
                connection.shut_down()


def server_data(world, version, certificate, without, suite):
    with tstclnt(world, version) as (program, stream), \
            our_server(world, version, certificate, without=without) as peer, Connection(peer, stream) as connection:
        connection.handshake()
        expect_equal(peer.info()[:2], (VERSIONS[version][0], suite), 'what was agreed on')
        expect_equal(peer.bytes(5), b'localhost', 'the name that was asked for')
        wait_for_client(program)
        expect_data(connection, program, SIZES)


def client_cut(world, version, seed):
    with selfserv(world, version, '-u') as (_, port), our_client(version) as peer, \
            CutConnection(peer, socket.create_connection(('127.0.0.1', port)), seed) as connection:
        connection.handshake(first=True)
        fetch(connection)


def server_cut(world, version, seed):
    with tstclnt(world, version) as (program, stream), our_server(world, version) as peer, \
            CutConnection(peer, stream, seed) as connection:
        connection.handshake()
        wait_for_client(program)
        expect_data(connection, program, SIZES)


def client_group(world, version, group):
    with selfserv(world, version, '-I', group) as (_, port), our_client(version) as peer, \
            connect(peer, port) as connection:
        fetch(connection)


def server_group(world, version, group):
    with tstclnt(world, version, '-I', group) as (program, stream), our_server(world, version) as peer, \
            Connection(peer, stream) as connection:
        connection.handshake()
        wait_for_client(program)
        expect_data(connection, program, (1000,))


def client_resumes(world, version, options):
    with selfserv(world, version, *options) as (_, port), our_client(version, resume=True) as peer:
        for resumed in (False, True, True):
            with connect(peer, port) as connection:
                expect_equal(peer.info()[2], resumed, 'resumed')
                fetch(connection)
            peer.again()


def server_resumes(world, version, options):
    """tstclnt connects three times; 0-RTT, which it may try, is passed over."""
    with socket.create_server(('127.0.0.1', 0)) as listener, our_server(world, version, resume=True) as peer:
        listener.settimeout(PATIENCE)
        port = listener.getsockname()[1]
        with Program(world, *tstclnt_arguments(port, version, '-Q', '-L', '3', '-u', *options)):
            for resumed in (False, True, True):
                with Connection(peer, listener.accept()[0]) as connection:
                    connection.handshake()
                    expect_equal(peer.info()[2], resumed, 'resumed')
                    with contextlib.suppress(ConnectionError):
                        connection.send(b'done?\n')
                    expect_equal(connection.receive(1), b'', 'data')
                    expect_equal(connection.closed, True, 'close_notify')
                peer.again()


def client_certificate(world, version, options, certificate):
    """-r asks in the first handshake, -rr requires; -rrr and -rrrr do so in a second one."""
    settings = {'certificate': world.certificate(certificate)} if certificate else {}
    with selfserv(world, version, '-v', *options) as (program, port), our_client(version, **settings) as peer, \
            connect(peer, port) as connection:
        fetch(connection)
        if certificate:
            program.wait_for(b'Certificate Validated')


def client_lacks_certificate(world, version, options):
    """The server's alert: bad_certificate, and in TLS 1.3 certificate_required, behind what is a whole handshake to the
    client, whose request may also meet a socket that is closed."""
    with selfserv(world, version, *options) as (_, port), our_client(version) as peer:
        with contextlib.suppress(ConnectionError):
            expect_status('UNKNOWN' if version == 'tls1.2' else 'SEC_E_ILLEGAL_MESSAGE',
                          lambda: fetch(connect(peer, port)))


def server_asks(world, version, certificate):
    options = ('-n', certificate) if certificate != 'none' else ()
    with tstclnt(world, version, *options, certificate=certificate) as (program, stream), \
            our_server(world, version, ask=True) as peer, Connection(peer, stream) as connection:
        connection.handshake()
        if options:
            expect_equal(peer.bytes(0).hex(), world.certificate(certificate).split()[0], 'the chain')
        else:
            expect_status('UNKNOWN', peer.bytes, 0)
        wait_for_client(program)
        expect_data(connection, program, (1000,))


def renegotiation_with_client(world, options, without):
    """Its second handshake is a whole one; in the third it shows the session of the second."""
    with tstclnt(world, 'tls1.2', '-r', '3', *options) as (program, stream), \
            our_server(world, 'tls1.2', without=without, resume=True) as peer, Connection(peer, stream) as connection:
        connection.handshake()
        connection.settle(0.5)
        wait_for_client(program)
        connection.send(b'once more\n')
        program.wait_for(b'once more')
        program.type(b'and back\n')
        expect_equal(connection.receive(9), b'and back\n', 'data')


def client_offers(world, version):
    with selfserv(world, version, '-Q') as (_, port), \
            our_client(version, offer=offer_of(b'h2', b'http/1.1').hex()) as peer, connect(peer, port) as connection:
        expect_equal(peer.info()[3], b'http/1.1', 'the server\'s choice')
        fetch(connection)


def false_start(world, version):
    """In TLS 1.2 the client's data comes with its Finished."""
    with tstclnt(world, version, '-g', '-f') as (program, stream), our_server(world, version) as peer:
        program.type(b'early\n')
        with Connection(peer, stream) as connection:
            connection.handshake()
            expect_equal(connection.receive(6), b'early\n', 'what came first')
            expect_data(connection, program, (1000,))


def fallback(world):
    """TLS_FALLBACK_SCSV (RFC 7507) by a client that could have had TLS 1.3."""
    with tstclnt(world, 'tls1.2', '-K') as (program, stream), \
            TlsPeer('accept', protocols=0x1400, certificate=world.certificate('rsa')) as peer, \
            Connection(peer, stream) as connection:
        try:
            connection.handshake()
        except StatusError as error:
            stream.sendall(bytes.fromhex(str(error).rsplit(' ', 1)[-1]))
        else:
            raise AssertionError('no refusal')
        program.wait_for(b'SSL_ERROR_INAPPROPRIATE_FALLBACK_ALERT')


def keying_material(world, version):
    with selfserv(world, version, '-x', 'EXPERIMENTAL:16') as (program, port), our_client(version) as peer, \
            connect(peer, port) as connection:
        fetch(connection)
        program.wait_for(peer.export(16, 'EXPERIMENTAL').hex(':').encode())


def cases_of_records(results, world):
    for version, certificate, without, as_client, as_server in SUITES:
        results.case(f'client, {version}, {as_client}', client_data, world, version, certificate, without, as_client)
        results.case(f'server, {version}, {as_server}', server_data, world, version, certificate, without, as_server)
    first = int(os.environ.get('COUNTERSIGN_SEED') or random.randrange(1 << 32))
    for version in VERSIONS:
        for seed in (first, first + 1):
            for role, function in (('client', client_cut), ('server', server_cut)):
                results.case(f'{role}, cut at random, {version}, COUNTERSIGN_SEED={seed}', function, world, version,
                             seed)


def cases_of_handshakes(results, world, version):
    for group in GROUPS:
        results.case(f'client, {version}, {group}', client_group, world, version, group)
        results.case(f'server, {version}, {group}', server_group, world, version, group)
    for options in ((), ('-u',)) if version == 'tls1.2' else (('-u',), ('-u', '-Z')):
        results.case(f'client resumes, {version}, {options}', client_resumes, world, version, options)
    for options in ((), ('-Z',)):
        results.case(f'server resumes, {version}, {options}', server_resumes, world, version, options)
    # In TLS 1.3 a second request is for clients that say that they take one, and ours does not.
    for options in (('-r',), ('-r', '-r'), ('-r',) * 3, ('-r',) * 4)[:4 if version == 'tls1.2' else 2]:
        results.case(f'client, its certificate, {version}, {options}', client_certificate, world, version, options,
                     'rsa')
        if len(options) % 2:
            results.case(f'client, no certificate, {version}, {options}', client_certificate, world, version, options,
                         None)
        else:
            results.case(f'client, no certificate, {version}, {options}', client_lacks_certificate, world, version,
                         options)
    for certificate in ('rsa', 'ecdsa', 'none'):
        results.case(f'server asks, {certificate}, {version}', server_asks, world, version, certificate)
    for name, function in (('client, ALPN', client_offers), ('server, data at once', false_start),
                           ('keying material', keying_material)):
        results.case(f'{name}, {version}', function, world, version)


def main():
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        world = Databases(folder)
        cases_of_records(results, world)
        for version in NEW:
            cases_of_handshakes(results, world, version)
        for options in ((), ('-u',)):
            for without in (0, WITHOUT_GCM | WITHOUT_CHACHA20):
                results.case(f'server, renegotiation by the client, {options}, without {without:x}',
                             renegotiation_with_client, world, options, without)
        results.case('server, fallback', fallback, world)
    results.end()


if __name__ == '__main__':
    sys.exit(main())
