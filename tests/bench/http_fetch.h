/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fetching over HTTPS by WinHTTP, from localhost, whoever has issued its certificate.
 */
#ifndef BENCH_HTTP_FETCH_H
#define BENCH_HTTP_FETCH_H

#include <winsock2.h>
#include <windows.h>
#include <stdbool.h>

struct http_fetch {
    void *session, *connection; /* HINTERNET */
};

/* False: no memory. http_fetch_close frees, whatever the result. */
bool http_fetch_open(struct http_fetch *fetch, unsigned short port);
void http_fetch_close(struct http_fetch *fetch);

/* GET /. TAKE gets the content piece by piece, and says whether it is right. False: it was not, or did not come, and
 * GetLastError says more. */
bool http_fetch(struct http_fetch *fetch, bool (*take)(void *state, const BYTE *data, DWORD size), void *state);

#endif
