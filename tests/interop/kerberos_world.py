# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an exchange of Kerberos takes: a realm, and an environment for each side."""

import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
USER, PASSWORD = 'alice', 'Secret-1'

# Name: number and Heimdal's name, RFC 3961's registry.
ETYPES = {
    'aes128-sha1': (17, 'aes128-cts-hmac-sha1-96'),
    'aes256-sha1': (18, 'aes256-cts-hmac-sha1-96'),
    'aes128-sha2': (19, 'aes128-cts-hmac-sha256-128'),
    'aes256-sha2': (20, 'aes256-cts-hmac-sha384-192'),
    'rc4': (23, 'arcfour-hmac-md5'),
}


class Realm:
    """A running KDC with USER and a service for each encryption type; USER's tickets lie in a cache for each side."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self._start()
        for side in ('ours', 'mit', 'heimdal'):
            self._log_on(side)

    def __enter__(self):
        return self

    def service(self, etype):
        return f'test/{etype}.{self.name.lower()}'

    def principal(self, etype):
        return f'{self.service(etype)}@{self.name}'

    def environment(self, side):
        """The environment of a peer: nothing of the user's own Kerberos."""
        return {**os.environ, 'KRB5_CONFIG': self._path('krb5.conf'), 'KRB5_KTNAME': 'FILE:' + self._path('keytab'),
                'KRB5CCNAME': 'FILE:' + self._path(f'ccache-{side}'), 'KRB5RCACHEDIR': self.folder,
                'KRB5RCACHENAME': 'file2:' + self._path(f'replays-{side}'),
                'COUNTERSIGN_REPLAY_CACHE': self._path('replays')}

    def rc4_environment(self, side):
        """The same for an initiator of Heimdal's that is to offer no better key than RC4."""
        path = self._write('rc4.conf', '[libdefaults]\n    default_etypes = arcfour-hmac-md5\n')
        return {**self.environment(side), 'KRB5_CONFIG': f'{path}:{self._path("krb5.conf")}'}

    def strong_environment(self, side):
        """The same where krb5.conf does not say allow_weak_crypto."""
        with open(self._path('krb5.conf'), encoding='ascii') as file:
            path = self._write('strong.conf', file.read().replace('allow_weak_crypto = true', ''))
        return {**self.environment(side), 'KRB5_CONFIG': path}

    def cache(self, side):
        """The bytes of that side's credential cache."""
        with open(self._path(f'ccache-{side}'), 'rb') as file:
            return file.read()

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self._path(name), 'w', encoding='ascii') as file:
            file.write(text)
        return self._path(name)

    def _log_on(self, side):
        subprocess.run(['kinit.heimdal', '--forwardable', '--password-file=STDIN', USER], input=PASSWORD + '\n',
                       encoding='utf-8', check=True, env=self.environment(side), stdout=subprocess.DEVNULL)


class HeimdalRealm(Realm):
    """By tools/realm."""

    def _start(self):
        self._tool('start', '--realm', self.name, '--allow-weak-crypto', '--until', str(os.getpid()))
        self._tool('add-user', USER, input=PASSWORD + '\n')
        for etype in ETYPES:
            self._tool('add-service', '--enctypes', etype, self.service(etype))
            self._tool('kadmin', 'modify', '--attributes=+ok-as-delegate', self.service(etype))

    def other_environment(self, side):
        """The environment of a server that has a key for RC4's service alone."""
        keytab = 'FILE:' + self._path('other-keytab')
        self._tool('kadmin', 'ext_keytab', f'--keytab={keytab}', self.service('rc4'))
        return {**self.environment(side), 'KRB5_KTNAME': keytab}

    def __exit__(self, *_):
        self._tool('stop')

    def _tool(self, *arguments, **settings):
        subprocess.run([os.path.join(HERE, '..', '..', 'tools', 'realm'), '--dir', self.folder, *arguments],
                       check=True, encoding='utf-8', stdout=subprocess.DEVNULL, **settings)


class MitRealm(Realm):
    """By mit_realm, which runs as long as its standard input is open."""

    def _start(self):
        services = [f'{self.service(etype)}={name}' for etype, (_, name) in ETYPES.items()]
        self._process = subprocess.Popen([os.path.join(HERE, 'mit_realm'), self.folder, self.name,
                                          f'{USER}={PASSWORD}', *services], encoding='utf-8',
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.stdout.readline() != 'ready\n':
            raise RuntimeError(f'mit_realm ended with {self._process.wait()}')

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
