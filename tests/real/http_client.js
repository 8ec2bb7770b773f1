// SPDX-License-Identifier: LGPL-2.1-or-later
//
// NTLM over HTTP from the client's side, with any client of peers.js.
'use strict';

const http = require('http');

// Resolves to {code, challenge, body}.
function get(port, agent, token) {
    const headers = token ? { Authorization: `NTLM ${token.toString('base64')}` } : {};
    return new Promise((resolve, reject) => {
        const request = http.get({ host: '127.0.0.1', port, agent, headers, timeout: 20000 }, (response) => {
            const chunks = [];
            const offered = /^NTLM (\S+)$/.exec(response.headers['www-authenticate'] ?? '');
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () => resolve({
                code: response.statusCode,
                challenge: offered && Buffer.from(offered[1], 'base64'),
                body: JSON.parse(Buffer.concat(chunks)),
            }));
        });
        request.on('error', reject);
        request.on('timeout', () => request.destroy(new Error('the server does not answer')));
    });
}

// Logs on over one connection, closes the client, and resolves to {code, body, tokens}: the last answer's, and the
// three tokens. onTheWay may change the last of them.
async function logOn(port, client, onTheWay = (token) => token) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    try {
        const first = client.first();
        const { challenge, body } = await get(port, agent, first);
        if (!challenge) {
            throw new Error(`no challenge, but ${JSON.stringify(body)}`);
        }
        const last = client.answer(challenge);
        const result = await get(port, agent, onTheWay(last));
        return { code: result.code, body: result.body, tokens: [first, challenge, last] };
    } finally {
        client.close();
        agent.destroy();
    }
}

module.exports = { get, logOn };
