/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loopback logon in one process: default credentials with no password, and who must not get anything by it: a peer
 * that merely sets the flag, whoever guesses an answer, and whoever sends messages again. Across processes and users:
 * loopback_processes.c. Sources: behaviour.md row 104; MS-NLMP 2.2.2.5, NTLMSSP_NEGOTIATE_LOCAL_CALL.
 *
 * Bug classes: B1 (a MIC left out), B4 (flags stripped).
 */
#include "files.h"
#include "forge.h"
#include "ntlm.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char secret_variable[] = "COUNTERSIGN_LOOPBACK_SECRET";

static SECURITY_STATUS run_to(const char *target)
{
    struct pair_setup setup = loopback_setup(target);
    struct mitm mitm = {0};
    return run_edited(&setup, &mitm);
}

static void expect_own_name(struct cs_session *session)
{
    struct cs_writer user = {0};
    assert_true(ntlm_loopback_user(&user));
    assert_true(session->names.size > user.size);
    assert_memory_equal(session->names.data + session->names.size - user.size, user.data, user.size);
    cs_writer_drop(&user);
}

static void in_one_process(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct pair pair;
    (void)state;
    open_complete(&pair, &setup);
    expect_own_name(cs_context_session(pair.client));
    expect_own_name(cs_context_session(pair.server));
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* A server that merely sets the flag, with any mark. */
static void set_local_call(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    (void)mitm;
    if (number != 2) return;
    const uint32_t flags = mitm_word(cs_written(message), MITM_CHALLENGE_FLAGS);
    mitm_set_word(message, MITM_CHALLENGE_FLAGS, flags | NTLMSSP_NEGOTIATE_LOCAL_CALL);
    mitm_set_word(message, 32, 0x01020304);
    mitm_set_word(message, 36, 0x05060708);
}

static void flag_in_the_challenge(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct mitm mitm = {.edit = set_local_call};
    (void)state;
    assert_int_equal(run_edited(&setup, &mitm), SEC_E_NO_CREDENTIALS);
}

/* Every bit of the mark and of the server challenge, which it covers. */
static void flip_in_the_challenge(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const unsigned bit = *(const unsigned *)mitm->data;
    if (number == 2) message->data[24 + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void mark_is_all_needed(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    (void)state;
    for (unsigned bit = 0; bit < 16 * 8; bit++) {
        struct mitm mitm = {.edit = flip_in_the_challenge, .data = &bit};
        assert_int_equal(run_edited(&setup, &mitm), SEC_E_NO_CREDENTIALS);
    }
}

/* The server is on another machine, as far as it can tell: it does not offer, so there is nothing to log on with. */
static void no_offer_no_logon(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct mitm mitm = flag_edit(1, NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED, 0);
    (void)state;
    assert_int_equal(run_edited(&setup, &mitm), SEC_E_NO_CREDENTIALS);
    mitm = flag_edit(2, NTLMSSP_NEGOTIATE_LOCAL_CALL, 0);
    assert_int_equal(run_edited(&setup, &mitm), SEC_E_NO_CREDENTIALS);
}

/* A client that knows the protocol but not the secret: an answer of the user's name and LOCAL_CALL, under any key. */
struct guess {
    uint8_t key[NTLM_KEY];
    bool with_mic, with_target, other_user;
};

static void write_av(struct cs_writer *av, const struct guess *guess)
{
    const uint8_t flags[4] = {guess->with_mic ? MSV_AV_FLAG_MIC : 0};
    struct bytes target = utf16("HOST/localhost");
    ntlm_av_write(av, MsvAvFlags, (struct cs_span){flags, sizeof flags});
    if (guess->with_target) ntlm_av_write(av, MsvAvTargetName, span_over(&target));
    ntlm_av_write(av, MsvAvEOL, (struct cs_span){0});
}

static void answer_by_guess(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const struct guess *guess = mitm->data;
    struct forge forge = {.negotiate = mitm_message(mitm, 1), .challenge = mitm_message(mitm, 2)};
    struct ntlm_authenticate claim;
    struct cs_writer av = {0}, user = {0};
    if (number != 3) return;
    memcpy(forge.ntowfv1, guess->key, NTLM_KEY);
    write_av(&av, guess);
    assert_true(forge_av_pairs(message, cs_written(&av)));
    assert_int_equal(ntlm_authenticate_read(cs_written(message), &claim), SEC_E_OK);
    assert_true(guess->other_user ? cs_utf16_of(&user, cs_span_of("Somebody")) : ntlm_loopback_user(&user));
    claim.user = cs_written(&user);
    forge_rewrite(message, &claim);
    assert_true(forge_proof(&forge, message) && forge_mic(&forge, message));
    cs_writer_drop(&av);
    cs_writer_drop(&user);
}

static SECURITY_STATUS log_on_by_guess(const struct guess *guess)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct guess copy = *guess;
    struct mitm mitm = {.edit = answer_by_guess, .data = &copy};
    return run_edited(&setup, &mitm);
}

/* The right key shows that the guess fails for its key alone; and even so MIC, target and name are asked for: B1. */
static void forged_answers(void **state)
{
    struct guess guess = {.with_mic = true, .with_target = true};
    (void)state;
    assert_int_equal(log_on_by_guess(&guess), SEC_E_LOGON_DENIED);
    memset(guess.key, 0xff, sizeof guess.key);
    assert_int_equal(log_on_by_guess(&guess), SEC_E_LOGON_DENIED);
    assert_true(ntlm_loopback_hash(guess.key));
    assert_int_equal(log_on_by_guess(&guess), SEC_E_OK);
    guess.with_target = false;
    assert_int_equal(log_on_by_guess(&guess), SEC_E_LOGON_DENIED);
    guess.with_target = true;
    guess.with_mic = false;
    assert_int_equal(log_on_by_guess(&guess), SEC_E_LOGON_DENIED);
    guess.with_mic = guess.other_user = true;
    assert_int_equal(log_on_by_guess(&guess), SEC_E_LOGON_DENIED);
}

/* LOCAL_CALL in the answer to a challenge that did not offer it. */
static void flag_in_the_answer(void **state)
{
    struct pair_setup setup = known_setup();
    struct mitm mitm = flag_edit(3, 0, NTLMSSP_NEGOTIATE_LOCAL_CALL);
    (void)state;
    assert_int_equal(run_edited(&setup, &mitm), SEC_E_MESSAGE_ALTERED);
    setup.password = "wrong";
    mitm = flag_edit(3, 0, NTLMSSP_NEGOTIATE_LOCAL_CALL);
    assert_int_equal(run_edited(&setup, &mitm), SEC_E_LOGON_DENIED);
}

/* Without the flag it is a logon of the Unix user's name with an unknown password. */
static void flag_stripped_from_the_answer(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct mitm mitm = flag_edit(3, NTLMSSP_NEGOTIATE_LOCAL_CALL, 0);
    (void)state;
    assert_int_equal(run_edited(&setup, &mitm), SEC_E_LOGON_DENIED);
}

/* B4: any other flag */
static void flags_are_covered(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    const uint32_t flags[] = {NTLMSSP_NEGOTIATE_SIGN, NTLMSSP_NEGOTIATE_SEAL, NTLMSSP_NEGOTIATE_KEY_EXCH,
                              NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY};
    (void)state;
    for (unsigned number = 1; number <= 3; number++)
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
            struct mitm mitm = flag_edit(number, flags[i], 0);
            SECURITY_STATUS status = run_edited(&setup, &mitm);
            /* What the mark covers the client refuses, the rest the server. */
            assert_int_equal(status, number == 1 ? SEC_E_NO_CREDENTIALS : SEC_E_MESSAGE_ALTERED);
        }
}

/* Each message that the server of an earlier exchange got, sent to a new one. */
static void replay(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct mitm mitm = {0};
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    assert_int_equal(mitm_to_server(&pair, mitm_message(&mitm, 3)), STATUS_LOGON_FAILURE);
    pair_close(&pair);
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_to_server(&pair, mitm_message(&mitm, 1)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(mitm_to_server(&pair, mitm_message(&mitm, 3)), SEC_E_LOGON_DENIED);
    assert_null(cs_context_session(pair.server));
    pair_close(&pair);
    mitm_end(&mitm);
}

/* And the challenge to a new client: its mark covers the first message, which is the same; the server is not. */
static void replayed_challenge(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct mitm mitm = {0};
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    pair_close(&pair);
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(mitm_to_server(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(mitm_to_client(&pair, mitm_message(&mitm, 2)), SEC_E_OK);
    assert_int_equal(mitm_to_server(&pair, cs_token(pair.client)), SEC_E_LOGON_DENIED);
    pair_close(&pair);
    mitm_end(&mitm);
}

static bool is_own(const char *target)
{
    struct bytes name = utf16(target), machine = utf16("PINE"), dns = utf16("pine.example.net");
    return ntlm_loopback_target(span_over(&name), span_over(&machine), span_over(&dns));
}

static void targets(void **state)
{
    const char *own[] = {"",
                         "localhost",
                         "HOST/LocalHost",
                         "HTTP/localhost:8080",
                         "pine",
                         "HOST/Pine",
                         "http/pine/x",
                         "HOST/pine.example.net",
                         "PINE\\somebody",
                         "127.0.0.1",
                         "HTTP/127.0.0.1:80"};
    const char *foreign[] = {"attacker",
                             "HOST/attacker",
                             "HTTP/attacker:80/localhost",
                             "HOST/pine.example.org",
                             "HOST/pine2",
                             "HOST/",
                             "192.0.2.1",
                             "HTTP/192.0.2.1",
                             "HOST/localhost.evil",
                             "evil\\PINE",
                             "HOST/localhost@evil",
                             "HOST/127.0.0.1.evil"};
    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) assert_true(is_own(own[i]));
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) assert_false(is_own(foreign[i]));
}

/* A target with a NUL in it, or that is no UTF-16, is nobody's. */
static void targets_that_are_none(void **state)
{
    const char *bad[] = {"6c006f00630061006c0068006f007300740000002e00", "00d8",
                         "6c006f00630061006c0068006f0073007400ff"};
    struct bytes machine = utf16("PINE");
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes target = unhex(bad[i]);
        assert_false(ntlm_loopback_target(span_over(&target), span_over(&machine), span_over(&machine)));
    }
}

/* No target leaves open who was meant; HACKING says what follows from that. */
static void null_target(void **state)
{
    (void)state;
    assert_int_equal(run_to(NULL), SEC_E_OK);
    assert_int_equal(run_to(""), SEC_E_OK);
    assert_int_equal(run_to("HTTP/attacker"), SEC_E_LOGON_DENIED);
}

/* What the credential manager holds for the target goes before the loopback logon. */
static void given_identity(void **state)
{
    struct pair_setup setup = loopback_setup("HOST/localhost");
    struct bytes user = utf16("User"), domain = utf16("Domain"), password = utf16("Password");
    struct bytes tail = utf16("\\User"); /* not the Unix user */
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    pair.client_leg =
        (struct cs_leg){.credential = pair.client_credential,
                        .identity = {CS_IDENTITY_EXPLICIT, span_over(&user), span_over(&domain), span_over(&password)},
                        .room = SIZE_MAX};
    assert_int_equal(cs_initialize(&pair.client, &pair.client_leg), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    const struct cs_span names = cs_context_session(pair.server)->names;
    assert_true(names.size > tail.size);
    assert_memory_equal(names.data + names.size - tail.size, tail.data, tail.size);
    pair_close(&pair);
}

/* A secret that others may read, or that is too short, is none. */
static void unusable_secrets(void **state)
{
    const char *path = getenv(secret_variable);
    (void)state;
    assert_int_equal(run_to("HOST/localhost"), SEC_E_OK);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(run_to("HOST/localhost"), SEC_E_NO_CREDENTIALS);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 31), 0);
    assert_int_equal(run_to("HOST/localhost"), SEC_E_NO_CREDENTIALS);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(run_to("HOST/localhost"), SEC_E_OK);
}

