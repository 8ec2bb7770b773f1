/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is left in memory when credentials and contexts have been released: no password, no hash, no key.
 *
 *  E4  keys not wiped
 *
 * The test looks through all memory of its process that can be written to, but for the stack, where it works itself.
 * What it looks for stands in read-only memory, or masked.
 */
#include "unit.h"

#include "export.h"
#include "kerberos_crypto.h"
#include "kerberos_pair.h"
#include "ntlm_session.h"
#include "secure.h"
#include "tls_context.h"
#include "tls_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char password[] = "Wipe me, please";
static const uint8_t hash[NTLM_KEY] = {0x30, 0x02, 0xf8, 0x53, 0x79, 0xf7, 0xc1, 0x7c,
                                       0xf9, 0xf3, 0x7a, 0x39, 0x3a, 0x55, 0x9a, 0xde};
static const char account[] = "Wiper:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:HASH:[U]:\n";

enum { MASK = 0xa5, LONGEST = 64, CHUNK = 65536, LARGEST_MAPPING = 64 << 20 };

/* A secret, each byte under MASK. */
struct secret {
    uint8_t masked[LONGEST];
    size_t size;
};

static bool is_at(const uint8_t *memory, const struct secret *secret)
{
    for (size_t i = 0; i < secret->size; i++)
        if ((memory[i] ^ MASK) != secret->masked[i]) return false;
    return true;
}

static bool in_chunk(const uint8_t *memory, size_t size, const struct secret *secret)
{
    for (size_t i = 0; i + secret->size <= size; i++)
        if (is_at(memory + i, secret)) return true;
    return false;
}

/* Reads through the kernel, which asks no sanitizer. The chunk lies on the stack, where nobody looks. */
static bool in_mapping(int memory, uintptr_t start, uintptr_t end, const struct secret *secret)
{
    uint8_t chunk[CHUNK];
    for (uintptr_t at = start; at < end; at += CHUNK - LONGEST) {
        const size_t size = end - at < CHUNK ? end - at : CHUNK;
        const ssize_t got = pread(memory, chunk, size, (off_t)at);
        if (got > 0 && in_chunk(chunk, (size_t)got, secret)) return true;
    }
    return false;
}

static bool in_memory(const struct secret *secret)
{
    char line[512];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    assert_non_null(maps);
    assert_true(memory >= 0);
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        char access[8];
        assert_int_equal(sscanf(line, "%lx-%lx %7s", &start, &end, access), 3);
        if (strncmp(access, "rw", 2) || strstr(line, "[stack]") || end - start > LARGEST_MAPPING) continue;
        found = in_mapping(memory, start, end, secret);
    }
    close(memory);
    fclose(maps);
    return found;
}

static struct secret mask(const uint8_t *bytes, size_t size)
{
    struct secret secret = {.size = size};
    for (size_t i = 0; i < size; i++) secret.masked[i] = bytes[i] ^ MASK;
    return secret;
}

static struct secret password_secret(void)
{
    struct secret secret = {.size = 2 * (sizeof password - 1)};
    for (size_t i = 0; i < secret.size; i++) secret.masked[i] = (uint8_t)(i % 2 ? 0 : password[i / 2]) ^ MASK;
    return secret;
}

/* The hash as the account file has it. */
static struct secret hash_text_secret(void)
{
    struct secret secret = {.size = 2 * NTLM_KEY};
    for (size_t i = 0; i < secret.size; i++)
        secret.masked[i] = (uint8_t) "0123456789abcdef"[i % 2 ? hash[i / 2] & 15 : hash[i / 2] >> 4] ^ MASK;
    return secret;
}

/* Past stdio, whose buffers would keep it. */
static int write_account(void **state)
{
    (void)state;
    pair_environment(NULL);
    const struct secret text = hash_text_secret();
    const char *place = strstr(account, "HASH");
    int fd = open(getenv("COUNTERSIGN_ACCOUNTS"), O_WRONLY | O_CREAT, 0600);
    bool written = fd >= 0 && write(fd, account, (size_t)(place - account)) > 0;
    for (size_t i = 0; written && i < text.size; i++) {
        const char digit = (char)(text.masked[i] ^ MASK);
        written = write(fd, &digit, 1) == 1;
    }
    written = written && write(fd, place + 4, strlen(place + 4)) > 0;
    if (fd >= 0) close(fd);
    return written ? 0 : -1;
}

