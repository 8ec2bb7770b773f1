/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loopback logon across processes: of one Unix user, of two, and with a third that passes the messages on. Sources:
 * behaviour.md row 104; MS-NLMP 2.2.2.5, NTLMSSP_NEGOTIATE_LOCAL_CALL.
 *
 * To become another Unix user takes root's rights. Without them the other process has another secret, no more.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char secret_variable[] = "COUNTERSIGN_LOOPBACK_SECRET";
static const uid_t nobody = 65534;

/* The client's side of an exchange, its final status, and if that is SEC_E_OK a sealed word. */
static void be_client(int fd, const void *data)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct pair pair;
    uint8_t word[21] = "sealed";
    (void)data;
    pair_open(&pair, "NTLM", &setup);
    pair_client_step(&pair, (struct cs_span){0});
    send_token(fd, cs_token(pair.client));
    struct bytes challenge = receive_token(fd);
    SECURITY_STATUS status = pair_client_step(&pair, span_over(&challenge));
    send_token(fd, cs_token(pair.client));
    send_status(fd, status);
    if (status) return;
    seal(cs_context_session(pair.client), 0, word, 5, word + 5);
    send_token(fd, (struct cs_span){word, sizeof word});
}

/* The server's side: its final status, or that there was nothing to check. */
static void be_server(int fd, const void *data)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct pair pair;
    (void)data;
    pair_open(&pair, "NTLM", &setup);
    struct bytes token = receive_token(fd);
    pair_server_step(&pair, span_over(&token));
    send_token(fd, cs_token(pair.server));
    token = receive_token(fd);
    send_status(fd, token.size ? pair_server_step(&pair, span_over(&token)) : SEC_I_CONTINUE_NEEDED);
}

/* Runs a server here for the client in PROCESS. */
static SECURITY_STATUS serve(struct pair *pair, const struct process *process, SECURITY_STATUS *client)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    pair_open(pair, "NTLM", &setup);
    struct bytes token = receive_token(process->fd);
    assert_int_equal(pair_server_step(pair, span_over(&token)), SEC_I_CONTINUE_NEEDED);
    send_token(process->fd, cs_token(pair->server));
    token = receive_token(process->fd);
    *client = receive_status(process->fd);
    return token.size ? pair_server_step(pair, span_over(&token)) : SEC_I_CONTINUE_NEEDED;
}

static void across_two_processes(void **state)
{
    struct process process = start_process(be_client, NULL);
    SECURITY_STATUS client;
    struct pair pair;
    (void)state;
    assert_int_equal(serve(&pair, &process, &client), SEC_E_OK);
    assert_int_equal(client, SEC_E_OK);
    struct bytes word = receive_token(process.fd);
    assert_int_equal(word.size, 21);
    assert_int_equal(unseal(cs_context_session(pair.server), word.data, 5, word.data + 5), SEC_E_OK);
    assert_memory_equal(word.data, "seale", 5);
    pair_close(&pair);
    finish_process(&process);
}

enum whose_secret { OWN_SECRET, SECRET_OF_THE_VICTIM };

static void become_somebody_else(enum whose_secret secret)
{
    char folder[] = "/tmp/countersign-other-XXXXXX", path[64];
    if (geteuid() == 0 && (setgid(nobody) || setuid(nobody))) _exit(4);
    if (secret == SECRET_OF_THE_VICTIM) return;
    if (!mkdtemp(folder)) _exit(5);
    snprintf(path, sizeof path, "%s/secret", folder);
    setenv(secret_variable, path, 1);
}

static void remove_own_secret(enum whose_secret secret)
{
    char path[64];
    if (secret == SECRET_OF_THE_VICTIM) return;
    snprintf(path, sizeof path, "%s", getenv(secret_variable));
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
}

static void be_client_of_somebody_else(int fd, const void *data)
{
    const enum whose_secret *secret = data;
    become_somebody_else(*secret);
    be_client(fd, NULL);
    remove_own_secret(*secret);
}

static void be_server_of_somebody_else(int fd, const void *data)
{
    const enum whose_secret *secret = data;
    become_somebody_else(*secret);
    be_server(fd, NULL);
    remove_own_secret(*secret);
}

