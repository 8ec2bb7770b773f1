// SPDX-License-Identifier: LGPL-2.1-or-later
//
// apache_kerberos.js PORT PACKAGE CACHED USER PASSWORD REALM: clients log on to Apache with Kerberos, or with Negotiate
// around it: mod_auth_gssapi over MIT's GSS-API. As CACHED, whose tickets are in the user's cache, and as USER.
'use strict';

const assert = require('assert').strict;
const fs = require('fs');
const { ExposeSspiClient, WinSsoClient } = require('./peers');
const { get, logOnAtOnce } = require('./http_client');
const { Report } = require('./report');

const report = new Report();
const [port, packageName, cached, user, password, realm] = process.argv.slice(2);
const authData = { user, password, domain: realm };
const contextReq = ['ISC_REQ_MUTUAL_AUTH'];
const where = { path: '/index.html', scheme: 'Negotiate' };
const CACHE = process.env.KRB5CCNAME.replace('FILE:', 'Z:');
const LOGON_DENIED = /0x8009030c/i, TARGET_UNKNOWN = /0x80090303/i, WRONG_PRINCIPAL = /0x80090322/i;

const client = (settings) => new ExposeSspiClient({ packageName, contextReq, ...settings });
const name = (text) => `node-expose-sspi to Apache, ${packageName}: ${text}`;

// A bit of what is encrypted, and stands near the end.
function flip(token) {
    token[token.length - 8] ^= 1;
    return token;
}

async function accepted(side, who, settings) {
    const result = await logOnAtOnce(port, side, { ...where, ...settings });
    assert.deepEqual([result.code, result.user], [200, `${who}@${realm}`]);
    return result;
}

async function answers401(side, settings) {
    const { code, user: seen } = await logOnAtOnce(port, side, { ...where, ...settings });
    assert.deepEqual([code, seen], [401, undefined]);
}

async function logons() {
    await report.check(name("the user's tickets: 200 and the user, and the server's answer"), async () => {
        const side = client();
        const { tokens } = await accepted(side, cached);
        assert.deepEqual([tokens.length, side.status()], [2, 'SEC_E_OK']);
        assert.ok(side.flags().includes('ISC_RET_MUTUAL_AUTH'));
    });
    await report.check(name('a password: 200 and the user, whose tickets are in no cache'), async () => {
        const before = fs.readFileSync(CACHE);
        const side = client({ authData });
        await accepted(side, user);
        assert.equal(side.status(), 'SEC_E_OK');
        assert.ok(before.equals(fs.readFileSync(CACHE)));
    });
    await report.check(name('a password, the server not authenticated: 200 and the user'),
        () => accepted(client({ authData, contextReq: ['ISC_REQ_CONNECTION'] }), user));
    await report.check(`win-sso to Apache, ${packageName}, the user's tickets: 200 and the user`,
        () => accepted(new WinSsoClient({ packageName }), cached));
    await report.check(name('20 logons at a time'), async () => {
        await Promise.all(Array.from({ length: 10 }, () => [
            accepted(client(), cached), accepted(client({ authData }), user),
        ]).flat());
    });
}

// errors.tsv InitializeSecurityContext Kerberos
async function refusals() {
    const wrong = { ...authData, password: 'wrong' }, unknown = { ...authData, user: 'nobody-here' };
    await report.check(name('a wrong password: SEC_E_LOGON_DENIED'),
        () => assert.rejects(accepted(client({ authData: wrong }), user), LOGON_DENIED));
    const lost = { targetName: 'HTTP/nowhere.example' };
    if (packageName === 'Kerberos') {
        await report.check(name('a target that the realm does not know: SEC_E_TARGET_UNKNOWN'),
            () => assert.rejects(accepted(client(lost), cached), TARGET_UNKNOWN));
        await report.check(name('an unknown user: SEC_E_LOGON_DENIED'),
            () => assert.rejects(accepted(client({ authData: unknown }), user), LOGON_DENIED));
    } else { // NTLM's turn, which Apache does not take
        await report.check(name('a target that the realm does not know: 401'), () => answers401(client(lost)));
        await report.check(name('a target that the realm does not know, a password: 401'),
            () => answers401(client({ ...lost, authData })));
        await report.check(name('an unknown user: 401'), () => answers401(client({ authData: unknown })));
    }
    await report.check(name("another service's ticket: 401"),
        () => answers401(client({ targetName: 'test/localhost' })));
}

async function attacks() {
    await report.check(name('the token altered on the way: 401'), () => answers401(client(), { onTheWay: flip }));
    await report.check(name('the token a second time: 401'), async () => {
        const { tokens } = await accepted(client(), cached);
        assert.equal((await get(port, undefined, tokens[0], where)).code, 401);
    });
    await report.check(name("the server's token altered on the way: SEC_E_WRONG_PRINCIPAL"),
        () => assert.rejects(accepted(client(), cached, { backAgain: flip }), WRONG_PRINCIPAL));
}

async function main() {
    for (const group of [logons, refusals, attacks]) {
        await group();
    }
    report.summary();
}

main();
