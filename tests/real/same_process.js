// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Client and server in one process: who logs on as whom, who is refused, and what the contexts say.
'use strict';

const assert = require('assert').strict;
const crypto = require('crypto');
const { sspi, WinSso, ExposeSspiClient, WinSsoClient, Acceptor, ownName, machine, account, accountName } =
    require('./peers');
const { Report } = require('./report');

const report = new Report();

// The codes that the addon names only by number.
const INVALID_HANDLE = /0x80090301/;
const SECPKG_NOT_FOUND = /0x80090305/;
const INVALID_TOKEN = /0x80090308/;
const NO_IMPERSONATION = /0x8009030b/;

// Runs the three messages and gives {status, user, last} to look at, with both sides still open in inspect.
function logOn(client, acceptor = new Acceptor(), inspect = () => {}) {
    try {
        const challenge = acceptor.accept(client.first());
        assert.equal(challenge.status, 'SEC_I_CONTINUE_NEEDED');
        const last = client.answer(challenge.token);
        const { status } = acceptor.accept(last);
        const user = status === 'SEC_E_OK' ? acceptor.user() : undefined;
        inspect(client, acceptor, last);
        return { status, user, last };
    } finally {
        client.close();
        acceptor.close();
    }
}

function accepted(client, user) {
    const result = logOn(client);
    assert.equal(result.status, 'SEC_E_OK');
    assert.equal(result.user, user);
}

function refused(client) {
    assert.equal(logOn(client).status, 'SEC_E_LOGON_DENIED');
}

// MD5 of a gss_channel_bindings_struct with application data alone (RFC 4121 4.1.1.2), as MsvAvChannelBindings has it.
function bindingsDigest(applicationData) {
    const header = Buffer.alloc(20);
    header.writeUInt32LE(applicationData.length, 16);
    return crypto.createHash('md5').update(header).update(applicationData).digest();
}

async function packages() {
    const ntlm = {
        fCapabilities: '0x02882b37', wVersion: 1, wRPCID: 10, cbMaxToken: 2888,
        Name: 'NTLM', Comment: 'NTLM Security Package',
    };
    await report.check('packages: NTLM is as on Windows', () => {
        assert.deepEqual({ ...sspi.QuerySecurityPackageInfo('NTLM') }, ntlm);
    });
    await report.check('packages: the list has it', () => {
        const found = sspi.EnumerateSecurityPackages().filter((info) => info.Name === 'NTLM');
        assert.deepEqual(found.map((info) => ({ ...info })), [ntlm]);
    });
    await report.check('packages: an unknown one is not found', () => {
        assert.throws(() => sspi.AcquireCredentialsHandle({ packageName: 'Nonesuch' }), SECPKG_NOT_FOUND);
    });
}

async function names() {
    await report.check('names: both addons give the same logon name', () => {
        assert.match(ownName(), /^[^\\]+\\[^\\]+$/);
        assert.equal(WinSso.getLogonUserName(), ownName());
    });
    await report.check('names: of default credentials', () => {
        for (const credentialUse of ['SECPKG_CRED_OUTBOUND', 'SECPKG_CRED_INBOUND']) {
            const { credential } = sspi.AcquireCredentialsHandle({ packageName: 'NTLM', credentialUse });
            const { sUserName } = sspi.QueryCredentialsAttributes(credential, 'SECPKG_CRED_ATTR_NAMES');
            assert.equal(sUserName, ownName());
            sspi.FreeCredentialsHandle(credential);
        }
    });
    await report.check('names: no display name outside a domain', () => {
        assert.throws(() => sspi.GetUserNameEx('NameDisplay'), /0x00000534/); // ERROR_NONE_MAPPED
    });
}

async function defaultCredentials() {
    const clients = { 'win-sso': WinSsoClient, 'node-expose-sspi': ExposeSspiClient };
    for (const [name, Client] of Object.entries(clients)) {
        for (const host of ['localhost', '127.0.0.1', machine()]) {
            await report.check(`${name}, default credentials, target ${host === machine() ? 'this machine' : host}`,
                () => accepted(new Client({ host, targetName: `HTTP/${host}` }), ownName()));
        }
        await report.check(`${name}, default credentials, another machine as target: refused`,
            () => refused(new Client({ host: 'other.example', targetName: 'HTTP/other.example' })));
    }
    await report.check('win-sso, default credentials, no target',
        () => accepted(new WinSsoClient({ host: '' }), ownName()));
}

