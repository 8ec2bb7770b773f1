/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The account file: what is looked up in it, and every way in which it can be wrong. None may end in a logon.
 *
 * Bug classes: B3 (an empty password or an unreadable file accepts), B5 (a password taken for a hash).
 */
#include "ntlm.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Password "Password": nlmp-4.2.2-ntlmv1 */
#define HASH "A4F49C406510BDCAB6824EE7C30FD852"
#define NO_HASH "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
#define EMPTY_HASH "31D6CFE0D16AE931B73C59D7E0C089C0"
#define LINE(user, hash, flags) user ":1000:" NO_HASH ":" hash ":" flags ":LCT-00000000:\n"

static const char *accounts_path(void)
{
    return getenv("COUNTERSIGN_ACCOUNTS");
}

/* Writes TEXT as the account file, with MODE. NULL: no file. */
static void write_file(const char *text, mode_t mode)
{
    unlink(accounts_path());
    if (!text) return;
    FILE *file = fopen(accounts_path(), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(accounts_path(), mode), 0);
}

/* Also what the account is called, if that is known. */
static SECURITY_STATUS look_up(const char *user, uint8_t hash[NTLM_KEY])
{
    struct bytes name = utf16(user);
    struct cs_writer found = {0};
    memset(hash, 0, NTLM_KEY);
    const SECURITY_STATUS status = ntlm_account_file_lookup(span_over(&name), hash, &found);
    if (status == SEC_E_OK) assert_true(cs_utf16_same_name(cs_written(&found), span_over(&name)));
    cs_writer_drop(&found);
    return status;
}

/* Looks USER up with standard error going into SAID. */
static SECURITY_STATUS look_up_hearing(const char *user, char *said, size_t size)
{
    uint8_t hash[NTLM_KEY];
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    assert_non_null(file);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    SECURITY_STATUS status = look_up(user, hash);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    said[fread(said, 1, size - 1, file)] = 0;
    fclose(file);
    return status;
}

static void expect_found(const char *text, const char *user)
{
    uint8_t hash[NTLM_KEY];
    write_file(text, 0600);
    assert_int_equal(look_up(user, hash), SEC_E_OK);
    expect_hex(((struct cs_span){hash, NTLM_KEY}), "a4f49c406510bdcab6824ee7c30fd852");
}

static void expect_denied(const char *text, const char *user)
{
    uint8_t hash[NTLM_KEY];
    write_file(text, 0600);
    assert_int_equal(look_up(user, hash), SEC_E_LOGON_DENIED);
}

/* An unusable file says on standard error what is wrong with it. */
static void expect_unusable(const char *text, mode_t mode, const char *complaint)
{
    char said[1024];
    write_file(text, mode);
    assert_int_equal(look_up_hearing("User", said, sizeof said), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(said, accounts_path()));
    assert_non_null(strstr(said, complaint));
    assert_null(strstr(said, HASH));
}

static void finds_the_user(void **state)
{
    (void)state;
    expect_found(LINE("User", HASH, "[U          ]"), "User");
    expect_found(LINE("User", HASH, "[U          ]"), "uSER");
    expect_found(LINE("Other", EMPTY_HASH, "[U]") LINE("User", HASH, "[U]"), "User");
    expect_found("# a comment\n\n" LINE("User", HASH, "[U]") "\n", "User");
    expect_found("User:1000:" NO_HASH ":a4f49c406510bdcab6824ee7c30fd852:[U]:LCT-0:\n", "User");
    expect_found(LINE("J\u00e9r\u00f4me", HASH, "[U]"), "J\u00c9R\u00d4ME");
}

/* Files from other systems, and from editors that leave out the last line end. */
static void line_ends(void **state)
{
    (void)state;
    expect_found("User:1000:" NO_HASH ":" HASH ":[U]:LCT-00000000:", "User");
    expect_found("User:1000:" NO_HASH ":" HASH, "User");
    expect_found("# x\r\nUser:1000:" NO_HASH ":" HASH ":[U]:LCT-00000000:\r\n\r\n", "User");
}

