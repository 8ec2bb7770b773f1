// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The two sides of a logon with NTLM, Negotiate or Kerberos, made of addons that other people compiled for Windows:
// clients on win-sso and on node-expose-sspi, and an acceptor on node-expose-sspi. A token is a Buffer.
'use strict';

const { sspi } = require('node-expose-sspi/lib/api');
const { WinSso } = require('win-sso');

// The addon takes and gives ArrayBuffers, and a Buffer may be a window into a larger one.
const toDescription = (token) => ({ ulVersion: 0, buffers: [new Uint8Array(token).buffer] });
const fromDescription = (description) => Buffer.from(description.buffers[0]);

class ExposeSspiClient {
    // authData: {user, password, domain}, or undefined for default credentials; contextReq: names of ISC_REQ flags.
    constructor({
        packageName = 'NTLM', targetName = 'HTTP/localhost', authData, contextReq = ['ISC_REQ_CONNECTION'],
    } = {}) {
        const who = authData ? { authData } : {};
        this.packageName = packageName;
        this.input = { targetName, contextReq };
        this.input.credential = sspi.AcquireCredentialsHandle({
            packageName, credentialUse: 'SECPKG_CRED_OUTBOUND', ...who,
        }).credential;
    }

    first() {
        return this.step();
    }

    answer(challenge) {
        this.input.contextHandle = this.context.contextHandle;
        this.input.SecBufferDesc = toDescription(challenge);
        return this.step();
    }

    step() {
        this.context = sspi.InitializeSecurityContext(this.input);
        return fromDescription(this.context.SecBufferDesc);
    }

    status() {
        return this.context.SECURITY_STATUS;
    }

    flags() {
        return this.context.contextAttr;
    }

    user() {
        return sspi.QueryContextAttributes(this.context.contextHandle, 'SECPKG_ATTR_NAMES').sUserName;
    }

    close() {
        if (this.context) {
            sspi.DeleteSecurityContext(this.context.contextHandle);
        }
        sspi.FreeCredentialsHandle(this.input.credential);
    }
}

class WinSsoClient {
    // host: what it makes the target name HTTP/host of; certificate: a peer's, for channel bindings.
    constructor({ packageName = 'NTLM', host = 'localhost', certificate } = {}) {
        this.packageName = packageName;
        this.sso = new WinSso(packageName, host, certificate, undefined);
    }

    first() {
        return this.sso.createAuthRequest();
    }

    answer(challenge) {
        return this.sso.createAuthResponse(`${this.packageName} ${challenge.toString('base64')}`);
    }

    close() {
        this.sso.freeAuthContext();
    }
}

class Acceptor {
    constructor({ packageName = 'NTLM', contextReq = ['ASC_REQ_CONNECTION'] } = {}) {
        this.input = { contextReq };
        this.input.credential = sspi.AcquireCredentialsHandle({
            packageName, credentialUse: 'SECPKG_CRED_INBOUND',
        }).credential;
    }

    // Returns the status, by name, and the answer; throws for a status that the addon has no name for.
    accept(token) {
        const context = sspi.AcceptSecurityContext({ ...this.input, SecBufferDesc: toDescription(token) });
        const status = context.SECURITY_STATUS;
        if (['SEC_E_OK', 'SEC_I_CONTINUE_NEEDED'].includes(status)) { // a first token that is refused makes no context
            this.context = context;
            this.input.contextHandle = context.contextHandle;
        }
        return { status, token: fromDescription(context.SecBufferDesc) };
    }

    flags() {
        return this.context.contextAttr;
    }

    user() {
        return sspi.QueryContextAttributes(this.context.contextHandle, 'SECPKG_ATTR_NAMES').sUserName;
    }

    close() {
        if (this.context) {
            sspi.DeleteSecurityContext(this.context.contextHandle);
        }
        sspi.FreeCredentialsHandle(this.input.credential);
    }
}

// What a program is told that has these as its logon.
const ownName = () => sspi.GetUserNameEx('NameSamCompatible');
const machine = () => ownName().split('\\')[0];

// The account that the test's account file holds.
const account = { user: process.env.REAL_USER, password: process.env.REAL_PASSWORD, domain: '' };
const accountName = () => `${machine()}\\${account.user}`;

module.exports = { sspi, WinSso, ExposeSspiClient, WinSsoClient, Acceptor, ownName, machine, account, accountName };
