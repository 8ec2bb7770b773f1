# SPDX-License-Identifier: LGPL-2.1-or-later
"""Schannel's native half against OpenSSL and GnuTLS, in both roles: the programs that come with them."""

import os
import random
import socket
import sys
import tempfile
import time

from peer import expect_status
from results import Results, expect_equal, expect_raises
from tls_programs import PATIENCE, Connection, CutConnection, TlsPeer, World, client, connect, server

TLS1_2 = {'init': 0x800, 'accept': 0x400}
TLS1_3 = {'init': 0x2000, 'accept': 0x1000}
WITHOUT_AES256, WITHOUT_GCM, WITHOUT_CHACHA20, WITHOUT_DHE, WITHOUT_ECDHE = 2, 4, 16, 0x80, 0x100
SIZES = (1, 2, 1000, 16384, 16385, 100000, 1 << 20)


def text_of(size):
    return (b'0123456789abcdefghijklmnopqrstu\n' * (size // 32 + 1))[:size]


def expect_data(connection, program, sizes=SIZES):
    """Data of each size, each way; PROGRAM shows on its output what it receives."""
    for size in sizes:
        before = len(program.output())
        connection.send(text_of(size))
        end = time.monotonic() + PATIENCE
        while len(program.output()) < before + size and time.monotonic() < end:
            time.sleep(0.01)
        expect_equal(program.output()[before:], text_of(size), f'{size} bytes to the other side')
        program.type(text_of(size))
        expect_equal(connection.receive(size), text_of(size), f'{size} bytes from the other side')


VERSIONS = {'-tls1_2': (0x0303, TLS1_2), '-tls1_3': (0x0304, TLS1_3)}
# Those that OpenSSL takes at its lowest level of security alone.
OLD_VERSIONS = {'-tls1': (0x0301, {'init': 0x80, 'accept': 0x40}),
                '-tls1_1': (0x0302, {'init': 0x200, 'accept': 0x100})}
ALL_VERSIONS = {**VERSIONS, **OLD_VERSIONS}
# What ours goes without, and the suite that comes out, by version and certificate.
SUITES = (
    ('-tls1_3', 'rsa', 0, 'TLS_AES_256_GCM_SHA384'),
    ('-tls1_3', 'ecdsa', WITHOUT_AES256, 'TLS_AES_128_GCM_SHA256'),
    ('-tls1_3', 'rsa', WITHOUT_GCM, 'TLS_CHACHA20_POLY1305_SHA256'),
    ('-tls1_2', 'rsa', 0, 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'),
    ('-tls1_2', 'ecdsa', WITHOUT_AES256, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'),
    ('-tls1_2', 'rsa', WITHOUT_GCM, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'),
    ('-tls1_2', 'rsa', WITHOUT_GCM | WITHOUT_CHACHA20, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384'),
    ('-tls1_2', 'rsa', WITHOUT_ECDHE, 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384'),
    ('-tls1_2', 'rsa', WITHOUT_ECDHE | WITHOUT_DHE, 'TLS_RSA_WITH_AES_256_GCM_SHA384'),
    ('-tls1_1', 'rsa', 0, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'),
    ('-tls1_1', 'ecdsa', WITHOUT_AES256, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'),
    ('-tls1', 'rsa', 0, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA'),
    ('-tls1', 'rsa', WITHOUT_ECDHE, 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA'),
    ('-tls1', 'rsa', WITHOUT_ECDHE | WITHOUT_DHE, 'TLS_RSA_WITH_AES_256_CBC_SHA'),
)


def options_of(version):
    """OpenSSL's."""
    return [version, '-cipher', 'DEFAULT@SECLEVEL=0'] if version in OLD_VERSIONS else [version]


def client_data(world, version, certificate, without, suite):
    with server(world, '-quiet', '-naccept', '2', *options_of(version), certificate=certificate) as (program, port), \
            TlsPeer('init', protocols=ALL_VERSIONS[version][1]['init'], without=without, target='localhost') as peer, \
            connect(peer, port) as connection:
        expect_equal(peer.info()[:2], (ALL_VERSIONS[version][0], suite), 'what was agreed on')
        time.sleep(0.1)
        expect_data(connection, program)
        connection.shut_down()


def server_data(world, version, certificate, without, suite):
    with client(world, '-quiet', *options_of(version)) as (program, stream), \
            TlsPeer('accept', protocols=ALL_VERSIONS[version][1]['accept'], without=without,
                    certificate=world.certificate(certificate)) as peer, \
            Connection(peer, stream) as connection:
        connection.handshake()
        expect_equal(peer.info()[:2], (ALL_VERSIONS[version][0], suite), 'what was agreed on')
        program.wait_for(b'verify')
        time.sleep(0.2)
        expect_data(connection, program)
        connection.shut_down()
        program.process.wait(PATIENCE)


CUT_SIZES = (1, 1000, 16385, 100000)


def client_cut(world, version, seed):
    with server(world, '-quiet', '-naccept', '2', *options_of(version)) as (program, port), \
            TlsPeer('init', protocols=ALL_VERSIONS[version][1]['init'], target='localhost') as peer, \
            CutConnection(peer, socket.create_connection(('127.0.0.1', port)), seed) as connection:
        connection.handshake(first=True)
        time.sleep(0.1)
        expect_data(connection, program, CUT_SIZES)
        connection.shut_down()


def server_cut(world, version, seed):
    with client(world, '-quiet', *options_of(version)) as (program, stream), \
            TlsPeer('accept', protocols=ALL_VERSIONS[version][1]['accept'],
                    certificate=world.certificate('rsa')) as peer, CutConnection(peer, stream, seed) as connection:
        connection.handshake()
        program.wait_for(b'verify')
        time.sleep(0.2)
        expect_data(connection, program, CUT_SIZES)
        connection.shut_down()


def client_certificate(world, version):
    with server(world, '-Verify', '1', version) as (program, port), \
            TlsPeer('init', protocols=VERSIONS[version][1]['init'],
                    certificate=world.certificate('ecdsa')) as peer, \
            connect(peer, port) as connection:
        connection.send(b'certified\n')
        program.wait_for(b'certified')
        program.wait_for(b'Client certificate')


def server_asks(world, version, certificate):
    options = ['-cert', world.path('ecdsa.pem'), '-key', world.path('ecdsa.key')] if certificate else []
    with client(world, '-quiet', version, *options) as (program, stream), \
            TlsPeer('accept', protocols=VERSIONS[version][1]['accept'], ask=True,
                    certificate=world.certificate('rsa')) as peer, \
            Connection(peer, stream) as connection:
        connection.handshake()
        if certificate:
            expect_equal(peer.bytes(0).hex(), world.certificate('ecdsa').split()[0], 'the chain')
        else:
            expect_status('UNKNOWN', peer.bytes, 0)
        program.type(b'hello\n')
        expect_equal(connection.receive(6), b'hello\n', 'data')


def client_resumes(world, version):
    with server(world, version) as (program, port), \
            TlsPeer('init', protocols=VERSIONS[version][1]['init'], resume=True, target='localhost') as peer:
        for resumed in (False, True, True):
            with connect(peer, port) as connection:
                expect_equal(peer.info()[2], resumed, 'resumed')
                connection.send(b'data\n')
                connection.settle()
                connection.shut_down()
            peer.again()


def server_resumes(world, version):
    session = world.path('session' + version)
    with TlsPeer('accept', protocols=VERSIONS[version][1]['accept'], resume=True,
                 certificate=world.certificate('rsa')) as peer:
        for option, resumed in (('-sess_out', False), ('-sess_in', True)):
            with client(world, version, option, session) as (program, stream), \
                    Connection(peer, stream) as connection:
                connection.handshake()
                expect_equal(peer.info()[2], resumed, 'resumed')
                connection.send(b'tickets first\n')
                program.wait_for(b'tickets first')
                connection.shut_down()
                program.process.wait(PATIENCE)
            peer.again()


def client_takes_new_keys(world):
    with server(world, '-tls1_3') as (program, port), \
            TlsPeer('init', protocols=TLS1_3['init']) as peer, connect(peer, port) as connection:
        for round_, command in enumerate((b'k\n', b'K\n', b'K\n', b'k\n')):
            program.type(command)
            connection.settle(0.3)
            connection.send(b'after round %d\n' % round_)
            program.wait_for(b'after round %d' % round_)
            program.type(b'and back\n')
            expect_equal(connection.receive(9), b'and back\n', 'data')


def server_takes_new_keys(world):
    with client(world, '-tls1_3') as (program, stream), \
            TlsPeer('accept', protocols=TLS1_3['accept'], certificate=world.certificate('rsa')) as peer, \
            Connection(peer, stream) as connection:
        connection.handshake()
        program.wait_for(b'Verify return code')
        for round_, command in enumerate((b'k\n', b'K\n', b'K\n', b'k\n')):
            program.type(command)
            connection.settle(0.3)
            connection.send(b'after round %d\n' % round_)
            program.wait_for(b'after round %d' % round_)
            program.type(b'and back\n')
            expect_equal(connection.receive(9), b'and back\n', 'data')


def renegotiation_with_server(world, without, begins):
    with server(world, '-tls1_2', '-client_renegotiation') as (program, port), \
            TlsPeer('init', protocols=TLS1_2['init'], without=without) as peer, connect(peer, port) as connection:
        if begins == 'ours':
            connection.renegotiate(wish=True)
        else:
            program.type(b'r\n')
            connection.settle(1)
        connection.send(b'once more\n')
        program.wait_for(b'once more')
        program.type(b'and back\n')
        expect_equal(connection.receive(9), b'and back\n', 'data')


def renegotiation_with_client(world, without, begins):
    with client(world, '-tls1_2') as (program, stream), \
            TlsPeer('accept', protocols=TLS1_2['accept'], without=without,
                    certificate=world.certificate('rsa')) as peer, Connection(peer, stream) as connection:
        connection.handshake()
        program.wait_for(b'Verify return code')
        if begins == 'ours':
            connection.renegotiate(wish=True)
        else:
            program.type(b'R\n')
            connection.settle(1)
        connection.send(b'once more\n')
        program.wait_for(b'once more')
        program.type(b'and back\n')
        expect_equal(connection.receive(9), b'and back\n', 'data')


def offer_of(*names):
    names = b''.join(bytes([len(name)]) + name for name in names)
    return (len(names) + 6).to_bytes(4, 'little') + b'\2\0\0\0' + len(names).to_bytes(2, 'little') + names


def client_offers(world, version):
    with server(world, version, '-alpn', 'h2,http/1.1', '-servername', 'elsewhere', '-cert2', world.path('rsa.pem'),
                '-key2', world.path('rsa.key')) as (program, port):
        with TlsPeer('init', protocols=VERSIONS[version][1]['init'], target='localhost',
                     offer=offer_of(b'http/1.1', b'h2').hex()) as peer, connect(peer, port) as connection:
            expect_equal(peer.info()[3], b'h2', 'the server\'s choice')
            connection.send(b'x\n')
            program.wait_for(b'Hostname in TLS extension: "localhost"')


def client_offers_in_vain(world):
    with server(world, '-tls1_3', '-alpn', 'h2') as (_, port), \
            TlsPeer('init', protocols=TLS1_3['init'], offer=offer_of(b'spdy').hex()) as peer:
        expect_status('SEC_E_APPLICATION_PROTOCOL_MISMATCH', connect, peer, port)


def server_chooses(world, version):
    with client(world, version, '-alpn', 'http/1.1,h2', '-servername', 'www.example.org') as (program, stream), \
            TlsPeer('accept', protocols=VERSIONS[version][1]['accept'], certificate=world.certificate('rsa'),
                    offer=offer_of(b'h2', b'http/1.1').hex()) as peer, Connection(peer, stream) as connection:
        connection.handshake()
        expect_equal(peer.info()[3], b'h2', 'ours chooses by its own order')
        expect_equal(peer.bytes(5), b'www.example.org', 'the name that was asked for')
        program.wait_for(b'ALPN protocol: h2')


def close_notify(world, version):
    with client(world, version) as (program, stream), \
            TlsPeer('accept', protocols=VERSIONS[version][1]['accept'], certificate=world.certificate('rsa')) as peer, \
            Connection(peer, stream) as connection:
        connection.handshake()
        program.type(b'last\n')
        expect_equal(connection.receive(5), b'last\n', 'what came before')
        program.type(b'Q\n')
        expect_equal(connection.receive(100), b'', 'nothing more')
        expect_equal(connection.closed, True, 'close_notify')


def cut_off(world, version):
    """Its absence is another thing: the program that dies says none."""
    with client(world, version) as (program, stream), \
            TlsPeer('accept', protocols=VERSIONS[version][1]['accept'], certificate=world.certificate('rsa')) as peer, \
            Connection(peer, stream) as connection:
        connection.handshake()
        program.process.kill()
        expect_raises(EOFError, connection.receive, 1)
        expect_equal(connection.closed, False, 'close_notify')


def gnutls_server(world, version):
    chain, key = world.files('rsa')
    priority = 'NORMAL:-VERS-ALL:+VERS-TLS1.' + version[-1]

    def arguments(port):
        return ['gnutls-serv', '--echo', '--port', str(port), '--x509certfile', chain, '--x509keyfile', key,
                '--priority', priority]

    with server(world, program=arguments) as (_, port), \
            TlsPeer('init', protocols=VERSIONS[version][1]['init'], target='localhost', resume=True) as peer:
        for resumed in (False, True):
            with connect(peer, port) as connection:
                expect_equal(peer.info()[2], resumed, 'resumed')
                for line in (b'a line\n', text_of(320)[-32:]):
                    connection.send(line)
                    expect_equal(connection.receive(len(line)), line, 'the line back')
                connection.shut_down()
            peer.again()


def gnutls_client(world, version):
    priority = 'NORMAL:-VERS-ALL:+VERS-TLS1.' + version[-1]

    def arguments(port):
        return ['gnutls-cli', '--insecure', '--no-ca-verification', '--port', str(port), '--priority', priority,
                'localhost']

    with client(world, program=arguments) as (program, stream), \
            TlsPeer('accept', protocols=VERSIONS[version][1]['accept'],
                    certificate=world.certificate('ecdsa')) as peer, Connection(peer, stream) as connection:
        connection.handshake()
        program.wait_for(b'Handshake was completed')
        connection.send(b'to them\n')
        program.wait_for(b'to them')
        program.type(b'to us\n')
        expect_equal(connection.receive(6), b'to us\n', 'data')


def main():
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder)
        for version, certificate, without, suite in SUITES:
            for role, function in (('client', client_data), ('server', server_data)):
                results.case(f'{role}, {version}, {suite}', function, world, version, certificate, without, suite)
        first = int(os.environ.get('COUNTERSIGN_SEED') or random.randrange(1 << 32))
        for version in ALL_VERSIONS:
            for seed in (first, first + 1, first + 2):
                for role, function in (('client', client_cut), ('server', server_cut)):
                    results.case(f'{role}, cut at random, {version}, COUNTERSIGN_SEED={seed}', function, world, version,
                                 seed)
        for version in VERSIONS:
            for name, function in (('client, its certificate', client_certificate), ('client resumes', client_resumes),
                                   ('server resumes', server_resumes), ('client, ALPN and name', client_offers),
                                   ('server, ALPN and name', server_chooses), ('close_notify', close_notify),
                                   ('no close_notify', cut_off)):
                results.case(f'{name}, {version}', function, world, version)
            for certificate in (True, False):
                results.case(f'server asks, {certificate}, {version}', server_asks, world, version, certificate)
        results.case('client offers in vain', client_offers_in_vain, world)
        results.case('client takes new keys', client_takes_new_keys, world)
        results.case('server takes new keys', server_takes_new_keys, world)
        for without in (0, WITHOUT_GCM | WITHOUT_CHACHA20):
            for begins in ('ours', 'theirs'):
                for name, function in (('client', renegotiation_with_server), ('server', renegotiation_with_client)):
                    results.case(f'{name}, renegotiation by {begins}, without {without:x}', function, world, without,
                                 begins)
        for version in VERSIONS:
            results.case(f'gnutls-serv, {version}', gnutls_server, world, version)
            results.case(f'gnutls-cli, {version}', gnutls_client, world, version)
    results.end()


if __name__ == '__main__':
    sys.exit(main())
