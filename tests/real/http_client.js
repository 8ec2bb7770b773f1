// SPDX-License-Identifier: LGPL-2.1-or-later
//
// NTLM, Negotiate and Kerberos over HTTP from the client's side, with any client of peers.js.
'use strict';

const http = require('http');

// Where server.js wants what.
const PATHS = { NTLM: '/', Negotiate: '/negotiate' };

// Resolves to {code, challenge, user, body}: user as Apache's header names it, body if it is JSON. scheme: HTTP's name
// of what the token is of.
function get(port, agent, token, { packageName = 'NTLM', path = PATHS[packageName], scheme = packageName } = {}) {
    const headers = token ? { Authorization: `${scheme} ${token.toString('base64')}` } : {};
    return new Promise((resolve, reject) => {
        const request = http.get({ host: '127.0.0.1', port, path, agent, headers, timeout: 20000 }, (response) => {
            const chunks = [];
            const offered = new RegExp(`^${scheme} (\\S+)$`).exec(response.headers['www-authenticate'] ?? '');
            const isJson = response.headers['content-type'] === 'application/json';
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => resolve({
                code: response.statusCode,
                challenge: offered && Buffer.from(offered[1], 'base64'),
                user: response.headers['x-user'],
                body: isJson ? JSON.parse(Buffer.concat(chunks)) : undefined,
            }));
        });
        request.on('error', reject);
        request.on('timeout', () => request.destroy(new Error('the server does not answer')));
    });
}

const same = (token) => token;

// Logs on over one connection, closes the client, and resolves to {code, user, body, tokens}: the last answer's, and
// the tokens of both sides. onTheWay may change the client's last of them.
async function logOn(port, client, onTheWay = same, path = undefined) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const where = { packageName: client.packageName, path };
    try {
        const first = client.first();
        const { challenge, body } = await get(port, agent, first, where);
        if (!challenge) {
            throw new Error(`no challenge, but ${JSON.stringify(body)}`);
        }
        const last = client.answer(challenge);
        const result = await get(port, agent, onTheWay(last), where);
        const tokens = [first, challenge, last];
        if (result.challenge && result.code === 200) {
            tokens.push(result.challenge);
            client.answer(result.challenge); // SPNEGO's last word: the client has to be content with it
        }
        return { ...result, tokens };
    } finally {
        client.close();
        agent.destroy();
    }
}

// Logs on with the client's first token, which is all that Kerberos needs, hands it the server's, if there is one, and
// resolves to {code, user, body, tokens}. onTheWay may change the client's token, backAgain the server's.
async function logOnAtOnce(port, client, { onTheWay = same, backAgain = same, path, scheme } = {}) {
    try {
        const token = onTheWay(client.first());
        const result = await get(port, undefined, token, { packageName: client.packageName, path, scheme });
        const tokens = [token];
        if (result.challenge && result.code === 200) {
            tokens.push(result.challenge);
            client.answer(backAgain(result.challenge));
        }
        return { ...result, tokens };
    } finally {
        client.close();
    }
}

module.exports = { get, logOn, logOnAtOnce };
