/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `libpq_logon FOLDER PORT ROLE` logs on to PostgreSQL on 127.0.0.1 by the libpq.dll in FOLDER, for the database
 * template1, and prints a line: "session" and who the server says that it is; or "error" and what libpq says.
 * Exit codes: 0, 1 there is no such libpq, or the query failed, 2 not understood.
 */
#include <windows.h>
#include <stdio.h>
#include <string.h>

enum { CONNECTION_OK = 0, TUPLES_OK = 2 }; /* libpq-fe.h */

struct libpq {
    void *(*connect)(const char *text);
    int (*status)(const void *connection);
    char *(*error)(const void *connection);
    void *(*exec)(void *connection, const char *query);
    int (*result_status)(const void *result);
    char *(*value)(const void *result, int row, int column);
    void (*finish)(void *connection);
};

static BOOL load(const char *folder, struct libpq *libpq)
{
    /* FOLDER also has the DLLs that this one needs. */
    HMODULE module = SetDllDirectoryA(folder) ? LoadLibraryA("libpq.dll") : NULL;
    if (!module) return FALSE;
    libpq->connect = (void *(*)(const char *))(void *)GetProcAddress(module, "PQconnectdb");
    libpq->status = (int (*)(const void *))(void *)GetProcAddress(module, "PQstatus");
    libpq->error = (char *(*)(const void *))(void *)GetProcAddress(module, "PQerrorMessage");
    libpq->exec = (void *(*)(void *, const char *))(void *)GetProcAddress(module, "PQexec");
    libpq->result_status = (int (*)(const void *))(void *)GetProcAddress(module, "PQresultStatus");
    libpq->value = (char *(*)(const void *, int, int))(void *)GetProcAddress(module, "PQgetvalue");
    libpq->finish = (void (*)(void *))(void *)GetProcAddress(module, "PQfinish");
    return libpq->connect && libpq->status && libpq->error && libpq->exec && libpq->result_status && libpq->value &&
           libpq->finish;
}

static int log_on(const struct libpq *libpq, const char *port, const char *role)
{
    char text[256];
    /* "localhost" is the service's host; it may have an address of IPv6 first, where nobody listens. */
    snprintf(text, sizeof text, "host=localhost hostaddr=127.0.0.1 port=%s user=%s dbname=template1 sslmode=disable",
             port, role);
    void *connection = libpq->connect(text);
    if (libpq->status(connection) != CONNECTION_OK) {
        const char *error = libpq->error(connection);
        printf("error %.*s\n", (int)strcspn(error, "\n"), error);
        libpq->finish(connection);
        return 0;
    }
    void *result = libpq->exec(connection, "select session_user");
    const BOOL answered = libpq->result_status(result) == TUPLES_OK;
    if (answered) printf("session %s\n", libpq->value(result, 0, 0));
    libpq->finish(connection);
    return answered ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct libpq libpq;
    if (argc != 4) return 2;
    return load(argv[1], &libpq) ? log_on(&libpq, argv[2], argv[3]) : 1;
}
