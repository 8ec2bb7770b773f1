#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
An Active Directory domain of Samba's: `ad_domain.py DIR` makes it in DIR, an empty folder, with the accounts that
samba_ad.py logs on with. What changes while its KDC runs is done by the functions at the end.
"""

import logging
import os
import subprocess
import sys

REALM, NETBIOS, BASE = 'DOM.EXAMPLE', 'CSAD', 'DC=dom,DC=example'
PASSWORD, ODD_PASSWORD = 'Secret-1', 'Größe€-1'
BAD_LOGONS = 6  # after so many an account is locked
GROUPS, LOCAL_GROUPS = 200, 50  # of the user "many"
LONG_NAME = 'x' * 2500  # with two of them an AP-REQ has more than Windows's first MaxTokenSize, 12000 bytes

# MS-ADTS 2.2.16, userAccountControl.
DISABLED, NORMAL, WORKSTATION, TRUSTED_FOR_DELEGATION, NOT_DELEGATED, NO_PREAUTHENTICATION, TRUSTED_TO_AUTHENTICATE = \
    0x2, 0x200, 0x1000, 0x80000, 0x100000, 0x400000, 0x1000000
# MS-ADTS 2.2.12, groupType: of security groups.
GLOBAL, LOCAL = -0x7FFFFFFE, -0x7FFFFFFC
# MS-KILE 2.2.7, msDS-SupportedEncryptionTypes.
RC4, AES128, AES256 = 4, 8, 16
NEVER = '-9223372036854775808'  # MS-ADTS 3.1.1.4.5.32: a period without end

# By sAMAccountName: attributes besides those of every user. pwdLastSet 0: the password must be changed first.
USERS = {
    'alice': {'userPrincipalName': 'alice@dom.example'},
    'smith': {'userPrincipalName': 'Jane.Smith@corp.example'},
    'bob': {'userPrincipalName': 'robert@dom.example'},
    'jörg': {'unicodePwd': ODD_PASSWORD},
    'wrong': {'userPrincipalName': 'wrong@corp.example'},
    'locked': {},
    'disabled': {'userAccountControl': NORMAL | DISABLED},
    'expired': {'pwdLastSet': 0},
    'gone': {'accountExpires': 130000000000000000},  # in 2012
    'night': {'logonHours': bytes(21)},
    'sensitive': {'userAccountControl': NORMAL | NOT_DELEGATED},
    'no-preauth': {'userAccountControl': NORMAL | NO_PREAUTHENTICATION},
    'many': {'homeDirectory': LONG_NAME, 'profilePath': LONG_NAME},
}

# By account: its service principal names, encryption types and flags; a None is a domain controller's default.
SERVICES = {
    'svc-web': (['HTTP/web.dom.example', 'HTTP/web'], AES128 | AES256, 0),
    'svc-aes128': (['test/aes128.dom.example'], AES128, 0),
    'svc-aes256': (['test/aes256.dom.example'], AES256, 0),
    'svc-rc4': (['test/rc4.dom.example'], RC4, 0),
    'svc-default': (['test/default.dom.example'], None, 0),
    'svc-deleg': (['test/deleg.dom.example'], AES256, TRUSTED_FOR_DELEGATION),
    'svc-renewed': (['test/renewed.dom.example'], AES256, 0),
    'SERVER$': (['HOST/server.dom.example', 'HOST/server'], AES128 | AES256, 0),
    'svc-front': (['HTTP/front.dom.example'], AES256, 0),
    'FRONT$': (['HTTP/transition.dom.example'], AES256, TRUSTED_TO_AUTHENTICATE),
    'svc-back': (['HTTP/back.dom.example'], AES256, 0),
}

# MS-ADA2 2.294, msDS-AllowedToDelegateTo: the services that an account may go on to in its clients' names.
ALLOWED_TO_DELEGATE_TO = {'svc-front': ['HTTP/back.dom.example'], 'FRONT$': ['HTTP/back.dom.example']}


def groups_of_many():
    return [f'group-{number}' for number in range(GROUPS + LOCAL_GROUPS)]


def configuration(folder):
    return f'''[global]
    netbios name = DC1
    realm = {REALM}
    workgroup = {NETBIOS}
    server role = active directory domain controller
    server services = kdc
    interfaces = lo
    bind interfaces only = yes
    private dir = {folder}/private
    state directory = {folder}/state
    cache directory = {folder}/cache
    lock directory = {folder}/lock
    binddns dir = {folder}/bind-dns
    ncalrpc dir = {folder}/ncalrpc
    log file = {folder}/log
    ldb:nosync = yes

[sysvol]
    path = {folder}/sysvol

[netlogon]
    path = {folder}/sysvol/scripts
'''


class Domain:
    """The domain in FOLDER: its database is open, whether its KDC runs or not."""

    def __init__(self, folder):
        # Its own Python modules are the distribution's alone, and slow to load.
        from samba.auth import system_session
        from samba.param import LoadParm
        self.folder, self.configuration = folder, os.path.join(folder, 'smb.conf')
        self._session, self._parameters, self._database = system_session(), LoadParm(), None
        self._parameters.load(self.configuration)

    @property
    def database(self):
        if self._database is None:
            from samba.samdb import SamDB
            self._database = SamDB(session_info=self._session, lp=self._parameters)
        return self._database

    def provision(self):
        from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
        from samba.provision import provision
        provision(logging.getLogger('provision'), self._session, smbconf=self.configuration, lp=self._parameters,
                  realm=REALM, domain=NETBIOS, hostname='dc1', hostip='127.0.0.1', adminpass='Admin-Secret-1',
                  serverrole='active directory domain controller', dns_backend='NONE',
                  dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2)

    def set_policy(self):
        self._modify(BASE, {'lockoutThreshold': BAD_LOGONS, 'maxPwdAge': NEVER, 'minPwdAge': 0})

    def add(self, name, attributes, kind='user'):
        entry = {'dn': f'CN={name.rstrip("$")},CN=Users,{BASE}', 'objectClass': kind, 'sAMAccountName': name}
        self.database.add({**entry, **{key: value_of(key, value) for key, value in attributes.items()}})

    def add_users(self):
        self.database.transaction_start()
        for name, attributes in USERS.items():
            self.add(name, {'unicodePwd': PASSWORD, 'userAccountControl': NORMAL, **attributes})
        self.database.transaction_commit()

    def add_services(self):
        for name, (names, etypes, flags) in SERVICES.items():
            attributes = {'unicodePwd': PASSWORD, 'servicePrincipalName': names,
                          'userAccountControl': (WORKSTATION if name.endswith('$') else NORMAL) | flags}
            if etypes is not None:
                attributes['msDS-SupportedEncryptionTypes'] = etypes
            if name in ALLOWED_TO_DELEGATE_TO:
                attributes['msDS-AllowedToDelegateTo'] = ALLOWED_TO_DELEGATE_TO[name]
            self.add(name, attributes, 'computer' if name.endswith('$') else 'user')
            self.export_keys(name)
        self.export_keys('krbtgt')

    def add_groups(self):
        """Groups with the one member: global ones, and local ones, which PACs have elsewhere (MS-PAC 2.5)."""
        self.database.transaction_start()
        for number, name in enumerate(groups_of_many()):
            self.add(name, {'member': f'CN=many,CN=Users,{BASE}', 'groupType': GLOBAL if number < GROUPS else LOCAL},
                     'group')
        self.database.transaction_commit()

    def keytab(self, account):
        return os.path.join(self.folder, f'{account.rstrip("$")}.keytab')

    def export_keys(self, account, keytab=None):
        """The account's keys, by that one of its names alone, added to its keytab, or to the one given."""
        done = subprocess.run(['samba-tool', 'domain', 'exportkeytab', keytab or self.keytab(account),
                               f'--principal={account}', f'--configfile={self.configuration}'],
                              capture_output=True, encoding='utf-8', check=False)
        if done.returncode:
            raise RuntimeError(f'samba-tool: {done.stdout}{done.stderr}')

    def set_password(self, account, password):
        self._modify(f'CN={account},CN=Users,{BASE}', {'unicodePwd': password})

    def sid(self, account):
        """The SID of an account, as text."""
        from samba.ndr import ndr_unpack
        from samba.dcerpc.security import dom_sid
        return str(ndr_unpack(dom_sid, self._attribute(account, 'objectSid')))

    def bad_logons(self, account):
        return int(self._attribute(account, 'badPwdCount'))

    def _attribute(self, account, name):
        (found,) = self.database.search(BASE, expression=f'(sAMAccountName={account})', attrs=[name])
        return found[name][0]

    def _modify(self, name, attributes):
        import ldb
        message = ldb.Message(ldb.Dn(self.database, name))
        for key, value in attributes.items():
            message[key] = ldb.MessageElement(value_of(key, value), ldb.FLAG_MOD_REPLACE, key)
        self.database.modify(message)


def value_of(key, value):
    """An attribute's value as the database wants it; a password is UTF-16 in quotes (MS-ADTS 3.1.1.3.1.5.1)."""
    if key == 'unicodePwd':
        return f'"{value}"'.encode('utf-16-le')
    return value if isinstance(value, (bytes, list)) else str(value)


def main():
    if len(sys.argv) != 2:
        sys.exit('usage: ad_domain.py DIR')
    folder = sys.argv[1]
    for name in ('private', 'state', 'cache', 'lock', 'bind-dns', 'ncalrpc', 'sysvol/scripts'):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    with open(os.path.join(folder, 'smb.conf'), 'w', encoding='utf-8') as file:
        file.write(configuration(folder))
    domain = Domain(folder)
    domain.provision()
    domain.set_policy()
    domain.add_users()
    domain.add_services()
    domain.add_groups()


if __name__ == '__main__':
    main()
