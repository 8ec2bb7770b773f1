# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stapled OCSP responses, made by `openssl ocsp`: OpenSSL's server staples them to ours, and ours to OpenSSL's client."""

import contextlib
import sys
import tempfile

from peer import StatusError, expect_status
from results import Results, expect_equal
from tls_programs import Connection, TlsPeer, World, client, connect, server

VERSIONS = {'-tls1_2': {'init': 0x800, 'accept': 0x400}, '-tls1_3': {'init': 0x2000, 'accept': 0x1000}}
STAPLED = 7  # enum tls_bytes
INDEX = {'good': b'V\t301231000000Z\t\t07\tunknown\t/CN=localhost\n',
         'revoked': b'R\t301231000000Z\t250101000000Z\t07\tunknown\t/CN=localhost\n',
         'unknown': b'V\t301231000000Z\t\t08\tunknown\t/CN=elsewhere\n'}


class Authority(World):
    """An authority, a server's certificate from it, and responders: the authority, one that it has certified for that,
    one that it has certified for nothing, and somebody else by the authority's name."""

    def __init__(self, folder):
        super().__init__(folder)
        for name in ('authority', 'stranger'):
            self._openssl('req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-keyout', name + '.key', '-out',
                          name + '.pem', '-subj', '/CN=Authority', '-days', '2')
        self._issue('leaf', 'localhost', 7, 'serverAuth')
        self._issue('responder', 'Responder', 9, 'OCSPSigning')
        self._issue('nobody', 'Nobody', 10, 'clientAuth')

    def _issue(self, name, subject, serial, usage):
        with open(self.path(name + '.ext'), 'w', encoding='ascii') as extensions:
            extensions.write(f'extendedKeyUsage={usage}\n')
        self._openssl('req', '-nodes', '-newkey', 'rsa:2048', '-keyout', name + '.key', '-out', name + '.csr', '-subj',
                      '/CN=' + subject)
        self._openssl('x509', '-req', '-in', name + '.csr', '-CA', 'authority.pem', '-CAkey', 'authority.key',
                      '-set_serial', str(serial), '-days', '1', '-extfile', name + '.ext', '-out', name + '.pem')

    def response(self, says, signer, *options):
        """A response about the leaf; its path."""
        with open(self.path('index.txt'), 'wb') as index:
            index.write(INDEX[says])
        self._openssl('ocsp', '-index', 'index.txt', '-CA', 'authority.pem', '-rsigner', signer + '.pem', '-rkey',
                      signer + '.key', '-issuer', 'authority.pem', '-cert', 'leaf.pem', '-respout', 'response.der',
                      '-noverify', *(options or ('-ndays', '1')))
        return self.path('response.der')

    def authority(self):
        return self._openssl('x509', '-in', 'authority.pem', '-outform', 'DER').hex()


def bytes_of(path):
    with open(path, 'rb') as file:
        return file.read()


# What is stapled, and what ours says that looks at it: "good" alone is good enough.
RESPONSES = (('good', 'authority', (), None), ('good', 'responder', (), None),
             ('good', 'responder', ('-resp_key_id', '-ndays', '1'), None),
             ('good', 'authority', ('-rmd', 'sha384', '-ndays', '1'), None),
             ('revoked', 'authority', (), 'CRYPT_E_REVOKED'), ('revoked', 'responder', (), 'CRYPT_E_REVOKED'),
             ('unknown', 'authority', (), 'CRYPT_E_NO_REVOCATION_CHECK'),
             ('good', 'nobody', (), 'CRYPT_E_NO_REVOCATION_CHECK'),
             ('revoked', 'nobody', (), 'CRYPT_E_NO_REVOCATION_CHECK'),
             ('good', 'stranger', (), 'CRYPT_E_NO_REVOCATION_CHECK'),
             ('good', 'authority', ('-rmd', 'sha1', '-ndays', '1'), 'CRYPT_E_NO_REVOCATION_CHECK'))


def their_server(world, version, says, signer, options, refusal):
    path = world.response(says, signer, *options)
    with server(world, version, '-status_file', path, certificate='leaf') as (program, port), \
            TlsPeer('init', protocols=VERSIONS[version]['init'], target='localhost',
                    issuer=world.authority()) as peer:
        if refusal:
            expect_status(refusal, connect, peer, port)
            return
        with connect(peer, port) as connection:
            expect_equal(peer.bytes(STAPLED), bytes_of(path), 'what was stapled')
            connection.send(b'good\n')
            program.wait_for(b'good')


def their_server_has_none(world, version):
    with server(world, version, certificate='leaf') as (_, port), \
            TlsPeer('init', protocols=VERSIONS[version]['init'], issuer=world.authority()) as peer:
        expect_status('CRYPT_E_NO_REVOCATION_CHECK', connect, peer, port)


def our_server(world, version, says):
    path = world.response(says, 'responder')
    with client(world, version, '-status', '-CAfile', world.path('authority.pem')) as (program, stream), \
            TlsPeer('accept', protocols=VERSIONS[version]['accept'], certificate=world.certificate('leaf'),
                    stapled=bytes_of(path).hex()) as peer, Connection(peer, stream) as connection:
        with contextlib.suppress(StatusError, EOFError):
            connection.handshake()
        program.wait_for(b'OCSP Response Status: successful')
        program.wait_for(b'Cert Status: ' + says.encode())
        program.wait_for(b'Verify return code: 0 (ok)')


def main():
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        world = Authority(folder)
        for version in VERSIONS:
            for says, signer, options, refusal in RESPONSES:
                name = ' '.join(('their server', version, says, 'by', signer, *options))
                results.case(name, their_server, world, version, says, signer, options, refusal)
            results.case(f'their server, {version}, nothing', their_server_has_none, world, version)
            for says in ('good', 'revoked'):
                results.case(f'our server, {version}, {says}', our_server, world, version, says)
    results.end()


if __name__ == '__main__':
    sys.exit(main())