static void first_line_counts(void **state)
{
    (void)state;
    expect_found(LINE("User", HASH, "[U]") LINE("User", EMPTY_HASH, "[U]"), "User");
    expect_denied(LINE("User", HASH, "[DU]") LINE("User", HASH, "[U]"), "User");
}

/* B3 */
static void denied(void **state)
{
    (void)state;
    expect_denied(NULL, "User");
    expect_denied("", "User");
    expect_denied(LINE("Other", HASH, "[U]"), "User");
    expect_denied(LINE("User", HASH, "[U]"), "Use");
    expect_denied(LINE("User", HASH, "[U]"), "User2");
    expect_denied(LINE("User", HASH, "[U]"), "");
    expect_denied(LINE("User", EMPTY_HASH, "[U]"), "User");
    expect_denied(LINE("User", NO_HASH, "[U]"), "User");
    expect_denied(LINE("User", "NO PASSWORDXXXXXXXXXXXXXXXXXXXXX", "[NU]"), "User");
    expect_denied(LINE("User", "********************************", "[U]"), "User");
    expect_denied(LINE("User", HASH, "[UD         ]"), "User");
    expect_denied(LINE("User", HASH, "[DU         ]"), "User");
}

/* B3: a file that others can read, or that is none, is not used */
static void unusable_files(void **state)
{
    const mode_t open_modes[] = {0644, 0640, 0604, 0660, 0666, 0610, 0601, 0620};
    (void)state;
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++)
        expect_unusable(LINE("User", HASH, "[U]"), open_modes[i], "0600");
    expect_found(LINE("User", HASH, "[U]"), "User");
}

