// SPDX-License-Identifier: LGPL-2.1-or-later
//
// gss_server.js PORT_FILE PACKAGE: a server on loopback of node-expose-sspi, for clients of a GSS-API library
// (gss_client.py). It writes its port into the file once it listens. A frame is a letter, a size of four bytes, and its
// bytes: T a token, M a sealed message, which is answered with the client's name in front, E why the last was refused.
'use strict';

const fs = require('fs');
const net = require('net');
const { Acceptor } = require('./peers');
const { seal, unseal } = require('./messages');

const [portFile, packageName] = process.argv.slice(2);
const contextReq = ['ASC_REQ_MUTUAL_AUTH', 'ASC_REQ_REPLAY_DETECT', 'ASC_REQ_SEQUENCE_DETECT',
    'ASC_REQ_CONFIDENTIALITY', 'ASC_REQ_INTEGRITY'];

function frame(letter, bytes) {
    const head = Buffer.alloc(5, letter);
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
}

// The answer to a frame.
function answer(acceptor, letter, bytes) {
    try {
        if (letter === 'T') {
            const { status, token } = acceptor.accept(bytes);
            return status === 'SEC_E_OK' ? frame('T', token) : frame('E', Buffer.from(status));
        }
        const context = acceptor.context.contextHandle;
        return frame('M', seal(context, Buffer.concat([Buffer.from(`${acceptor.user()}: `), unseal(context, bytes)])));
    } catch (error) {
        return frame('E', Buffer.from(/0x[0-9a-f]{8}/.exec(error.message)?.[0] ?? error.message));
    }
}

const server = net.createServer((socket) => {
    const acceptor = new Acceptor({ packageName, contextReq });
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
            const end = 5 + rest.readUInt32BE(1);
            socket.write(answer(acceptor, rest.toString('latin1', 0, 1), rest.subarray(5, end)));
            rest = rest.subarray(end);
        }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => acceptor.close());
});

server.listen(0, '127.0.0.1', () => fs.writeFileSync(portFile, String(server.address().port)));
