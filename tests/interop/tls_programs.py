# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our side of a TLS connection over a socket, and the programs of others that are its other side."""

import contextlib
import os
import random
import select
import socket
import subprocess
import tempfile
import time

from peer import Process, StatusError, built
from results import shorten

CONTINUE = 'SEC_I_CONTINUE_NEEDED'
PATIENCE = 20


class TlsPeer(Process):
    """One process of tls_peer."""

    def __init__(self, role, **settings):
        flags = [name for name in ('resume', 'ask') if settings.pop(name, False)]
        super().__init__(built('tls_peer'), role, **settings)
        for name in flags:
            self._ask(name)

    def leg(self, *token):
        """One leg: how much it took, and its token."""
        consumed, token = self._ask('leg', *token).split()
        return int(consumed), bytes.fromhex('' if token == '-' else token)

    def encrypt(self, data):
        return self._ask_bytes('encrypt', data)[0]

    def come_from(self, address):
        """Whence the input of legs comes: what cookies of DTLS are made of."""
        self._ask('address', address)

    def decrypt(self, records):
        """The status, the bytes that follow the first record, and its data; None for less than a record."""
        try:
            words = self._ask('decrypt', records).split()
        except StatusError as error:
            if error.name == 'SEC_E_INCOMPLETE_MESSAGE':
                return None
            raise
        extra, data = words or ['0', '-']
        return self.status, int(extra), b'' if data == '-' else bytes.fromhex(data)

    def shutdown(self):
        self._ask('shutdown')

    def again(self):
        self._ask('again')

    def info(self):
        """Version, suite, whether resumed, the application protocol."""
        version, suite, resumed, alpn = self._ask('info').split()
        return int(version, 16), suite, resumed == '1', b'' if alpn == '-' else bytes.fromhex(alpn)

    def bytes(self, which):
        return self._ask_bytes('bytes', which)[0]

    def export(self, size, label):
        """Keying material."""
        return self._ask_bytes('export', size, label)[0]


