/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By WinHTTP, as programs fetch that know nothing of TLS. */
#include "http_fetch.h"

#include <winhttp.h>

bool http_fetch_open(struct http_fetch *fetch, unsigned short port)
{
    fetch->session = WinHttpOpen(L"tls_transfer", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    fetch->connection = fetch->session ? WinHttpConnect(fetch->session, L"localhost", port, 0) : NULL;
    return fetch->connection;
}

void http_fetch_close(struct http_fetch *fetch)
{
    WinHttpCloseHandle(fetch->connection);
    WinHttpCloseHandle(fetch->session);
}

static bool begin(HINTERNET request)
{
    DWORD trust = SECURITY_FLAG_IGNORE_UNKNOWN_CA;
    return WinHttpSetOption(request, WINHTTP_OPTION_SECURITY_FLAGS, &trust, sizeof trust) &&
           WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0) && WinHttpReceiveResponse(request, NULL);
}

bool http_fetch(struct http_fetch *fetch, bool (*take)(void *state, const BYTE *data, DWORD size), void *state)
{
    static BYTE buffer[65536];
    DWORD size = 0;
    const HINTERNET request = WinHttpOpenRequest(fetch->connection, NULL, L"/", NULL, NULL, NULL, WINHTTP_FLAG_SECURE);
    bool good = request && begin(request);
    do good = good && WinHttpReadData(request, buffer, sizeof buffer, &size) && take(state, buffer, size);
    while (good && size);
    WinHttpCloseHandle(request);
    return good;
}