async function explicitCredentials() {
    const logons = [
        ['the right password', {}, true],
        ['the right password, with domain', { domain: machine() }, true],
        ['the name in capitals', { user: account.user.toUpperCase() }, true],
        ['a wrong password', { password: 'wrong' }, false],
        ['an empty password', { password: '' }, false],
        ['an unknown user', { user: 'nobody-here' }, false],
    ];
    for (const [name, change, good] of logons) {
        await report.check(`node-expose-sspi, explicit, ${name}${good ? '' : ': refused'}`, () => {
            const client = new ExposeSspiClient({ authData: { ...account, ...change } });
            const result = logOn(client);
            assert.equal(result.status, good ? 'SEC_E_OK' : 'SEC_E_LOGON_DENIED');
            assert.equal(result.user?.toLowerCase(), good ? accountName().toLowerCase() : undefined);
        });
    }
    await report.check('win-sso, password of the credential manager',
        () => accepted(new WinSsoClient({ host: 'stored.example' }), accountName()));
    await report.check('win-sso, wrong password of the credential manager: refused',
        () => refused(new WinSsoClient({ host: 'wrong.example' })));
    await report.check('win-sso, channel bindings of a certificate', () => {
        const fingerprint = crypto.createHash('sha256').update('a certificate').digest();
        const certificate = { fingerprint256: fingerprint.toString('hex').replace(/..(?!$)/g, '$&:').toUpperCase() };
        const { status, last } = logOn(new WinSsoClient({ host: 'stored.example', certificate }));
        assert.equal(status, 'SEC_E_OK');
        const data = Buffer.concat([Buffer.from('tls-server-end-point:'), fingerprint]);
        assert.ok(last.includes(bindingsDigest(data)), 'the digest of the bindings is not in the last token');
    });
}

async function anonymous() {
    const nobody = { user: '', password: '', domain: '' };
    await report.check('node-expose-sspi, anonymous: refused',
        () => refused(new ExposeSspiClient({ authData: nobody })));
    await report.check('node-expose-sspi, anonymous where the server allows it', () => {
        const acceptor = new Acceptor({ contextReq: ['ASC_REQ_CONNECTION', 'ASC_REQ_ALLOW_NULL_SESSION'] });
        const result = logOn(new ExposeSspiClient({ authData: nobody }), acceptor, (client, server) => {
            assert.ok(client.flags().includes('ISC_RET_NULL_SESSION'));
            assert.ok(server.flags().includes('ASC_RET_NULL_SESSION'));
        });
        assert.equal(result.status, 'SEC_E_OK');
        // By this name the package's own server tells such a logon from a user's (dist/sso/auth.js).
        assert.equal(result.user, 'NT AUTHORITY\\ANONYMOUS LOGON');
    });
}

