/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The local account file: smbpasswd lines, name:uid:LM hash:NT hash:[flags]:LCT-time:. A file that others may read, or
 * with a line that is not one, is not used at all: a logon must not depend on what a broken line was meant to say.
 */
#include "files.h"
#include "ntlm.h"
#include "secure.h"
#include "utf16.h"

#include <errno.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define _(text) dgettext("countersign", text)

enum { LONGEST_LINE = 1024, HASH_DIGITS = 2 * NTLM_KEY };

/* MD4 of nothing: the NT hash of the empty password, which logs nobody on (CVE-2022-24883). */
static const uint8_t empty_password[NTLM_KEY] = {0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31,
                                                 0xb7, 0x3c, 0x59, 0xd7, 0xe0, 0xc0, 0x89, 0xc0};

struct account_line {
    struct cs_span user; /* UTF-8 */
    struct cs_span hash; /* 32 characters */
    bool usable;         /* has an NT hash and is not disabled */
};

static bool is_hex(struct cs_span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!strchr("0123456789abcdefABCDEF", text.data[i])) return false;
    return true;
}

/* "NO PASSWORDX...", "XXXX..." and "****..." stand where there is no hash. */
static bool is_placeholder(struct cs_span text)
{
    return strchr("XN*", text.data[0]) != NULL;
}

static struct cs_span cut_field(struct cs_reader *line)
{
    const uint8_t *end = line->remaining ? memchr(line->next, ':', line->remaining) : NULL;
    struct cs_span field = cs_read_span(line, end ? (size_t)(end - line->next) : line->remaining);
    if (end) cs_read_u8(line);
    return field;
}

static bool parse_line(struct cs_span text, struct account_line *account)
{
    struct cs_reader line = cs_reader_of(text);
    account->user = cut_field(&line);
    cut_field(&line); /* uid */
    struct cs_span lm = cut_field(&line);
    account->hash = cut_field(&line);
    struct cs_span flags = cut_field(&line);
    if (!account->user.size || lm.size != HASH_DIGITS || account->hash.size != HASH_DIGITS) return false;
    account->usable = !is_placeholder(account->hash);
    if (account->usable && !is_hex(account->hash)) return false;
    if (flags.size && flags.data[0] == '[' && memchr(flags.data, 'D', flags.size)) account->usable = false;
    return true;
}

static uint8_t digit(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static SECURITY_STATUS take_hash(const struct account_line *account, uint8_t ntowfv1[NTLM_KEY])
{
    if (!account->usable) return SEC_E_LOGON_DENIED;
    for (size_t i = 0; i < NTLM_KEY; i++)
        ntowfv1[i] = (uint8_t)(digit(account->hash.data[2 * i]) << 4 | digit(account->hash.data[2 * i + 1]));
    return cs_same(ntowfv1, empty_password, NTLM_KEY) ? SEC_E_LOGON_DENIED : SEC_E_OK;
}

static bool names(struct cs_span line_user, struct cs_span user)
{
    struct cs_writer utf16 = {0};
    bool same = cs_utf16_of(&utf16, line_user) && cs_utf16_same_name(cs_written(&utf16), user);
    cs_writer_drop(&utf16);
    return same;
}

/* Reads the file to its end, so that an error behind the user's line is reported too. */
static SECURITY_STATUS search(FILE *file, const char *path, struct cs_span user, uint8_t ntowfv1[NTLM_KEY],
                              struct cs_writer *name)
{
    SECURITY_STATUS status = SEC_E_LOGON_DENIED;
    char text[LONGEST_LINE];
    for (unsigned number = 1; fgets(text, sizeof text, file); number++) {
        size_t size = strcspn(text, "\r\n");
        struct account_line account;
        if (!size || text[0] == '#') continue;
        const bool cut = !text[size] && !feof(file);
        if (cut || !parse_line((struct cs_span){(uint8_t *)text, size}, &account)) {
            fprintf(stderr, _("countersign: %s:%u: not an account line (name:uid:LM hash:NT hash:[flags]:...)\n"), path,
                    number);
            status = SEC_E_NO_AUTHENTICATING_AUTHORITY;
            break;
        }
        if (name->size || !names(account.user, user)) continue;
        status = cs_utf16_of(name, account.user) ? take_hash(&account, ntowfv1) : SEC_E_INSUFFICIENT_MEMORY;
    }
    cs_wipe(text, sizeof text);
    return status;
}

SECURITY_STATUS ntlm_account_file_lookup(struct cs_span user, uint8_t ntowfv1[NTLM_KEY], struct cs_writer *name)
{
    char *path = cs_config_path("COUNTERSIGN_ACCOUNTS", "accounts");
    if (!path) return SEC_E_LOGON_DENIED;
    char buffer[4096]; /* the file's, to be wiped: stdio would leave all hashes in the heap */
    FILE *file = NULL;
    SECURITY_STATUS status;
    switch (cs_open_private(path, &file)) {
    case CS_FILE_OK:
        setvbuf(file, buffer, _IOFBF, sizeof buffer);
        status = search(file, path, user, ntowfv1, name);
        break;
    case CS_FILE_MISSING: status = SEC_E_LOGON_DENIED; break;
    default: status = SEC_E_NO_AUTHENTICATING_AUTHORITY; break;
    }
    if (file) fclose(file);
    cs_wipe(buffer, sizeof buffer);
    free(path);
    return status;
}
