/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: descriptions, of tokens and of what somebody with the service's key has encrypted in a ticket. Input: a
 * byte that says what the rest is (fuzz_describe.h).
 */
#include "describe.h"
#include "fuzz.h"
#include "fuzz_describe.h"
#include "pac_forge.h"
#include "ticket_forge.h"

#include <string.h>
#include <unistr.h>

/* Made once, for it reads krb5.conf. */
struct describe_world {
    krb5_context krb5;
    krb5_keytab keytab; /* in memory: with its last user it goes */
    krb5_keyblock key;
    struct cs_describe_keys *keys;
};

static const struct describe_world *world(void)
{
    static const char name[] = "MEMORY:fuzz";
    static struct describe_world made;
    krb5_keytab_entry entry = {.vno = 1};
    char *problem;
    if (made.krb5) return &made;
    fuzz_require(!krb5_init_context(&made.krb5), "a library context");
    made.key = entry.keyblock = pac_key(made.krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, 0x55);
    fuzz_require(!krb5_kt_resolve(made.krb5, name, &made.keytab), "a keytab");
    fuzz_require(!krb5_make_principal(made.krb5, &entry.principal, "REALM", "service", NULL), "a principal");
    fuzz_require(!krb5_kt_add_entry(made.krb5, made.keytab, &entry), "its key");
    krb5_free_principal(made.krb5, entry.principal);
    made.keys = cs_describe_keys_read(name, &problem);
    fuzz_require(made.keys, "keys");
    return &made;
}

/* Whether a line says so; names in other lines may. */
static bool says_broken(struct cs_span text)
{
    static const char words[] = "Broken at byte";
    const size_t size = sizeof words - 1;
    bool start = true;
    for (size_t i = 0; i + size <= text.size; i++) {
        if (start && !memcmp(text.data + i, words, size)) return true;
        start = text.data[i] == '\n' || (start && text.data[i] == ' ');
    }
    return false;
}

/* Lines of printable UTF-8, not many times as many as the token has bytes, and said to be broken where it is. */
static void require_clean(struct cs_span text, size_t token_size, bool whole)
{
    fuzz_require(text.size && text.data[text.size - 1] == '\n', "no line");
    fuzz_require(!u8_check(text.data, text.size), "no UTF-8");
    for (size_t i = 0; i < text.size; i++)
        fuzz_require(text.data[i] == '\n' ? !i || text.data[i - 1] != '\n' : text.data[i] >= ' ', "a control");
    fuzz_require(text.size <= 100 * token_size + 4096, "a description beyond all measure");
    fuzz_require(!whole || !says_broken(text), "a broken token that is whole");
}

static void describe(struct cs_span token, struct cs_describe_keys *keys)
{
    struct cs_writer text = {0};
    const bool whole = cs_describe_opened(token, keys, &text);
    fuzz_require(!text.failed, "memory");
    require_clean(cs_written(&text), token.size, whole);
    cs_writer_drop(&text);
}

/* What takes a layer's place. */
struct layer {
    enum ticket_layer layer;
    struct cs_span bytes;
};

static void replace_layer(void *data, enum ticket_layer layer, struct cs_writer *encoding)
{
    const struct layer *with = data;
    if (layer != with->layer) return;
    encoding->size = 0;
    cs_write_span(encoding, with->bytes);
}

static void describe_layer(enum ticket_layer layer, struct cs_span bytes)
{
    struct layer with = {layer, bytes};
    struct ticket_forge forge = ticket_forge_right(world()->krb5, &world()->key);
    struct cs_writer token = {0};
    forge.edit = replace_layer;
    forge.edit_data = &with;
    ticket_forge(&forge, &token);
    describe(cs_written(&token), world()->keys);
    cs_writer_drop(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    const enum fuzz_describe how = cs_read_u8(&reader) & 3;
    const struct cs_span rest = fuzz_rest(&reader);
    switch (how) {
    case FUZZ_CLOSED: describe(rest, NULL); break;
    case FUZZ_OPENED: describe(rest, world()->keys); break;
    case FUZZ_TICKET: describe_layer(TICKET_PART, rest); break;
    case FUZZ_AUTHENTICATOR: describe_layer(TICKET_AUTHENTICATOR, rest); break;
    }
    return 0;
}