class Connection:
    """Our side over a socket, called as a Windows program would."""

    def __init__(self, peer, stream):
        self.peer, self.stream = peer, stream
        stream.settimeout(PATIENCE)
        self.pending = b''
        self.data = b''
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def _receive(self):
        try:
            got = self.stream.recv(65536)
        except ConnectionResetError:
            got = b''
        if not got:
            raise EOFError('the other side has hung up')
        self.pending += got

    def _leg(self, *token):
        consumed, answer = self.peer.leg(*token)
        if answer:
            self.stream.sendall(answer)
        self.pending = self.pending[consumed:]

    def _leg_with_input(self):
        """A leg with what has come, once that is enough."""
        while True:
            try:
                if self.pending:
                    self._leg(self.pending)
                    return
            except StatusError as error:
                if error.name != 'SEC_E_INCOMPLETE_MESSAGE':
                    raise
            self._receive()

    def handshake(self, first=False):
        """Legs until the handshake is through; FIRST: it is ours that begins."""
        self.peer.status = CONTINUE
        if first:
            self._leg()
        while self.peer.status == CONTINUE:
            self._leg_with_input()
        return self

    def send(self, data):
        for at in range(0, len(data), 16384):
            self.stream.sendall(self.peer.encrypt(data[at:at + 16384]))

    def _take(self):
        """Takes one record, and legs where they are asked for; whether there was one."""
        taken = self.peer.decrypt(self.pending[:20000]) if self.pending else None
        if not taken:
            return False
        status, extra, data = taken
        size = min(len(self.pending), 20000) - extra
        if status == 'SEC_I_CONTEXT_EXPIRED':
            self.closed = True
            return False
        self.pending = self.pending[size:]
        self.data += data
        if status == 'SEC_I_RENEGOTIATE':
            self.renegotiate(wish=size > 0)
        return True

    def renegotiate(self, wish):
        """What DecryptMessage has asked for: a leg without input for a wish that it took, else one with the rest."""
        self.peer.status = CONTINUE
        if wish:
            self._leg()
        else:
            self._leg_with_input()
        while self.peer.status == CONTINUE:
            self._leg_with_input()

    def receive(self, size):
        while len(self.data) < size and not self.closed:
            if not self._take():
                if self.closed:
                    break
                self._receive()
        found, self.data = self.data[:size], self.data[size:]
        return found

    def settle(self, seconds=0.5):
        """Takes whatever comes in that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._take():
                continue
            if select.select([self.stream], [], [], 0.05)[0]:
                self._receive()

    def shut_down(self):
        self.peer.shutdown()
        self._leg()


class CutConnection(Connection):
    """What comes is cut at random, and what has come in between is glued to it."""

    SIZES = (1, 2, 3, 4, 5, 6, 7, 12, 100, 1000, 5000, 16384, 65536)

    def __init__(self, peer, stream, seed):
        super().__init__(peer, stream)
        self.random = random.Random(seed)
        self.come = b''

    def _receive(self):
        if not self.come:
            if self.random.random() < 0.3:
                time.sleep(0.02)
            kept, self.pending = self.pending, b''
            super()._receive()
            self.come, self.pending = self.pending, kept
        size = self.random.choice(self.SIZES)
        self.pending += self.come[:size]
        self.come = self.come[size:]


class World:
    """Certificates, in a folder that goes away."""

    def __init__(self, folder):
        self.folder = folder
        self._make('rsa', 'rsa:2048')
        self._make('ecdsa', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256')

    def path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, *arguments):
        return subprocess.run(['openssl', *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              cwd=self.folder).stdout

    def _make(self, name, kind, *options):
        self._openssl('req', '-x509', '-nodes', '-newkey', kind, *options, '-keyout', name + '.key', '-out',
                      name + '.pem', '-subj', '/CN=localhost', '-days', '1', '-addext', 'subjectAltName=DNS:localhost')

    def certificate(self, name):
        """As tls_peer takes it: the chain, and the key in PKCS #8."""
        der = self._openssl('x509', '-in', name + '.pem', '-outform', 'DER')
        key = self._openssl('pkcs8', '-topk8', '-nocrypt', '-in', name + '.key', '-outform', 'DER')
        return f'{(len(der).to_bytes(3, "big") + der).hex()} {key.hex()}'

    def files(self, name):
        return self.path(name + '.pem'), self.path(name + '.key')


class Program:
    """A program of the other side's, its output in a file."""

    def __init__(self, world, *arguments):
        self.log = tempfile.NamedTemporaryFile(dir=world.folder)
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT,
                                        cwd=world.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def type(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def output(self):
        with open(self.log.name, 'rb') as log:
            return log.read()

    def wait_for(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.output():
            if time.monotonic() > end:
                raise AssertionError(f'no {shorten(text)} in {shorten(self.output()[-300:])}')
            time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(world, *options, certificate='rsa', program=None):
    """`openssl s_server`, or PROGRAM, a function of the port; yields it and its port."""
    port = free_port()
    chain, key = world.files(certificate)
    arguments = program(port) if program else ['openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-cert', chain,
                                               '-key', key, *options]
    with Program(world, *arguments) as running:
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                if b'ACCEPT' in running.output() or program or '-quiet' in options:
                    if not program and '-quiet' not in options:
                        break
                    socket.create_connection(('127.0.0.1', port)).close()
                    break
            if time.monotonic() > end or running.process.poll() is not None:
                raise AssertionError(f'no server: {shorten(running.output())}')
            time.sleep(0.05)
        yield running, port


def connect(peer, port):
    return Connection(peer, socket.create_connection(('127.0.0.1', port))).handshake(first=True)


@contextlib.contextmanager
def client(world, *options, program=None):
    """`openssl s_client`, or PROGRAM, a function of the port; yields it, and our end of its connection."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen()
        listener.settimeout(PATIENCE)
        port = listener.getsockname()[1]
        arguments = program(port) if program else ['openssl', 's_client', '-connect', f'127.0.0.1:{port}', *options]
        with Program(world, *arguments) as running:
            stream, _ = listener.accept()
            yield running, stream