/* The search itself: what is in the heap is found, also after it has been freed without wiping. */
static void search_finds(void **state)
{
    uint8_t *key = malloc(NTLM_KEY);
    struct secret secret = {.size = NTLM_KEY};
    (void)state;
    assert_non_null(key);
    for (size_t i = 0; i < NTLM_KEY; i++) secret.masked[i] = (uint8_t)((key[i] = (uint8_t)(i * 37 + 11)) ^ MASK);
    assert_true(in_memory(&secret));
    memset(key, 1, NTLM_KEY);
    __asm__ volatile("" : : "r"(key) : "memory"); /* or the compiler leaves out what nobody reads again */
    assert_false(in_memory(&secret));
    free(key);
}

static void run_exchange(const struct pair_setup *setup, struct secret *session_key)
{
    struct pair pair;
    pair_open(&pair, "NTLM", setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    *session_key = mask(cs_context_session(pair.server)->session_key, NTLM_KEY);
    expect_messages_pass(&pair);
    pair_close(&pair);
}

static struct pair_setup wiper_setup(void)
{
    struct pair_setup setup = known_setup();
    setup.user = "Wiper";
    setup.password = password;
    return setup;
}

static void after_a_logon(void **state)
{
    const struct secret clear = password_secret(), nt_hash = mask(hash, sizeof hash), text = hash_text_secret();
    const struct pair_setup setup = wiper_setup();
    struct secret session_key;
    (void)state;
    run_exchange(&setup, &session_key);
    assert_false(in_memory(&clear));
    assert_false(in_memory(&nt_hash));
    assert_false(in_memory(&text));
    assert_false(in_memory(&session_key));
}

static void after_a_failed_logon(void **state)
{
    const struct secret nt_hash = mask(hash, sizeof hash), text = hash_text_secret();
    struct pair_setup setup = wiper_setup();
    struct pair pair;
    (void)state;
    setup.password = "another";
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_LOGON_DENIED);
    pair_close(&pair);
    assert_false(in_memory(&nt_hash));
    assert_false(in_memory(&text));
}

static void after_a_loopback_logon(void **state)
{
    struct pair_setup setup = known_setup();
    struct secret session_key, loopback;
    uint8_t secret[32];
    (void)state;
    setup.user = NULL;
    run_exchange(&setup, &session_key);
    int fd = open(getenv("COUNTERSIGN_LOOPBACK_SECRET"), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, secret, sizeof secret), sizeof secret);
    close(fd);
    loopback = mask(secret, sizeof secret);
    cs_wipe(secret, sizeof secret); /* AddressSanitizer may have the stack in the heap */
    assert_false(in_memory(&session_key));
    assert_false(in_memory(&loopback));
}

/* Exported away and not yet deleted, with its twin gone; and what an import that fails has decrypted. */
static void after_an_export(void **state)
{
    static const char *const packages[] = {"NTLM", "Negotiate"};
    const struct pair_setup setup = wiper_setup();
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        struct cs_session *twin;
        struct cs_writer packed = {0};
        size_t needed;
        pair_open(&pair, packages[i], &setup);
        assert_int_equal(pair_run(&pair), SEC_E_OK);
        const struct secret session_key = mask(cs_context_session(pair.server)->session_key, NTLM_KEY);
        struct cs_session *ends[2] = {cs_context_session(pair.client), cs_context_session(pair.server)};
        for (int end = 0; end < 2; end++) {
            assert_true(in_memory(&session_key));
            assert_int_equal(
                cs_export_session(ends[end], packages[i], CS_EXPORT_DELETE_OLD, SIZE_MAX, &packed, &needed), SEC_E_OK);
            assert_int_equal(cs_import_session(packages[1 - i], cs_written(&packed), &twin), SEC_E_INVALID_TOKEN);
            assert_int_equal(cs_import_session(packages[i], cs_written(&packed), &twin), SEC_E_OK);
            cs_session_release(twin);
            cs_writer_drop(&packed);
        }
        assert_false(in_memory(&session_key));
        pair_close(&pair);
    }
}

