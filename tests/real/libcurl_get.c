/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `libcurl_get FOLDER URL` fetches by the libcurl.dll in FOLDER and prints a line: the HTTP code, the size, a sum of
 * the bytes; or "error", curl's number and what it says. Certificates are checked by Schannel's means alone. With a
 * third word, NAME:PASSWORD, or ":" for the user's tickets, it logs on with Negotiate and prints the code and what the
 * server says of it in the header X-User. Exit codes: 0, 1 there is no such libcurl, 2 not understood.
 */
#include "sum.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

/* curl/curl.h: what a libcurl of any version takes. */
enum {
    OPT_USERPWD = 10005,
    OPT_WRITEDATA = 10001,
    OPT_URL = 10002,
    OPT_ERRORBUFFER = 10010,
    OPT_TIMEOUT = 13,
    OPT_HTTPAUTH = 107,
    OPT_HEADERDATA = 10029,
    OPT_NOPROXY = 10177,
    OPT_SSL_OPTIONS = 216,
    OPT_WRITEFUNCTION = 20011,
    OPT_HEADERFUNCTION = 20079,
    INFO_RESPONSE_CODE = 0x200002,
    AUTH_NEGOTIATE = 4,
    NO_REVOKE = 2,
    ERROR_ROOM = 256,
    USER_ROOM = 128,
};

struct curl {
    void *(*init)(void);
    int (*setopt)(void *easy, int option, ...);
    int (*perform)(void *easy);
    int (*getinfo)(void *easy, int info, ...);
    void (*cleanup)(void *easy);
};

static BOOL load(const char *folder, struct curl *curl)
{
    /* FOLDER also has the DLLs that this one needs. */
    HMODULE module = SetDllDirectoryA(folder) ? LoadLibraryA("libcurl.dll") : NULL;
    if (!module) return FALSE;
    curl->init = (void *(*)(void))(void *)GetProcAddress(module, "curl_easy_init");
    curl->setopt = (int (*)(void *, int, ...))(void *)GetProcAddress(module, "curl_easy_setopt");
    curl->perform = (int (*)(void *))(void *)GetProcAddress(module, "curl_easy_perform");
    curl->getinfo = (int (*)(void *, int, ...))(void *)GetProcAddress(module, "curl_easy_getinfo");
    curl->cleanup = (void (*)(void *))(void *)GetProcAddress(module, "curl_easy_cleanup");
    return curl->init && curl->setopt && curl->perform && curl->getinfo && curl->cleanup;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *sum)
{
    sum_add(sum, (const BYTE *)bytes, (DWORD)(size * count));
    return size * count;
}

static size_t take_header(char *line, size_t size, size_t count, void *user)
{
    static const char name[] = "X-User: ";
    const size_t length = size * count, prefix = sizeof name - 1;
    if (length > prefix && length - prefix < USER_ROOM && !_strnicmp(line, name, prefix)) {
        memcpy(user, line + prefix, length - prefix);
        ((char *)user)[strcspn(user, "\r\n")] = 0;
    }
    return length;
}

static int fetch(const struct curl *curl, const char *url, const char *user, LONG ssl_options)
{
    struct sum sum = {0, 1, 0};
    char error[ERROR_ROOM] = "", who[USER_ROOM] = "";
    LONG code = 0;
    void *easy = curl->init();
    if (!easy) return 1;
    curl->setopt(easy, OPT_URL, url);
    curl->setopt(easy, OPT_NOPROXY, "*");
    curl->setopt(easy, OPT_TIMEOUT, 60L);
    curl->setopt(easy, OPT_SSL_OPTIONS, ssl_options);
    curl->setopt(easy, OPT_ERRORBUFFER, error);
    curl->setopt(easy, OPT_WRITEFUNCTION, take_body);
    curl->setopt(easy, OPT_WRITEDATA, &sum);
    curl->setopt(easy, OPT_HEADERFUNCTION, take_header);
    curl->setopt(easy, OPT_HEADERDATA, who);
    if (user) curl->setopt(easy, OPT_HTTPAUTH, (LONG)AUTH_NEGOTIATE);
    if (user) curl->setopt(easy, OPT_USERPWD, user);
    const int failure = curl->perform(easy);
    curl->getinfo(easy, INFO_RESPONSE_CODE, &code);
    curl->cleanup(easy);
    if (failure) return printf("error %d %s\n", failure, error) < 0;
    return user ? printf("%ld %s\n", code, who) < 0 : sum_print((DWORD)code, &sum);
}

int main(int argc, char **argv)
{
    struct curl curl;
    if (argc < 3 || argc > 4) return 2;
    const BOOL revocation = argc == 4 && !strcmp(argv[3], "revocation");
    if (!load(argv[1], &curl)) return 1;
    return fetch(&curl, argv[2], revocation ? NULL : argv[3], revocation ? 0 : NO_REVOKE);
}
