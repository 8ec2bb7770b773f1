// SPDX-License-Identifier: LGPL-2.1-or-later
//
// two_processes.js PORT NTLM|Negotiate: clients of server.js, which runs in another process.
'use strict';

const assert = require('assert').strict;
const { sso } = require('node-expose-sspi');
const { ExposeSspiClient, WinSsoClient, ownName, account, accountName } = require('./peers');
const { get, logOn } = require('./http_client');
const { Report } = require('./report');

const report = new Report();
const port = Number(process.argv[2]);

const MESSAGE_ALTERED = '0x8009030f';

async function accepted(client, user) {
    const { code, body } = await logOn(port, client);
    assert.deepEqual([code, body.status, body.user], [200, 'SEC_E_OK', user]);
}

async function refused(client) {
    const { code, body } = await logOn(port, client);
    assert.deepEqual([code, body.status, body.user], [401, 'SEC_E_LOGON_DENIED', undefined]);
}

// The package's own HTTP client, which does all of it. Resolves to the HTTP code and the user that the server saw.
async function fetchWith({ credentials, targetName, path = '/' }) {
    const client = new sso.Client();
    if (targetName) {
        client.setTargetName(targetName);
    }
    if (credentials) {
        client.setCredentials(credentials.domain, credentials.user, credentials.password);
    }
    const response = await client.fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, (await response.json()).user];
}

async function winSso() {
    await report.check('win-sso over HTTP, default credentials', () => accepted(new WinSsoClient(), ownName()));
    await report.check('win-sso over HTTP, another machine as target: 401',
        () => refused(new WinSsoClient({ host: 'other.example' })));
    await report.check('win-sso over HTTP, password of the credential manager',
        () => accepted(new WinSsoClient({ host: 'stored.example' }), accountName()));
    await report.check('win-sso over HTTP, wrong password of the credential manager: 401',
        () => refused(new WinSsoClient({ host: 'wrong.example' })));
}

async function exposeSspi() {
    await report.check('node-expose-sspi over HTTP, default credentials',
        () => accepted(new ExposeSspiClient(), ownName()));
    await report.check('node-expose-sspi over HTTP, explicit credentials',
        () => accepted(new ExposeSspiClient({ authData: account }), accountName()));
    await report.check('node-expose-sspi over HTTP, wrong password: 401',
        () => refused(new ExposeSspiClient({ authData: { ...account, password: 'wrong' } })));
}

async function exposeSspiClient() {
    const name = "node-expose-sspi's HTTP client";
    const targetName = 'HTTP/localhost';
    await report.check(`${name}, default credentials`,
        async () => assert.deepEqual(await fetchWith({ targetName }), [200, ownName()]));
    // Outside a domain it takes "whatever" for a target, which names no machine: what a loopback logon must not serve.
    await report.check(`${name}, default credentials, its own idea of a target: 401`,
        async () => assert.deepEqual(await fetchWith({}), [401, undefined]));
    await report.check(`${name}, explicit credentials`,
        async () => assert.deepEqual(await fetchWith({ credentials: account }), [200, accountName()]));
    const wrong = { ...account, password: 'wrong' };
    await report.check(`${name}, wrong password: 401`,
        async () => assert.deepEqual(await fetchWith({ credentials: wrong }), [401, undefined]));
}

async function negotiate() {
    const packageName = 'Negotiate', wrong = { ...account, password: 'wrong' };
    await report.check('Negotiate, win-sso, default credentials',
        () => accepted(new WinSsoClient({ packageName }), ownName()));
    await report.check('Negotiate, win-sso, another machine as target: 401',
        () => refused(new WinSsoClient({ packageName, host: 'other.example' })));
    await report.check('Negotiate, win-sso, password of the credential manager',
        () => accepted(new WinSsoClient({ packageName, host: 'stored.example' }), accountName()));
    await report.check('Negotiate, node-expose-sspi, default credentials',
        () => accepted(new ExposeSspiClient({ packageName }), ownName()));
    await report.check('Negotiate, node-expose-sspi, explicit credentials',
        () => accepted(new ExposeSspiClient({ packageName, authData: account }), accountName()));
    await report.check('Negotiate, node-expose-sspi, wrong password: 401',
        () => refused(new ExposeSspiClient({ packageName, authData: wrong })));
    const own = { targetName: 'HTTP/localhost', path: '/negotiate' };
    await report.check("Negotiate, node-expose-sspi's HTTP client, explicit credentials",
        async () => assert.deepEqual(await fetchWith({ ...own, credentials: account }), [200, accountName()]));
    await report.check("Negotiate, node-expose-sspi's HTTP client, wrong password: 401",
        async () => assert.deepEqual(await fetchWith({ ...own, credentials: wrong }), [401, undefined]));
}

// One bit of the MIC, which stands at offset 72 (MS-NLMP 2.2.1.3).
function flipMic(token) {
    token[72] ^= 1;
    return token;
}

// One bit of what stands last in the message.
function flipLast(token) {
    token[token.length - 1] ^= 1;
    return token;
}

async function onTheWay() {
    const contextReq = ['ISC_REQ_INTEGRITY', 'ISC_REQ_CONFIDENTIALITY'];
    for (const [name, authData] of [['default', undefined], ['explicit', account]]) {
        for (const [what, change] of [['MIC', flipMic], ['last byte', flipLast]]) {
            await report.check(`${name} credentials, last token altered on the way (${what}): 401`, async () => {
                const { code, body } = await logOn(port, new ExposeSspiClient({ authData, contextReq }), change);
                assert.deepEqual([code, body.status, body.user], [401, MESSAGE_ALTERED, undefined]);
            });
        }
    }
    await report.check('a last token with no logon under way: 401', async () => {
        const { tokens } = await logOn(port, new ExposeSspiClient());
        assert.equal((await get(port, undefined, tokens[2])).code, 401);
    });
    await report.check('20 logons at a time', async () => {
        await Promise.all(Array.from({ length: 10 }, () => [
            accepted(new WinSsoClient(), ownName()),
            accepted(new ExposeSspiClient({ authData: account }), accountName()),
        ]).flat());
    });
}

async function main() {
    const groups = { NTLM: [winSso, exposeSspi, exposeSspiClient, onTheWay], Negotiate: [negotiate] };
    for (const group of groups[process.argv[3]]) {
        await group();
    }
    report.summary();
    process.exit(); // the package's HTTP client keeps its connection open
}

main();
