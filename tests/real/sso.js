// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sso.js PORT NTLM|Kerberos USER PASSWORD: clients of sso_server.js. USER is called as the Unix user, and no other
// account is one that Wine's LookupAccountName finds.
'use strict';

const assert = require('assert').strict;
const { sso, sspi } = require('node-expose-sspi');
const { ExposeSspiClient, WinSsoClient, ownName, account, machine } = require('./peers');
const { get, logOn, logOnAtOnce } = require('./http_client');
const { Report } = require('./report');

const report = new Report();
const [port, method, user, password] = process.argv.slice(2);
const wanted = `${machine()}\\${user}`;
const credentials = { domain: '', user, password };
const where = { path: '/', scheme: 'Negotiate' };
const packageName = 'Negotiate';
// Kerberos is done with one token; NTLM takes three.
const pass = method === 'Kerberos' ? logOnAtOnce : (to, client) => logOn(to, client, undefined, '/');

// The groups of this process's own token, as the server's filter has them.
function ownGroups() {
    const accessToken = sspi.OpenProcessToken(['TOKEN_QUERY', 'TOKEN_QUERY_SOURCE']);
    try {
        return sspi.GetTokenInformation({ accessToken, tokenInformationClass: 'TokenGroups', filter: '.*' }).sort();
    } finally {
        sspi.CloseHandle(accessToken);
    }
}

// What the server says of the client, and of itself once it is itself again.
function expectClient(code, body) {
    assert.equal(code, 200, body?.reason);
    assert.equal(body.method, method);
    assert.equal(`${body.user.domain}\\${body.user.name}`.toLowerCase(), wanted.toLowerCase());
    assert.equal(body.user.sid, sspi.LookupAccountName(wanted).sid);
    for (const group of ['\\Everyone', 'BUILTIN\\Users', 'NT AUTHORITY\\Authenticated Users']) {
        assert.ok(body.user.groups.includes(group), body.user.groups.join());
    }
    assert.equal(body.owner.name, user);
    assert.deepEqual(body.owner.groups, ownGroups());
}

async function accepted(client) {
    const { code, body } = await pass(port, client, where);
    expectClient(code, body);
    return body;
}

// With the package's own HTTP client. Resolves to the HTTP code and what the server answered.
async function fetchAs(who) {
    const client = new sso.Client();
    client.setTargetName('HTTP/localhost');
    if (who) {
        client.setCredentials(who.domain, who.user, who.password);
    }
    const response = await client.fetch(`http://127.0.0.1:${port}/`);
    return [response.status, await response.json().catch(() => undefined)];
}

async function logons() {
    await report.check(`sso.auth(), ${method}, the package's HTTP client: the client's name, SID and groups`,
        async () => expectClient(...await fetchAs()));
    await report.check(`sso.auth(), ${method}, the package's HTTP client, a password`,
        async () => expectClient(...await fetchAs(credentials)));
    await report.check(`sso.auth(), ${method}, win-sso`, () => accepted(new WinSsoClient({ packageName })));
    await report.check(`sso.auth(), ${method}, a client that lets itself be identified alone`,
        () => accepted(new ExposeSspiClient({ packageName, contextReq: ['ISC_REQ_IDENTIFY'] })));
    await report.check(`sso.auth(), ${method}, 20 at a time: each is itself, and the server is afterwards`,
        () => Promise.all(Array.from({ length: 10 }, () => [
            accepted(new WinSsoClient({ packageName })),
            accepted(new ExposeSspiClient({ packageName, authData: credentials })),
        ]).flat()));
}

// With no name of an account there is nobody to be found: the middleware asks for each client's SID by its name.
async function unknown() {
    await report.check('sso.auth(), NTLM, an account that Wine does not know: 401', async () => {
        const [code, body] = await fetchAs(account);
        assert.equal(code, 401);
        assert.match(body.reason, /LookupAccountName/);
    });
}

async function refusals() {
    const bad = { 'a wrong password': { ...credentials, password: 'wrong' },
        'an unknown user': { ...credentials, user: 'nobody-here' } };
    for (const [name, who] of Object.entries(bad)) {
        await report.check(`sso.auth(), ${method}, ${name}: refused`, async () => {
            const tried = fetchAs(who);
            // The KDC's word, before there is a token; somebody unknown to the realm tries NTLM.
            if (method === 'Kerberos' && who.user === credentials.user) {
                await assert.rejects(tried, /0x8009030c/i);
            } else {
                const [code, body] = await tried;
                assert.deepEqual([code, body?.user], [401, undefined]);
                assert.match(body.reason, /SEC_E_LOGON_DENIED/);
            }
        });
    }
    await report.check(`sso.auth(), ${method}, no token: 401`, async () => {
        const { code, body } = await get(port, undefined, undefined, where);
        assert.deepEqual([code, body], [401, undefined]);
    });
}

async function main() {
    for (const group of method === 'NTLM' ? [logons, unknown, refusals] : [logons, refusals]) {
        await group();
    }
    report.summary();
    process.exit(); // the package's HTTP client keeps its connection open
}

main();
