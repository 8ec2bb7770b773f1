// SPDX-License-Identifier: LGPL-2.1-or-later
//
// EncryptMessage and DecryptMessage for a context of node-expose-sspi's, which has neither: secur32.dll called by
// koffi.
'use strict';

const koffi = require('koffi');

const STREAM = 10, DATA = 1, TOKEN = 2, PADDING = 9; // SECBUFFER_
const SIZES = 0; // SECPKG_ATTR_

const library = koffi.load('secur32.dll');
koffi.struct('SecHandle', { dwLower: 'uintptr_t', dwUpper: 'uintptr_t' });
const SecBuffer = koffi.struct('SecBuffer', { cbBuffer: 'uint32', BufferType: 'uint32', pvBuffer: 'void *' });
koffi.struct('SecBufferDesc', { ulVersion: 'uint32', cBuffers: 'uint32', pBuffers: 'void *' });
koffi.struct('Sizes', {
    cbMaxToken: 'uint32', cbMaxSignature: 'uint32', cbBlockSize: 'uint32', cbSecurityTrailer: 'uint32',
});
const queryContextAttributes = library.func('int32 QueryContextAttributesW(SecHandle *, uint32, _Out_ Sizes *)');
const encryptMessage = library.func('int32 EncryptMessage(SecHandle *, uint32, SecBufferDesc *, uint32)');
const decryptMessage = library.func('int32 DecryptMessage(SecHandle *, SecBufferDesc *, uint32, _Out_ uint32 *)');

// The addon writes a handle as its upper half, a dot and its lower half.
function toHandle(text) {
    const [dwUpper, dwLower] = text.split('.').map(BigInt);
    return { dwLower, dwUpper };
}

function check(name, status) {
    if (status !== 0) {
        throw new Error(`${name}: 0x${(status >>> 0).toString(16).padStart(8, '0')}`);
    }
}

// Has call, which is given a description of parts, [type, size or Buffer] each, and returns the Buffers that come of
// them.
function withBuffers(parts, call) {
    const memory = parts.map(([, content]) => koffi.alloc('uint8', Math.max(content.length ?? content, 1)));
    const buffers = koffi.alloc(SecBuffer, parts.length);
    try {
        parts.forEach(([, content], i) => {
            if (content.length) {
                koffi.encode(memory[i], 'uint8', [...content], content.length);
            }
        });
        koffi.encode(buffers, SecBuffer, parts.map(([BufferType, content], i) => (
            { cbBuffer: content.length ?? content, BufferType, pvBuffer: content === 0 ? null : memory[i] }
        )), parts.length);
        call({ ulVersion: 0, cBuffers: parts.length, pBuffers: buffers });
        return koffi.decode(buffers, SecBuffer, parts.length).map(({ cbBuffer, pvBuffer }) => (
            cbBuffer ? Buffer.from(koffi.decode(pvBuffer, 'uint8', cbBuffer)) : Buffer.alloc(0)));
    } finally {
        [...memory, buffers].forEach((each) => koffi.free(each));
    }
}

// What goes over the wire for data.
function seal(context, data) {
    const handle = toHandle(context), sizes = {};
    check('QueryContextAttributes', queryContextAttributes(handle, SIZES, sizes));
    const parts = [[TOKEN, sizes.cbSecurityTrailer], [DATA, data], [PADDING, sizes.cbBlockSize]];
    return Buffer.concat(withBuffers(parts,
        (description) => check('EncryptMessage', encryptMessage(handle, 0, description, 0))));
}

// The data of what came over the wire, which has to be sealed.
function unseal(context, message) {
    const qop = [0];
    const parts = withBuffers([[STREAM, message], [DATA, 0]],
        (description) => check('DecryptMessage', decryptMessage(toHandle(context), description, 0, qop)));
    if (qop[0] !== 0) {
        throw new Error('DecryptMessage: the message is not sealed');
    }
    return parts[1];
}

module.exports = { seal, unseal };