async function contexts() {
    const protection = ['CONFIDENTIALITY', 'CONNECTION', 'INTEGRITY', 'REPLAY_DETECT', 'SEQUENCE_DETECT'];
    for (const [name, authData] of [['default', undefined], ['explicit', account]]) {
        await report.check(`${name} credentials: flags that were asked for are granted, and no others`, () => {
            const client = new ExposeSspiClient({ authData, contextReq: protection.map((flag) => `ISC_REQ_${flag}`) });
            logOn(client, new Acceptor(), (_, server) => {
                assert.equal(client.status(), 'SEC_E_OK');
                assert.deepEqual(client.flags().sort(), protection.map((flag) => `ISC_RET_${flag}`));
                assert.deepEqual(server.flags().sort(), protection.map((flag) => `ASC_RET_${flag}`));
            });
        });
        await report.check(`${name} credentials: both sides name the same user`, () => {
            logOn(new ExposeSspiClient({ authData }), new Acceptor(),
                (client, server) => assert.equal(client.user(), server.user()));
        });
    }
    await report.check('as the client of an accepted context: whose name it is, until it is reverted', () => {
        const own = ownName(), clients = accountName();
        logOn(new ExposeSspiClient({ authData: account }), new Acceptor(), (_, server) => {
            const handle = server.context.contextHandle;
            assert.throws(() => sspi.OpenThreadToken());
            sspi.ImpersonateSecurityContext(handle);
            try {
                assert.equal(ownName(), clients);
                sspi.CloseHandle(sspi.OpenThreadToken());
            } finally {
                sspi.RevertSecurityContext(handle);
            }
            assert.equal(ownName(), own);
            assert.throws(() => sspi.OpenThreadToken());
            sspi.CloseHandle(sspi.QuerySecurityContextToken(handle));
        });
    });
    await report.check("nobody acts as the other side of a client's context", () => {
        logOn(new ExposeSspiClient(), new Acceptor(), (client) => {
            const handle = client.context.contextHandle;
            assert.throws(() => sspi.ImpersonateSecurityContext(handle), NO_IMPERSONATION);
            assert.throws(() => sspi.QuerySecurityContextToken(handle), NO_IMPERSONATION);
            assert.throws(() => sspi.OpenThreadToken());
        });
    });
}

async function manyLogons() {
    await report.check('two logons at a time do not mix', () => {
        const clients = [new ExposeSspiClient(), new ExposeSspiClient({ authData: account })];
        const acceptors = clients.map(() => new Acceptor());
        const challenges = clients.map((client, i) => acceptors[i].accept(client.first()).token);
        const answers = clients.map((client, i) => client.answer(challenges[i]));
        assert.deepEqual(acceptors.map((acceptor, i) => acceptor.accept(answers[i]).status), ['SEC_E_OK', 'SEC_E_OK']);
        assert.deepEqual(acceptors.map((acceptor) => acceptor.user()), [ownName(), accountName()]);
        [...clients, ...acceptors].forEach((peer) => peer.close());
    });
    await report.check('100 logons one after another', () => {
        for (let i = 0; i < 50; i++) {
            accepted(new WinSsoClient(), ownName());
            accepted(new ExposeSspiClient({ authData: account }), accountName());
        }
    });
}

async function badInput() {
    const garbage = {
        'no NTLM': Buffer.from('garbage'),
        'a header alone': Buffer.from('NTLMSSP\0\x01\0\0\0', 'latin1'),
    };
    for (const [name, token] of Object.entries(garbage)) {
        await report.check(`bad input: a first token that is ${name}`, () => {
            assert.throws(() => new Acceptor().accept(token), INVALID_TOKEN);
        });
    }
    await report.check('bad input: a challenge cut short', () => {
        const client = new ExposeSspiClient();
        const { token } = new Acceptor().accept(client.first());
        assert.throws(() => client.answer(token.subarray(0, 40)), INVALID_TOKEN);
    });
    for (const [name, authData] of [['default', undefined], ['explicit', account]]) {
        await report.check(`bad input: another logon's last token, ${name} credentials: refused`, () => {
            const acceptor = new Acceptor();
            acceptor.accept(new ExposeSspiClient({ authData }).first());
            const { last } = logOn(new ExposeSspiClient({ authData }));
            assert.equal(acceptor.accept(last).status, 'SEC_E_LOGON_DENIED');
            assert.throws(() => acceptor.user(), INVALID_HANDLE);
        });
    }
    await report.check('bad input: handles that were closed', () => {
        const client = new ExposeSspiClient();
        client.first();
        client.close();
        assert.throws(() => sspi.DeleteSecurityContext(client.context.contextHandle), INVALID_HANDLE);
        assert.throws(() => sspi.FreeCredentialsHandle(client.input.credential), INVALID_HANDLE);
        assert.throws(() => client.user(), INVALID_HANDLE);
        assert.throws(() => client.first(), INVALID_HANDLE);
    });
}

async function main() {
    const groups = [
        packages, names, defaultCredentials, explicitCredentials, anonymous, contexts, manyLogons, badInput,
    ];
    for (const group of groups) {
        await group();
    }
    report.summary();
}

main();