/* Ends SESSION by its export; SECRET, of its own keys, is there before and not afterwards. */
static void expect_ended(struct cs_session *session, const struct secret *secret)
{
    struct cs_writer packed = {0};
    size_t needed;
    assert_true(in_memory(secret));
    assert_int_equal(cs_export_session(session, session->package, CS_EXPORT_DELETE_OLD, SIZE_MAX, &packed, &needed),
                     SEC_E_OK);
    cs_writer_drop(&packed);
    assert_false(in_memory(secret));
    cs_session_release(session);
}

/* What the session key was made into: RC4's state in NTLM, Ke, which stands in AES's schedule, in Kerberos. */
static void after_the_end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sessions sessions = sessions_with(flavours[0].flags);
        cs_session_release(sessions.server); /* has the same */
        const uint8_t *rc4 = (const uint8_t *)ntlm_session_of(sessions.client)->directions[i].state.rc4.state;
        const struct secret stream = mask(rc4, LONGEST);
        expect_ended(sessions.client, &stream);
    }
    for (uint32_t usage = 22; usage <= 24; usage += 2) {
        const struct kerberos_session_seed seed = kerberos_seed(18, KERBEROS_ORDERED, true, 1);
        uint8_t key[KERBEROS_MAX_KEY];
        kerberos_derive(kerberos_etype(18), seed.key, usage, KERBEROS_KE, key);
        const struct secret ke = mask(key, sizeof key);
        cs_wipe(key, sizeof key);
        expect_ended(kerberos_session_create(&seed), &ke);
    }
}

/* Given up half way, with keys made and not used. */
static void after_half_an_exchange(void **state)
{
    const struct secret clear = password_secret(), nt_hash = mask(hash, sizeof hash);
    struct pair_setup setup = wiper_setup();
    (void)state;
    for (int legs = 1; legs <= 3; legs++) {
        struct pair pair;
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        if (legs > 1) assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
        if (legs > 2) assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
        pair_close(&pair);
        assert_false(in_memory(&clear));
        assert_false(in_memory(&nt_hash));
    }
}

/* KEY: the client's for what it sends. */
static void connect_and_talk(const struct tls_world_setup *setup, struct secret *key, bool look)
{
    struct tls_world_pair pair;
    struct cs_buffer buffers[4];
    struct cs_writer record = {0};
    gnutls_datum_t mac, iv, own;
    uint8_t number[8];
    assert_int_equal(tls_world_open(&pair, setup), SEC_E_OK);
    assert_true(tls_world_shake(&pair, setup, 0));
    assert_int_equal(gnutls_record_get_state(pair.client->session, 0, &mac, &iv, &own, number), 0);
    *key = mask(own.data, own.size);
    if (look) assert_true(in_memory(key)); /* while it is in use */
    assert_int_equal(tls_world_seal(pair.client, "x", 1, &record), SEC_E_OK);
    assert_int_equal(tls_world_open_record(pair.server, record.data, record.size, buffers), SEC_E_OK);
    cs_writer_drop(&record);
    tls_world_close(&pair);
}

/* A connection's keys: those of AES stand in its key schedule as they are, too. */
static void after_a_connection(void **state)
{
    static const struct tls_world_setup setups[] = {
        {.client_protocols = SP_PROT_TLS1_3_CLIENT, .key = TLS_WORLD_P256},
        {.client_protocols = SP_PROT_TLS1_2_CLIENT, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_GCM},
        {.client_protocols = SP_PROT_TLS1_2_CLIENT,
         .key = TLS_WORLD_P256,
         .client_without = TLS_WITHOUT_GCM | TLS_WITHOUT_CHACHA20},
    };
    struct secret keys[3];
    (void)state;
    for (size_t i = 0; i < 3; i++) connect_and_talk(&setups[i], &keys[i], i == 0);
    for (size_t i = 0; i < 3; i++)
        if (in_memory(&keys[i])) fail_msg("a key of setup %zu is left", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_finds),           cmocka_unit_test(after_a_logon),
        cmocka_unit_test(after_a_failed_logon),   cmocka_unit_test(after_a_loopback_logon),
        cmocka_unit_test(after_half_an_exchange), cmocka_unit_test(after_a_connection),
        cmocka_unit_test(after_an_export),        cmocka_unit_test(after_the_end),
    };
    return cmocka_run_group_tests_name("wiping", tests, write_account, forget_account);
}
