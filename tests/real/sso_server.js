// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sso_server.js PORT_FILE: an HTTP server on loopback behind node-expose-sspi's own middleware, which impersonates each
// client to read its token. It answers with what that found of the client, and of itself; a refusal with its reason. It
// writes its port into the file once it listens.
'use strict';

const fs = require('fs');
const http = require('http');
const { sso } = require('node-expose-sspi');

const authenticate = sso.auth({ useOwner: true });

function answer(response, code, body) {
    response.writeHead(code, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
}

const server = http.createServer((request, response) => authenticate(request, response, (error) => {
    if (error) {
        answer(response, error.statusCode, { reason: error.message });
    } else {
        answer(response, 200, request.sso);
    }
}));

server.listen(0, '127.0.0.1', () => fs.writeFileSync(process.argv[2], String(server.address().port)));
