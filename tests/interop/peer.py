# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our side of an exchange: the program `peer`, by methods instead of lines."""

import os
import subprocess

from results import expect_equal, expect_raises

OK = 'SEC_E_OK'
CONTINUE = 'SEC_I_CONTINUE_NEEDED'

ISC_REQ_CONFIDENTIALITY = 0x10
ISC_REQ_INTEGRITY = 0x10000
ASC_REQ_CONFIDENTIALITY = 0x10
ASC_REQ_INTEGRITY = 0x20000
ASC_REQ_EXTENDED_ERROR = 0x8000
ASC_REQ_ALLOW_MISSING_BINDINGS = 0x10000000


class StatusError(Exception):
    """A command ended with a status other than success; `name` is its name, `token` what a failed step yields."""

    def __init__(self, command, code, name, more=''):
        super().__init__(f'{command}: {code} {name} {more}'.rstrip(' -'))
        self.name = name
        self.token = bytes_of(more.split(' ')[0]) if command == 'step' else b''


def expect_status(status, function, *arguments, **settings):
    """Calls FUNCTION, a command or what begins with one, which is to end with that status."""
    error = expect_raises(StatusError, function, *arguments, **settings)
    expect_equal(error.name, status, 'status')


def built(name):
    """The path of a program of the build tree, tests/interop."""
    here = os.path.dirname(os.path.abspath(__file__))
    build = os.environ.get('COUNTERSIGN_BUILD') or os.path.join(here, '..', '..', 'build')
    return os.path.join(build, 'tests', 'interop', name)


def program():
    """The path of `peer`: COUNTERSIGN_PEER, else in the build tree."""
    return os.environ.get('COUNTERSIGN_PEER') or built('peer')


class Process:
    """A program that answers lines (lines.h), by methods instead. Its settings come as keywords, named like its
    commands."""

    failure = 0x80000000  # the bits of a status that say that it is none of success

    def __init__(self, path, role, env=None, **settings):
        self._process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding='utf-8',
                                         env=env)
        self.token = b''
        self.status = CONTINUE
        self._ask('role', role)
        for name, value in settings.items():
            self._ask(name, value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        if self._process.wait():
            raise RuntimeError(f'peer ended with {self._process.returncode}')

    def _ask(self, command, *arguments):
        """Runs a command and returns the words of its answer behind the status; StatusError for a failure."""
        words = [argument.hex() or '-' if isinstance(argument, bytes) else str(argument) for argument in arguments]
        self._process.stdin.write(' '.join([command, *words]) + '\n')
        self._process.stdin.flush()
        answer = self._process.stdout.readline().rstrip('\n').split(' ', 2)
        if answer[0] == 'error' or len(answer) < 2:
            raise RuntimeError(f'peer, {command}: {" ".join(answer)}')
        if int(answer[0], 16) & self.failure:
            raise StatusError(command, *answer)
        self.status = answer[1]
        return answer[2] if len(answer) > 2 else ''

    def _ask_bytes(self, command, *arguments):
        return [bytes_of(word) for word in self._ask(command, *arguments).split()]

    def step(self, token=b''):
        """One leg; returns the token to send, and leaves the status in `status`."""
        (self.token,) = self._ask_bytes('step', token)
        return self.token

    def sign(self, data):
        return self._ask_bytes('sign', data)[0]

    def verify(self, data, signature):
        self._ask('verify', data, signature)

    def names(self):
        return self._ask('names')

    def session_key(self):
        return self._ask_bytes('session-key')[0]

    def flags(self):
        return int(self._ask('flags'), 16)

    def delegate(self, target):
        """Begins anew as the initiator that the other side's delegated credential makes it."""
        self._ask('delegate', target)


class Peer(Process):
    """One process of `peer`."""

    def __init__(self, role, env=None, **settings):
        super().__init__(program(), role, env, **settings)

    def encrypt(self, *buffers, qop=0):
        """EncryptMessage. BUFFERS: pairs of type and bytes; returns the bytes of each."""
        return self._ask_bytes('encrypt', qop, *flattened(buffers))

    def decrypt(self, *buffers):
        """DecryptMessage: the quality of protection, and the bytes of each of BUFFERS."""
        words = self._ask('decrypt', *flattened(buffers)).split()
        return int(words[0], 16), [bytes_of(word) for word in words[1:]]

    def seal(self, data):
        """EncryptMessage; the signature followed by the data, as they go over the wire."""
        return b''.join(self.encrypt(('token', b''), ('data', data)))

    def unseal(self, message):
        """DecryptMessage with TOKEN and DATA."""
        return self.decrypt(('token', message[:16]), ('data', message[16:]))[1][1]

    def unseal_stream(self, message):
        """DecryptMessage with STREAM and DATA."""
        return self.decrypt(('stream', message), ('data', b''))[1][1]

    def act_for_client(self, request, target):
        """Begins anew as an initiator in the other side's name."""
        self._ask('act-for-client', request, target)

    def set_room(self, size):
        """How large a token may be from now on."""
        self._ask('room', size)

    def target_name(self):
        return self._ask('target-name')

    def etype(self):
        return int(self._ask('etype'))


def bytes_of(word):
    return b'' if word == '-' else bytes.fromhex(word)


def flattened(pairs):
    return [word for pair in pairs for word in pair]
