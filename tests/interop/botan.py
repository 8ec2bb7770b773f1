# SPDX-License-Identifier: LGPL-2.1-or-later
"""Schannel's native half against Botan's programs, tls_server and tls_client, in both roles.

Botan's second major version, Debian 12's, has TLS 1.0 to 1.2; the third one has left out what is older than 1.2, and
takes no options for it. Its programs ask for no certificate, have none as clients, and begin no other handshake."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time

from openssl import WITHOUT_CHACHA20, WITHOUT_DHE, WITHOUT_ECDHE, WITHOUT_GCM, expect_data, offer_of, text_of
from results import Results, expect_equal
from tls_programs import Connection, CutConnection, TlsPeer, World, client, connect, server

VERSIONS = {'tls1.0': (0x0301, {'init': 0x80, 'accept': 0x40}), 'tls1.1': (0x0302, {'init': 0x200, 'accept': 0x100}),
            'tls1.2': (0x0303, {'init': 0x800, 'accept': 0x400})}
WITHOUT_AEAD, WITHOUT_SHA1, WITHOUT_SHA384 = WITHOUT_GCM | WITHOUT_CHACHA20, 0x20, 0x1000
SIZES = (1, 1000, 16385, 100000)
# Botan's settings; its own allow no CBC, no old versions, and no exchange by RSA.
POLICY = {'allow_tls10': 'true', 'allow_tls11': 'true', 'allow_tls12': 'true', 'allow_tls13': 'false',
          'ciphers': 'AES-256/GCM AES-128/GCM ChaCha20Poly1305 AES-256 AES-128', 'macs': 'AEAD SHA-384 SHA-256 SHA-1',
          'signature_hashes': 'SHA-512 SHA-384 SHA-256 SHA-1', 'signature_methods': 'ECDSA RSA IMPLICIT',
          'key_exchange_methods': 'ECDH DH RSA', 'negotiate_encrypt_then_mac': 'true',
          'minimum_signature_strength': '80',
          'key_exchange_groups': 'x25519 secp256r1 secp384r1 secp521r1 ffdhe/ietf/2048'}
MAC_FIRST = {'negotiate_encrypt_then_mac': 'false'}
# Version, certificate, what ours goes without, what else Botan is told, the suite.
SUITES = (
    ('tls1.2', 'rsa', 0, {}, 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'),
    ('tls1.2', 'ecdsa', 0, {'ciphers': 'AES-128/GCM'}, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'),
    ('tls1.2', 'rsa', WITHOUT_GCM, {}, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'),
    ('tls1.2', 'rsa', WITHOUT_AEAD, {}, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384'),
    ('tls1.2', 'rsa', WITHOUT_AEAD, MAC_FIRST, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384'),
    ('tls1.2', 'ecdsa', WITHOUT_AEAD | WITHOUT_SHA384 | WITHOUT_SHA1, {}, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'),
    ('tls1.2', 'rsa', WITHOUT_ECDHE, {}, 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384'),
    ('tls1.2', 'rsa', WITHOUT_ECDHE | WITHOUT_DHE, {}, 'TLS_RSA_WITH_AES_256_GCM_SHA384'),
    ('tls1.1', 'rsa', 0, {}, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'),
    ('tls1.1', 'ecdsa', 0, MAC_FIRST, 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA'),
    ('tls1.0', 'rsa', 0, MAC_FIRST, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'),
    ('tls1.0', 'ecdsa', 0, {'ciphers': 'AES-128'}, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'),
    ('tls1.0', 'rsa', WITHOUT_ECDHE | WITHOUT_DHE, {}, 'TLS_RSA_WITH_AES_256_CBC_SHA'),
)
GROUPS = ('x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'ffdhe/ietf/2048')
HASHES = ('SHA-512', 'SHA-256')


class IssuedWorld(World):
    """Botan 3 trusts no server that is its own root."""

    def _make(self, name, kind, *options):
        super()._make(name + '-root', kind, *options)
        with open(self.path('names'), 'w', encoding='ascii') as file:
            file.write('subjectAltName = DNS:localhost\n')
        self._openssl('req', '-nodes', '-newkey', kind, *options, '-keyout', name + '.key', '-out', name + '.csr',
                      '-subj', '/CN=localhost')
        self._openssl('x509', '-req', '-in', name + '.csr', '-CA', name + '-root.pem', '-CAkey', name + '-root.key',
                      '-CAcreateserial', '-out', name + '.pem', '-days', '1', '-extfile', 'names')

    def root(self, name):
        return self.path(name + '-root.pem')


def major_version():
    return int(subprocess.run(['botan', 'version'], check=True, stdout=subprocess.PIPE).stdout.split(b'.')[0])


def policy(world, settings):
    """An option: a file with those settings."""
    path = world.path('policy')
    with open(path, 'w', encoding='ascii') as file:
        file.writelines(f'{name} = {value}\n' for name, value in {**POLICY, **settings}.items())
    return '--policy=' + path


def tls_server(world, settings, certificate='rsa'):
    """It sends back what it gets, line by line."""
    option = policy(world, settings)
    return server(world, program=lambda port: ['stdbuf', '-o0', 'botan', 'tls_server', *world.files(certificate),
                                               f'--port={port}', option])


def tls_client(world, version, settings, *options, certificate='rsa'):
    option = policy(world, settings)
    if version != 'tls1.2':
        options = ('--' + version, *options)
    return client(world, program=lambda port: ['stdbuf', '-o0', 'botan', 'tls_client', 'localhost', f'--port={port}',
                                               option, '--skip-system-cert-store',
                                               '--trusted-cas=' + world.root(certificate), *options])


def our_client(version, **settings):
    return TlsPeer('init', protocols=VERSIONS[version][1]['init'], target='localhost', **settings)


def our_server(world, version, certificate='rsa', **settings):
    return TlsPeer('accept', protocols=VERSIONS[version][1]['accept'], certificate=world.certificate(certificate),
                   **settings)


def expect_echo(connection, sizes=SIZES):
    """Botan's server sends back what ends with a line's end; and close_notify for ours."""
    for size in sizes:
        text = text_of(size)[:-1] + b'\n'
        connection.send(text)
        expect_equal(connection.receive(size), text, f'{size} bytes back')
    connection.shut_down()
    expect_equal(connection.receive(1), b'', 'data')
    expect_equal(connection.closed, True, 'close_notify')


def expect_talk(connection, program, sizes=SIZES):
    """Data each way, and close_notify when the program has no more to say."""
    program.wait_for(b'Handshake complete')
    time.sleep(0.2)
    expect_data(connection, program, sizes)
    program.process.stdin.close()
    expect_equal(connection.receive(1), b'', 'data')
    expect_equal(connection.closed, True, 'close_notify')
    connection.shut_down()


def client_data(world, version, certificate, without, settings, suite):
    with tls_server(world, settings, certificate) as (_, port), our_client(version, without=without) as peer, \
            connect(peer, port) as connection:
        expect_equal(peer.info()[:2], (VERSIONS[version][0], suite), 'what was agreed on')
        expect_echo(connection)


def server_data(world, version, certificate, without, settings, suite):
    with tls_client(world, version, settings, certificate=certificate) as (program, stream), \
            our_server(world, version, certificate, without=without) as peer, Connection(peer, stream) as connection:
        connection.handshake()
        expect_equal(peer.info()[:2], (VERSIONS[version][0], suite), 'what was agreed on')
        expect_equal(peer.bytes(5), b'localhost', 'the name that was asked for')
        expect_talk(connection, program)


def client_cut(world, version, seed):
    with tls_server(world, {}) as (_, port), our_client(version) as peer, \
            CutConnection(peer, socket.create_connection(('127.0.0.1', port)), seed) as connection:
        connection.handshake(first=True)
        expect_echo(connection)


def server_cut(world, version, seed):
    with tls_client(world, version, {}) as (program, stream), our_server(world, version) as peer, \
            CutConnection(peer, stream, seed) as connection:
        connection.handshake()
        expect_talk(connection, program)


def client_meets(world, settings):
    with tls_server(world, settings) as (_, port), our_client('tls1.2') as peer, connect(peer, port) as connection:
        expect_echo(connection, (1000,))


def server_meets(world, settings):
    with tls_client(world, 'tls1.2', settings) as (program, stream), our_server(world, 'tls1.2') as peer, \
            Connection(peer, stream) as connection:
        connection.handshake()
        expect_talk(connection, program, (1000,))


def client_resumes(world, version):
    with tls_server(world, {}) as (_, port), our_client(version, resume=True) as peer:
        for resumed in (False, True, True):
            with connect(peer, port) as connection:
                expect_equal(peer.info()[2], resumed, 'resumed')
                expect_echo(connection, (1000,))
            peer.again()


def server_chooses(world, version):
    with tls_client(world, version, {}, '--next-protocols=http/1.1,h2') as (program, stream), \
            our_server(world, version, offer=offer_of(b'h2', b'http/1.1').hex()) as peer, \
            Connection(peer, stream) as connection:
        connection.handshake()
        expect_equal(peer.info()[3], b'h2', 'ours chooses by its own order')
        expect_talk(connection, program, (1000,))


def cases_of_a_version(results, world, version, seed):
    for role, function in (('client', client_cut), ('server', server_cut)):
        results.case(f'{role}, cut at random, {version}, COUNTERSIGN_SEED={seed}', function, world, version, seed)
    results.case(f'client resumes, {version}', client_resumes, world, version)
    results.case(f'server, ALPN, {version}', server_chooses, world, version)


def main():
    results = Results()
    versions = [version for version in VERSIONS if version == 'tls1.2' or major_version() < 3]
    seed = int(os.environ.get('COUNTERSIGN_SEED') or random.randrange(1 << 32))
    with tempfile.TemporaryDirectory() as folder:
        world = IssuedWorld(folder)
        for version, certificate, without, settings, suite in SUITES:
            if version not in versions:
                continue
            for role, function in (('client', client_data), ('server', server_data)):
                results.case(f'{role}, {version}, {suite}, {settings}', function, world, version, certificate, without,
                             settings, suite)
        for version in versions:
            cases_of_a_version(results, world, version, seed)
        for name, values in (('key_exchange_groups', GROUPS), ('signature_hashes', HASHES)):
            for value in values:
                results.case(f'client, {value}', client_meets, world, {name: value})
                results.case(f'server, {value}', server_meets, world, {name: value})
    results.end()


if __name__ == '__main__':
    sys.exit(main())
