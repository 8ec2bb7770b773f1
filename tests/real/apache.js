// SPDX-License-Identifier: LGPL-2.1-or-later
//
// apache.js PORT DOMAIN: clients log on to Apache with Negotiate: mod_auth_gssapi over MIT's SPNEGO and gss-ntlmssp.
'use strict';

const assert = require('assert').strict;
const { ExposeSspiClient, WinSsoClient, account } = require('./peers');
const { logOn } = require('./http_client');
const { Report } = require('./report');

const report = new Report();
const port = Number(process.argv[2]);
const domain = process.argv[3];
const packageName = 'Negotiate';
const PAGE = '/index.html';

async function accepted(client) {
    const result = await logOn(port, client, undefined, PAGE);
    assert.deepEqual([result.code, result.user], [200, `${domain}\\${account.user}`]);
    return result;
}

async function refused(client) {
    const { code, user } = await logOn(port, client, undefined, PAGE);
    assert.deepEqual([code, user], [401, undefined]);
}

async function winSso() {
    await report.check('win-sso to Apache, password of the credential manager: 200 and the user',
        () => accepted(new WinSsoClient({ packageName, host: 'apache.example' })));
    await report.check('win-sso to Apache, wrong password of the credential manager: 401',
        () => refused(new WinSsoClient({ packageName, host: 'wrong.example' })));
}

async function exposeSspi() {
    const authData = { ...account, domain };
    const contextReq = ['ISC_REQ_CONNECTION', 'ISC_REQ_INTEGRITY', 'ISC_REQ_CONFIDENTIALITY'];
    await report.check('node-expose-sspi to Apache: 200 and the user', async () => {
        const client = new ExposeSspiClient({ packageName, authData });
        await accepted(client);
        assert.equal(client.status(), 'SEC_E_OK');
    });
    await report.check('node-expose-sspi to Apache, asking for protection: 200 and the user',
        () => accepted(new ExposeSspiClient({ packageName, authData, contextReq })));
    await report.check('node-expose-sspi to Apache, SPNEGO around NTLM', async () => {
        const { tokens } = await accepted(new ExposeSspiClient({ packageName, authData }));
        assert.deepEqual(tokens.map((token) => token[0]), [0x60, 0xa1, 0xa1, 0xa1]);
    });
    await report.check('node-expose-sspi to Apache, a wrong password: 401',
        () => refused(new ExposeSspiClient({ packageName, authData: { ...authData, password: 'wrong' } })));
    await report.check('node-expose-sspi to Apache, an unknown user: 401',
        () => refused(new ExposeSspiClient({ packageName, authData: { ...authData, user: 'nobody-here' } })));
    await report.check('node-expose-sspi to Apache, the mechListMIC altered on the way: 401', async () => {
        const { code } = await logOn(port, new ExposeSspiClient({ packageName, authData }), (token) => {
            token[token.length - 8] ^= 1;
            return token;
        }, PAGE);
        assert.equal(code, 401);
    });
    await report.check('20 logons to Apache at a time', async () => {
        await Promise.all(Array.from({ length: 20 }, () => accepted(new ExposeSspiClient({ packageName, authData }))));
    });
}

async function main() {
    for (const group of [winSso, exposeSspi]) {
        await group();
    }
    report.summary();
}

main();