static void secret_is_private(void **state)
{
    struct stat info;
    (void)state;
    assert_int_equal(run_to("HOST/localhost"), SEC_E_OK);
    assert_int_equal(stat(getenv(secret_variable), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, 32);
}

static void tell_secret(int fd, const void *path)
{
    uint8_t secret[32] = {0};
    char go;
    if (read(fd, &go, 1) != 1 || !cs_shared_secret(path, secret, sizeof secret)) _exit(6);
    send_token(fd, (struct cs_span){secret, sizeof secret});
}

/* Of several processes that make the secret at once all get the same. */
static void secret_made_at_once(void **state)
{
    enum { PROCESSES = 8 };
    struct process processes[PROCESSES];
    struct bytes secrets[PROCESSES];
    char path[256];
    (void)state;
    snprintf(path, sizeof path, "%s.many", getenv(secret_variable));
    for (int i = 0; i < PROCESSES; i++) processes[i] = start_process(tell_secret, path);
    for (int i = 0; i < PROCESSES; i++) assert_int_equal(write(processes[i].fd, "", 1), 1);
    for (int i = 0; i < PROCESSES; i++) {
        secrets[i] = receive_token(processes[i].fd);
        finish_process(&processes[i]);
        assert_int_equal(secrets[i].size, 32);
        assert_memory_equal(secrets[i].data, secrets[0].data, 32);
    }
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_one_process),
        cmocka_unit_test(flag_in_the_challenge),
        cmocka_unit_test(mark_is_all_needed),
        cmocka_unit_test(no_offer_no_logon),
        cmocka_unit_test(forged_answers),
        cmocka_unit_test(flag_in_the_answer),
        cmocka_unit_test(flag_stripped_from_the_answer),
        cmocka_unit_test(flags_are_covered),
        cmocka_unit_test(replay),
        cmocka_unit_test(replayed_challenge),
        cmocka_unit_test(targets),
        cmocka_unit_test(targets_that_are_none),
        cmocka_unit_test(null_target),
        cmocka_unit_test(given_identity),
        cmocka_unit_test(unusable_secrets),
        cmocka_unit_test(secret_is_private),
        cmocka_unit_test(secret_made_at_once),
    };
    return cmocka_run_group_tests_name("loopback", tests, known_account, forget_account);
}
