// SPDX-License-Identifier: LGPL-2.1-or-later
//
// server.js PORT_FILE: an HTTP server on loopback that wants NTLM, and under /negotiate Negotiate. It writes its port
// into the file once it listens. Each request authenticates anew; as with every NTLM over HTTP, a logon belongs to its
// connection.
'use strict';

const fs = require('fs');
const http = require('http');
const { Acceptor } = require('./peers');

const acceptors = new WeakMap(); // by connection, while a logon is under way

function answer(response, packageName, code, body, token) {
    if (token?.length) {
        response.setHeader('WWW-Authenticate', `${packageName} ${token.toString('base64')}`);
    } else if (code === 401) {
        response.setHeader('WWW-Authenticate', packageName);
    }
    response.writeHead(code, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
}

function take(socket, packageName, token) {
    const acceptor = acceptors.get(socket) ?? new Acceptor({ packageName });
    acceptors.delete(socket);
    try {
        const result = acceptor.accept(token);
        if (result.status === 'SEC_I_CONTINUE_NEEDED') {
            acceptors.set(socket, acceptor);
            return [401, { status: result.status, flags: acceptor.flags() }, result.token];
        }
        if (result.status !== 'SEC_E_OK') {
            return [401, { status: result.status }];
        }
        return [200, { status: result.status, user: acceptor.user(), flags: acceptor.flags() }, result.token];
    } catch (error) {
        return [401, { status: /0x[0-9a-f]{8}/.exec(error.message)?.[0] ?? error.message }];
    } finally {
        if (!acceptors.has(socket)) {
            acceptor.close();
        }
    }
}

const server = http.createServer((request, response) => {
    const packageName = request.url === '/negotiate' ? 'Negotiate' : 'NTLM';
    const offered = new RegExp(`^${packageName} (\\S+)$`).exec(request.headers.authorization ?? '');
    const token = offered && Buffer.from(offered[1], 'base64');
    answer(response, packageName, ...(token ? take(request.socket, packageName, token) : [401, {}]));
});

server.on('connection', (socket) => socket.on('close', () => {
    acceptors.get(socket)?.close();
    acceptors.delete(socket);
}));
server.listen(0, '127.0.0.1', () => fs.writeFileSync(process.argv[2], String(server.address().port)));
