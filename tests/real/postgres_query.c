/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PostgreSQL's messages, version 3 of its protocol.
 */
#include "postgres.h"

#include <stdlib.h>
#include <string.h>

static ULONG number_at(const char *bytes)
{
    u_long number;
    memcpy(&number, bytes, sizeof number);
    return ntohl(number);
}

static char *put_number(char *bytes, ULONG number)
{
    const u_long ordered = htonl(number);
    memcpy(bytes, &ordered, sizeof ordered);
    return bytes + sizeof ordered;
}

/* ---- what is sent ---- */

char *query_message(const char *sql, ULONG *size)
{
    const ULONG text = (ULONG)strlen(sql) + 1;
    char *message = malloc(5 + text);
    *message = 'Q';
    memcpy(put_number(message + 1, 4 + text), sql, text);
    *size = 5 + text;
    return message;
}

static BOOL send_startup(struct connection *connection, const char *role)
{
    static const char user[] = "user", database[] = "database\0postgres\0"; /* and the zero that ends the list */
    char message[256];
    const ULONG size = 8 + sizeof user + (ULONG)strlen(role) + 1 + sizeof database;
    if (size > sizeof message) return FALSE;
    char *next = put_number(put_number(message, size), 3 << 16);
    memcpy(next, user, sizeof user);
    next += sizeof user;
    strcpy(next, role);
    memcpy(next + strlen(role) + 1, database, sizeof database);
    return write_stream(connection, message, size);
}

/* ---- what is received ---- */

/* The caller frees the body, which is NULL after a failure. */
static BOOL receive_message(struct connection *connection, struct message *message)
{
    char head[5];
    message->body = NULL;
    if (!read_stream(connection, head, sizeof head) || number_at(head + 1) < 4) return FALSE;
    message->type = *head;
    message->size = number_at(head + 1) - 4;
    message->body = calloc(1, (size_t)message->size + 1);
    return message->body && read_stream(connection, message->body, message->size);
}

/* DataRow: the number of columns, two bytes, and of each the size and the text. */
static void take_row(const struct message *message, struct answer *answer)
{
    const char *next = message->body + 2, *const end = message->body + message->size;
    char *to = answer->row = realloc(answer->row, message->size + 1);
    while (end - next >= 4) {
        const ULONG size = number_at(next);
        next += 4;
        if (size > (ULONG)(end - next)) break; /* NULL among them */
        if (to != answer->row) *to++ = '|';
        memcpy(to, next, size);
        to += size;
        next += size;
    }
    *to = 0;
}

/* ErrorResponse: fields of a letter and a text each. */
static void take_error(const struct message *message, struct answer *answer)
{
    for (const char *field = message->body; *field; field += strlen(field) + 1)
        if (*field == 'C') strncpy(answer->code, field + 1, sizeof answer->code - 1);
}

BOOL read_answer(struct connection *connection, struct answer *answer)
{
    struct message message = {0};
    BOOL good;
    do {
        free(message.body);
        good = receive_message(connection, &message);
        if (good && message.type == 'D') take_row(&message, answer);
        if (good && message.type == 'E') take_error(&message, answer);
    } while (good && message.type != 'Z');
    free(message.body);
    return good;
}

BOOL start_session(struct connection *connection, const char *role, struct answer *answer)
{
    *answer = (struct answer){0};
    return send_startup(connection, role) && read_answer(connection, answer);
}

BOOL run_query(struct connection *connection, const char *sql, struct answer *answer)
{
    ULONG size;
    char *message = query_message(sql, &size);
    const BOOL sent = write_stream(connection, message, size);
    free(message);
    *answer = (struct answer){0};
    return sent && read_answer(connection, answer);
}

void drop_answer(struct answer *answer)
{
    free(answer->row);
    answer->row = NULL;
}