static void expect_client_refused(enum whose_secret secret)
{
    struct process process = start_process(be_client_of_somebody_else, &secret);
    SECURITY_STATUS client;
    struct pair pair;
    assert_int_equal(serve(&pair, &process, &client), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(client, SEC_E_NO_CREDENTIALS);
    assert_null(cs_context_session(pair.server));
    pair_close(&pair);
    finish_process(&process);
}

/* The server does not hold this user's secret: the client gives it nothing. */
static void expect_server_refused(enum whose_secret secret)
{
    struct process process = start_process(be_server_of_somebody_else, &secret);
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct pair pair;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    send_token(process.fd, cs_token(pair.client));
    struct bytes challenge = receive_token(process.fd);
    assert_true(challenge.size > 0);
    assert_int_equal(pair_client_step(&pair, span_over(&challenge)), SEC_E_NO_CREDENTIALS);
    assert_int_equal(cs_token(pair.client).size, 0);
    send_token(process.fd, cs_token(pair.client));
    assert_int_equal(receive_status(process.fd), SEC_I_CONTINUE_NEEDED);
    pair_close(&pair);
    finish_process(&process);
}

static void holder_of_another_secret(void **state)
{
    (void)state;
    expect_client_refused(OWN_SECRET);
    expect_server_refused(OWN_SECRET);
}

/* The secret lies there and may not be read: by its mode, since its folder lets everybody through. */
static void another_user_with_our_path(void **state)
{
    char folder[256];
    (void)state;
    if (geteuid() != 0) {
        print_message("only root can become another user\n");
        skip();
    }
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct pair pair;
    open_complete(&pair, &setup); /* the secret is there now */
    pair_close(&pair);
    snprintf(folder, sizeof folder, "%s", getenv(secret_variable));
    *strrchr(folder, '/') = 0;
    assert_int_equal(chmod(folder, 0755), 0);
    expect_client_refused(SECRET_OF_THE_VICTIM);
    expect_server_refused(SECRET_OF_THE_VICTIM);
    assert_int_equal(chmod(folder, 0700), 0);
}

/* A process between client and server, of another user if it can be, that hands on what it gets. */
struct relay {
    int client, server;
    bool renames_target;
};

/* Overwrites the target in the proof's AV pairs with "HOST/localhost"; it was made as long. */
static void rename_target(struct bytes *token)
{
    struct bytes from = utf16("HTTP/attacker1"), to = utf16("HOST/localhost");
    for (size_t i = 0; i + from.size <= token->size; i++)
        if (!memcmp(token->data + i, from.data, from.size)) memcpy(token->data + i, to.data, to.size);
}

static void be_relay(int fd, const void *data)
{
    const struct relay *relay = data;
    (void)fd;
    if (geteuid() == 0 && (setgid(nobody) || setuid(nobody))) _exit(4);
    struct bytes token = receive_token(relay->client);
    send_token(relay->server, span_over(&token));
    token = receive_token(relay->server);
    send_token(relay->client, span_over(&token));
    token = receive_token(relay->client);
    if (relay->renames_target) rename_target(&token);
    send_token(relay->server, span_over(&token));
}

/* The victim's client of TARGET, and a service of the victim's machine, with a relay in between. */
static SECURITY_STATUS run_relayed(const char *target, bool renames_target)
{
    struct pair_setup setup = loopback_setup(target);
    int client[2], server[2];
    struct pair pair;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, client), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, server), 0);
    struct relay relay = {client[1], server[1], renames_target};
    struct process process = start_process(be_relay, &relay);
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    send_token(client[0], cs_token(pair.client));
    struct bytes token = receive_token(server[0]);
    assert_int_equal(pair_server_step(&pair, span_over(&token)), SEC_I_CONTINUE_NEEDED);
    send_token(server[0], cs_token(pair.server));
    token = receive_token(client[0]);
    assert_int_equal(pair_client_step(&pair, span_over(&token)), SEC_E_OK);
    send_token(client[0], cs_token(pair.client));
    token = receive_token(server[0]);
    SECURITY_STATUS status = pair_server_step(&pair, span_over(&token));
    pair_close(&pair);
    finish_process(&process);
    for (int i = 0; i < 2; i++) {
        close(client[i]);
        close(server[i]);
    }
    return status;
}

/* The proof names whom the client wanted to reach, and that is not this machine. */
static void relay(void **state)
{
    (void)state;
    assert_int_equal(run_relayed("HTTP/attacker1", false), SEC_E_LOGON_DENIED);
    assert_int_equal(run_relayed("cifs/files.example.com", false), SEC_E_LOGON_DENIED);
    assert_int_equal(run_relayed("HTTP/attacker1", true), SEC_E_LOGON_DENIED);
    assert_int_equal(run_relayed("HOST/localhost", false), SEC_E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(across_two_processes),
        cmocka_unit_test(holder_of_another_secret),
        cmocka_unit_test(another_user_with_our_path),
        cmocka_unit_test(relay),
    };
    return cmocka_run_group_tests_name("loopback_processes", tests, known_account, forget_account);
}
