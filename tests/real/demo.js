// SPDX-License-Identifier: LGPL-2.1-or-later
//
// demo.js PORT: clients of server.js log on in turn, and each logon is shown.
'use strict';

const { sspi, ExposeSspiClient, WinSsoClient, ownName, account, accountName } = require('./peers');
const { logOn } = require('./http_client');

const CODES = { '0x8009030f': 'SEC_E_MESSAGE_ALTERED' }; // the addon has no name for it
const NAMES = {
    NTLM: ['NEGOTIATE', 'CHALLENGE', 'AUTHENTICATE'],
    Negotiate: ['NegTokenInit', 'NegTokenResp', 'NegTokenResp', 'NegTokenResp'],
};
const contextReq = ['ISC_REQ_CONNECTION', 'ISC_REQ_CONFIDENTIALITY', 'ISC_REQ_INTEGRITY'];

// One bit of the MIC, which stands at offset 72 (MS-NLMP 2.2.1.3).
function flipMic(token) {
    token[72] ^= 1;
    return token;
}

// user: whom the server has to see; refusal: the status if it has to refuse.
const logons = [
    { title: 'win-sso, default credentials', client: () => new WinSsoClient(), user: ownName() },
    {
        title: 'node-expose-sspi, default credentials',
        client: () => new ExposeSspiClient({ contextReq }), user: ownName(),
    },
    {
        title: `node-expose-sspi, ${account.user} with the password`,
        client: () => new ExposeSspiClient({ contextReq, authData: account }), user: accountName(),
    },
    {
        title: `node-expose-sspi, ${account.user} with a wrong password`,
        client: () => new ExposeSspiClient({ contextReq, authData: { ...account, password: 'wrong' } }),
        refusal: 'SEC_E_LOGON_DENIED',
    },
    {
        title: `node-expose-sspi, ${account.user}, and the last token altered on the way`,
        client: () => new ExposeSspiClient({ contextReq, authData: account }), onTheWay: flipMic,
        refusal: 'SEC_E_MESSAGE_ALTERED',
    },
    {
        title: `node-expose-sspi over Negotiate, ${account.user} with the password`,
        client: () => new ExposeSspiClient({ packageName: 'Negotiate', contextReq, authData: account }),
        user: accountName(),
    },
];

function showPackage(name) {
    const info = sspi.QuerySecurityPackageInfo(name);
    console.log(`Package ${info.Name} ("${info.Comment}"): version ${info.wVersion}, RPC id ${info.wRPCID}, ` +
        `capabilities ${info.fCapabilities}, tokens of at most ${info.cbMaxToken} bytes`);
}

// Shows one logon; false if it did not end as it had to.
async function show(port, { title, client, user, refusal, onTheWay }) {
    const side = client();
    console.log(`\n${title}`);
    const { code, body, tokens } = await logOn(port, side, onTheWay);
    tokens.forEach((token, i) => {
        const way = i % 2 ? 'server -> client' : 'client -> server';
        console.log(`    ${way}  ${NAMES[side.packageName][i].padEnd(12)}  ${token.length} bytes`);
    });
    if (side.flags) {
        console.log(`    client sees: flags ${side.flags().join(' ') || 'none'}`);
    }
    const status = CODES[body.status] ?? body.status;
    const seen = body.user ? `, user ${body.user}, flags ${body.flags.join(' ')}` : '';
    console.log(`    server sees: ${status}${seen}; it answers ${code}`);
    const good = code === (user ? 200 : 401) && status === (refusal ?? 'SEC_E_OK') && body.user === user;
    if (!good) {
        console.log(`    FAILED: expected ${user ?? refusal}`);
    }
    return good;
}

async function main() {
    let good = true;
    Object.keys(NAMES).forEach(showPackage);
    for (const logon of logons) {
        good = await show(Number(process.argv[2]), logon) && good;
    }
    process.exitCode = good ? 0 : 1;
}

main();
