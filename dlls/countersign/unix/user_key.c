/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of the user's secret.
 */
#include "user_key.h"

#include "files.h"
#include "secure.h"

#include <nettle/hmac.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_SIZE = 32 };

static void add_file(struct hmac_sha256_ctx *hmac, const char *path)
{
    char text[64];
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text, file) : 0;
    if (file) fclose(file);
    hmac_sha256_update(hmac, size, (const uint8_t *)text);
    hmac_sha256_update(hmac, 1, (const uint8_t *)"");
}

bool cs_user_key(const char *label, struct cs_span a, struct cs_span b, uint8_t *key, size_t size)
{
    char *path = cs_config_path("COUNTERSIGN_LOOPBACK_SECRET", "loopback.secret");
    uint8_t secret[SECRET_SIZE];
    struct hmac_sha256_ctx hmac;
    bool had = path && cs_shared_secret(path, secret, sizeof secret);
    free(path);
    if (!had) return false;
    hmac_sha256_set_key(&hmac, sizeof secret, secret);
    hmac_sha256_update(&hmac, strlen(label) + 1, (const uint8_t *)label);
    add_file(&hmac, "/etc/machine-id");
    add_file(&hmac, "/proc/sys/kernel/random/boot_id");
    if (a.size) hmac_sha256_update(&hmac, a.size, a.data);
    if (b.size) hmac_sha256_update(&hmac, b.size, b.data);
    hmac_sha256_digest(&hmac, size, key);
    cs_wipe(secret, sizeof secret);
    cs_wipe(&hmac, sizeof hmac);
    return true;
}