/* A link may lead to any private file, and in a folder where others write the file is theirs. */
static void links_and_open_folders(void **state)
{
    char target[128], folder[128], *slash;
    (void)state;
    write_file(LINE("User", HASH, "[U]"), 0600);
    snprintf(target, sizeof target, "%s.target", accounts_path());
    assert_int_equal(rename(accounts_path(), target), 0);
    assert_int_equal(symlink(target, accounts_path()), 0);
    uint8_t hash[NTLM_KEY];
    assert_int_equal(look_up("User", hash), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(unlink(accounts_path()), 0);
    assert_int_equal(rename(target, accounts_path()), 0);
    snprintf(folder, sizeof folder, "%s", accounts_path());
    slash = strrchr(folder, '/');
    *slash = 0;
    for (mode_t writers = 0020; writers; writers = writers == 0020 ? 0002 : 0) {
        assert_int_equal(chmod(folder, 0700 | writers), 0);
        assert_int_equal(look_up("User", hash), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    }
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(look_up("User", hash), SEC_E_OK);
}

static void folder_for_a_file(void **state)
{
    char said[1024];
    (void)state;
    write_file(NULL, 0);
    assert_int_equal(mkdir(accounts_path(), 0700), 0);
    assert_int_equal(look_up_hearing("User", said, sizeof said), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(said, accounts_path()));
    assert_int_equal(rmdir(accounts_path()), 0);
}

/* root can read what it has no right to; other users see this one end in "cannot be read" */
static void unreadable_file(void **state)
{
    uint8_t hash[NTLM_KEY];
    (void)state;
    write_file(LINE("User", HASH, "[U]"), 0);
    SECURITY_STATUS status = look_up("User", hash);
    assert_int_equal(status, geteuid() == 0 ? SEC_E_OK : SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

/* "A corrupt account file names its line." */
static void corrupt_lines(void **state)
{
    (void)state;
    expect_unusable("rubbish\n", 0600, ":1:");
    expect_unusable(LINE("User", HASH, "[U]") "rubbish\n", 0600, ":2:");
    expect_unusable("# x\n\n" LINE("User", HASH, "[U]") "User:1000:" NO_HASH ":1234:[U]:\n", 0600, ":4:");
    expect_unusable(LINE("User", "A4F49C406510BDCAB6824EE7C30FD85G", "[U]"), 0600, ":1:");
    expect_unusable(LINE("User", "Password", "[U]"), 0600, ":1:");
    expect_unusable(LINE("User", HASH "00", "[U]"), 0600, ":1:");
    expect_unusable(LINE("", HASH, "[U]"), 0600, ":1:");
    expect_unusable("User:1000:" HASH "\n", 0600, ":1:");
    expect_unusable("User:1000::" HASH ":[U]:\n", 0600, ":1:");
    expect_unusable("User", 0600, ":1:");
    expect_unusable(":::::::\n", 0600, ":1:");
}

/* A line longer than any that is one must not be read as two. */
static void long_line(void **state)
{
    char text[3000];
    (void)state;
    memset(text, 'x', sizeof text);
    strcpy(text + 1500, "\n" LINE("User", HASH, "[U]"));
    expect_unusable(text, 0600, ":1:");
    memset(text, 'x', sizeof text);
    strcpy(text + 1023, LINE("User", HASH, "[U]"));
    expect_unusable(text, 0600, ":1:");
}

static void nul_in_a_line(void **state)
{
    char said[1024];
    const char text[] = "User:1000:" NO_HASH ":" HASH "\0:[U]:\nOther";
    (void)state;
    write_file("", 0600);
    FILE *file = fopen(accounts_path(), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, sizeof text - 1, file), sizeof text - 1);
    fclose(file);
    assert_int_equal(look_up_hearing("User", said, sizeof said), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

static SECURITY_STATUS log_on(const char *user, const char *password)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    setup.user = user;
    setup.password = password;
    pair_open(&pair, "NTLM", &setup);
    SECURITY_STATUS status = pair_run(&pair);
    pair_close(&pair);
    return status;
}

/* The same through an exchange: behaviour.md row 105, errors.tsv AcceptSecurityContext NTLM. */
static void exchanges(void **state)
{
    (void)state;
    write_file(LINE("User", HASH, "[U]") LINE("Empty", EMPTY_HASH, "[U]"), 0600);
    assert_int_equal(log_on("User", "Password"), SEC_E_OK);
    assert_int_equal(log_on("USER", "Password"), SEC_E_OK);
    assert_int_equal(log_on("User", "password"), SEC_E_LOGON_DENIED);
    assert_int_equal(log_on("User", ""), SEC_E_LOGON_DENIED);
    assert_int_equal(log_on("Empty", ""), SEC_E_LOGON_DENIED);
    assert_int_equal(log_on("Nobody", "Password"), SEC_E_LOGON_DENIED);
    assert_int_equal(log_on("Nobody", ""), SEC_E_LOGON_DENIED);
    assert_int_equal(log_on("", "Password"), SEC_E_LOGON_DENIED);
}

/* B5: the hash, given as a password, is a password of 32 characters */
static void hash_as_password(void **state)
{
    char longer[200];
    (void)state;
    write_file(LINE("User", HASH, "[U]"), 0600);
    assert_int_equal(log_on("User", HASH), SEC_E_LOGON_DENIED);
    assert_int_equal(log_on("User", "a4f49c406510bdcab6824ee7c30fd852"), SEC_E_LOGON_DENIED);
    snprintf(longer, sizeof longer, NO_HASH ":" HASH);
    assert_int_equal(log_on("User", longer), SEC_E_LOGON_DENIED);
}

static void exchange_with_a_bad_file(void **state)
{
    char said[1024];
    (void)state;
    write_file(LINE("User", HASH, "[U]"), 0644);
    assert_int_equal(look_up_hearing("User", said, sizeof said), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(log_on("User", "Password"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    write_file(NULL, 0);
    assert_int_equal(log_on("User", "Password"), SEC_E_LOGON_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_user),    cmocka_unit_test(line_ends),
        cmocka_unit_test(first_line_counts), cmocka_unit_test(denied),
        cmocka_unit_test(unusable_files),    cmocka_unit_test(links_and_open_folders),
        cmocka_unit_test(folder_for_a_file), cmocka_unit_test(unreadable_file),
        cmocka_unit_test(corrupt_lines),     cmocka_unit_test(long_line),
        cmocka_unit_test(nul_in_a_line),     cmocka_unit_test(exchanges),
        cmocka_unit_test(hash_as_password),  cmocka_unit_test(exchange_with_a_bad_file),
    };
    return cmocka_run_group_tests_name("accounts", tests, known_account, forget_account);
}
