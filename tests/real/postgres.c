/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * postgres.exe PACKAGE PORT SERVICE/HOST REALM CACHED USER PASSWORD: logs on to a PostgreSQL server on this machine
 * that takes encrypted connections of GSS-API's alone, as CACHED, whose tickets are in the user's cache, and as USER
 * with PASSWORD; talks to it, and attacks the packets on both ways. Each name is also a role of the server's.
 */
#include "postgres.h"
#include "../packages/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SECQOP_WRAP_NO_ENCRYPT
#define SECQOP_WRAP_NO_ENCRYPT 0x80000001
#endif

/* RFC 4121 4.2.6.2: what a sealed message's token begins with, in the clear. */
enum { TOKEN_HEADER = 16 };

enum { LARGE = 3000000 };

static struct logon logon; /* with the cache */
static const char *realm;
static SEC_WINNT_AUTH_IDENTITY_A explicit_identity;
static char wrong_password[] = "wrong";

static SEC_WINNT_AUTH_IDENTITY_A identity_of(char *user, char *domain, char *password)
{
    return (SEC_WINNT_AUTH_IDENTITY_A){.User = (unsigned char *)user,
                                       .UserLength = (ULONG)strlen(user),
                                       .Domain = (unsigned char *)domain,
                                       .DomainLength = (ULONG)strlen(domain),
                                       .Password = (unsigned char *)password,
                                       .PasswordLength = (ULONG)strlen(password),
                                       .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
}

static struct logon explicit_logon(void)
{
    struct logon other = logon;
    other.identity = &explicit_identity;
    other.role = (const char *)explicit_identity.User;
    return other;
}

/* A session that is ready for a query; the case fails without. */
static BOOL log_on(struct connection *connection, const struct logon *who)
{
    struct answer answer;
    const BOOL good =
        open_connection(connection, who, NULL) && start_session(connection, who->role, &answer) && !*answer.code;
    check(good, "the server takes the session");
    if (!good) printf("      %08lx\n", connection->status);
    return good;
}

/* ---- logons ---- */

/* What the server says of the connection. */
static void check_session(const struct logon *who)
{
    static const char sql[] = "select current_user, gss_authenticated, encrypted, principal from pg_stat_gssapi "
                              "where pid = pg_backend_pid()";
    struct connection connection;
    struct answer answer = {0};
    char expected[256];
    snprintf(expected, sizeof expected, "%s|t|t|%s@%s", who->role, who->role, realm);
    if (log_on(&connection, who)) {
        check(run_query(&connection, sql, &answer) && answer.row && !strcmp(answer.row, expected),
              "the server sees the user, authenticated and encrypted");
        if (answer.row) printf("      %s\n", answer.row);
        drop_answer(&answer);
    }
    drop_connection(&connection);
}

static void test_logons(void)
{
    const struct logon other = explicit_logon();
    section("with the user's tickets");
    check_session(&logon);
    section("with a password");
    check_session(&other);
}

static void check_refused(const struct logon *who, SECURITY_STATUS status, const char *what)
{
    struct connection connection;
    check(!open_connection(&connection, who, NULL), "no session");
    check_status(connection.status, status, what);
    drop_connection(&connection);
}

/* One bit in the last byte of the server's token. */
static void alter_token(struct packet *token)
{
    token->data[token->size - 1] ^= 1;
}

/* errors.tsv InitializeSecurityContext Kerberos */
static void test_refusals(void)
{
    static char unknown[] = "postgres/nowhere.example";
    SEC_WINNT_AUTH_IDENTITY_A identity = explicit_identity;
    struct connection connection;
    struct answer answer;
    struct logon who = explicit_logon();
    section("refused");
    who.identity = &identity;
    identity.Password = (unsigned char *)wrong_password;
    identity.PasswordLength = sizeof wrong_password - 1;
    check_refused(&who, SEC_E_LOGON_DENIED, "a wrong password");
    who = logon;
    who.target = unknown;
    if (strcmp(who.package, "Negotiate")) /* which would go on with NTLM */
        check_refused(&who, SEC_E_TARGET_UNKNOWN, "a service that the realm does not know");
    check(!open_connection(&connection, &logon, alter_token), "no session");
    check_status(connection.status, SEC_E_WRONG_PRINCIPAL, "the server's token altered on the way");
    drop_connection(&connection);
    answer = (struct answer){0};
    check(open_connection(&connection, &logon, NULL) &&
              !start_session(&connection, (const char *)explicit_identity.User, &answer) &&
              !strcmp(answer.code, "28000"),
          "another user's role (invalid_authorization_specification)");
    drop_connection(&connection);
}

/* ---- many packets ---- */

/* "select 'LETTERS'", and where in it the letters are. */
static char *large_query(char **letters)
{
    char *sql = malloc(LARGE + 16);
    ULONG state = 1;
    *letters = sql + sprintf(sql, "select '");
    for (ULONG i = 0; i < LARGE; i++) {
        state = state * 1103515245 + 12345;
        (*letters)[i] = (char)('a' + (state >> 16) % 26);
    }
    strcpy(*letters + LARGE, "'");
    return sql;
}

static void test_large(void)
{
    struct connection connection;
    struct answer answer = {0};
    char *letters, *sql = large_query(&letters);
    section("3 MB");
    if (log_on(&connection, &logon)) {
        check(run_query(&connection, "select repeat('x', 3000000)", &answer) && answer.row &&
                  strspn(answer.row, "x") == LARGE && !answer.row[LARGE],
              "from the server");
        check(connection.received > LARGE / LARGEST_PACKET, "in many packets");
        drop_answer(&answer);
        check(run_query(&connection, sql, &answer) && answer.row && strlen(answer.row) == LARGE &&
                  !memcmp(answer.row, letters, LARGE),
              "to the server and back");
        check(connection.sent > LARGE / LARGEST_PACKET, "in many packets");
        drop_answer(&answer);
    }
    drop_connection(&connection);
    free(sql);
}

static void test_many(void)
{
    struct connection connection;
    BOOL good = TRUE;
    section("300 queries");
    if (log_on(&connection, &logon)) {
        for (int i = 0; good && i < 300; i++) {
            char sql[32], number[16];
            struct answer answer = {0};
            snprintf(number, sizeof number, "%d", i);
            snprintf(sql, sizeof sql, "select %d", i);
            good = run_query(&connection, sql, &answer) && answer.row && !strcmp(answer.row, number);
            drop_answer(&answer);
        }
        check(good, "each has its answer");
    }
    drop_connection(&connection);
}

/* ---- attacks on what the server receives ---- */

/* Seals a query whose answer is "reached" into what is to be sent. */
static BOOL seal_query(struct connection *connection, ULONG qop)
{
    ULONG size;
    char *message = query_message("select 'reached'", &size);
    connection->status = seal(connection, message, size, qop, &connection->out);
    free(message);
    return !connection->status;
}

static BOOL is_reached(struct connection *connection)
{
    struct answer answer = {0};
    const BOOL good = read_answer(connection, &answer) && answer.row && !strcmp(answer.row, "reached");
    drop_answer(&answer);
    return good;
}

/* OFFSET: where the bit is flipped; behind the end: in the last byte. */
static void check_altered(ULONG offset, const char *what)
{
    struct connection connection;
    BOOL sent = log_on(&connection, &logon) && seal_query(&connection, 0);
    if (sent) {
        connection.out.data[min(offset, connection.out.size - 1)] ^= 1;
        sent = send_packet(&connection, &connection.out);
    }
    check(sent && is_thrown_out(&connection), what);
    drop_connection(&connection);
}

static void test_altered_for_server(void)
{
    section("one bit of a sealed packet is flipped: thrown out");
    check_altered(2, "its flags");
    check_altered(7, "its rotation");
    check_altered(TOKEN_HEADER - 1, "its number");
    check_altered(TOKEN_HEADER, "its first encrypted byte");
    check_altered(3 * TOKEN_HEADER, "in the middle");
    check_altered(LARGEST_PACKET, "its last byte");
}

/* The server wants each packet once, in its place, and sealed. */
static void test_order_for_server(void)
{
    struct connection connection;
    section("a packet comes twice");
    check(log_on(&connection, &logon) && seal_query(&connection, 0) && send_packet(&connection, &connection.out) &&
              send_packet(&connection, &connection.out) && is_reached(&connection),
          "the first is answered");
    check(is_thrown_out(&connection), "the second is not: thrown out");
    drop_connection(&connection);
    section("a packet is missing");
    check(log_on(&connection, &logon) && seal_query(&connection, 0) && seal_query(&connection, 0) &&
              send_packet(&connection, &connection.out) && is_thrown_out(&connection),
          "thrown out");
    drop_connection(&connection);
    section("a packet is signed alone");
    check(log_on(&connection, &logon) && seal_query(&connection, SECQOP_WRAP_NO_ENCRYPT) &&
              send_packet(&connection, &connection.out) && is_thrown_out(&connection),
          "thrown out");
    drop_connection(&connection);
}

/* ---- attacks on what the client receives ---- */

/* Counts the flips of one bit that DecryptMessage takes, or refuses with another status, or that leave other bytes. */
static ULONG wrong_flips(struct connection *connection, const struct packet *packet)
{
    static struct packet altered, after;
    const BYTE *text;
    ULONG wrong = 0, size;
    for (ULONG bit = 0; bit < packet->size * 8; bit++) {
        altered = *packet;
        altered.data[bit / 8] ^= (BYTE)(1 << bit % 8);
        after = altered;
        const SECURITY_STATUS status = unseal(connection, &after, &text, &size);
        /* The header says that it is a token, and of which kind: another may be none at all. */
        const BOOL right = status == SEC_E_MESSAGE_ALTERED || (bit < TOKEN_HEADER * 8 && status == SEC_E_INVALID_TOKEN);
        if (!right) printf("      bit %lu: %08lx\n", bit, status);
        wrong += !right || memcmp(after.data, altered.data, altered.size);
    }
    return wrong;
}

static void test_altered_for_client(void)
{
    static struct packet copy;
    struct connection connection;
    const BYTE *text;
    ULONG size;
    section("a packet of the server's");
    check(log_on(&connection, &logon) && seal_query(&connection, 0) && send_packet(&connection, &connection.out) &&
              receive_packet(&connection, &connection.in),
          "it comes");
    copy = connection.in;
    check(!wrong_flips(&connection, &connection.in), "each bit flipped: SEC_E_MESSAGE_ALTERED, and nothing written");
    check_status(unseal(&connection, &connection.in, &connection.text, &connection.text_size), SEC_E_OK,
                 "as it was sent, after all these");
    check_status(unseal(&connection, &copy, &text, &size), SEC_E_OUT_OF_SEQUENCE, "a second time");
    check(is_reached(&connection), "it is the answer");
    drop_connection(&connection);
}

/* errors.tsv DecryptMessage Kerberos: messages delivered in the wrong order */
static void test_order_for_client(void)
{
    static struct packet first, second, copy;
    struct connection connection;
    const BYTE *text;
    ULONG size;
    char *query = query_message("select repeat('x', 100000)", &size);
    section("two packets of the server's");
    check(log_on(&connection, &logon) && write_stream(&connection, query, size) &&
              receive_packet(&connection, &first) && receive_packet(&connection, &second),
          "they come");
    copy = second;
    check_status(unseal(&connection, &copy, &text, &size), SEC_E_OUT_OF_SEQUENCE, "the second before the first");
    check_status(unseal(&connection, &first, &text, &size), SEC_E_OK, "then the first");
    check_status(unseal(&connection, &second, &text, &size), SEC_E_OK, "then the second");
    drop_connection(&connection);
    free(query);
}

int main(int argc, char **argv)
{
    WSADATA data;
    if (argc != 8) {
        fprintf(stderr, "usage: postgres PACKAGE PORT SERVICE/HOST REALM CACHED USER PASSWORD\n");
        return 2;
    }
    logon = (struct logon){.package = argv[1], .port = (u_short)atoi(argv[2]), .target = argv[3], .role = argv[5]};
    realm = argv[4];
    explicit_identity = identity_of(argv[6], argv[4], argv[7]);
    if (WSAStartup(MAKEWORD(2, 2), &data)) return 1;
    test_logons();
    test_refusals();
    test_large();
    test_many();
    test_altered_for_server();
    test_order_for_server();
    test_altered_for_client();
    test_order_for_client();
    return finish_cases();
}
