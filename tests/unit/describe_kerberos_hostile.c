/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptions of Kerberos's tokens that are cut or altered anywhere, on the wire and under the encryption (whoever has
 * a key may have encrypted anything), and of messages inside messages. Bug classes: A2 (truncation), C3 (nesting).
 */
#include "describe_kerberos_unit.h"
#include "spnego_vectors.h"

static void describe_any(struct cs_span token, struct cs_describe_keys *keys)
{
    bool whole;
    free(describe(token, keys, &whole));
}

static void cut_and_alter(struct cs_span token, struct cs_describe_keys *keys)
{
    static const uint8_t changes[] = {0x01, 0x1F, 0x80};
    struct cs_span copy;
    assert_true(cs_span_copy(&copy, token));
    uint8_t *bytes = (uint8_t *)(uintptr_t)copy.data;
    for (size_t size = 0; size < token.size; size++) describe_any((struct cs_span){bytes, size}, keys);
    for (size_t i = 0; i < token.size * sizeof changes; i++) {
        bytes[i / sizeof changes] ^= changes[i % sizeof changes];
        describe_any(copy, keys);
        bytes[i / sizeof changes] ^= changes[i % sizeof changes];
    }
    cs_span_drop(&copy);
}

static void test_cut_and_altered(void **state)
{
    struct cs_describe_keys *keys = read_keys();
    struct cs_writer request = good_request(), reply = good_reply();
    (void)state;
    for (size_t i = 0; i < KDC_MESSAGES; i++) {
        struct bytes token = unhex(kdc_messages[i]);
        cut_and_alter(span_over(&token), NULL);
    }
    struct bytes negotiate = unhex(spnego_kerberos_init);
    cut_and_alter(span_over(&negotiate), NULL);
    cut_and_alter(cs_written(&request), keys);
    cut_and_alter(cs_written(&reply), keys);
    cs_writer_drop(&request);
    cs_writer_drop(&reply);
    cs_describe_keys_drop(keys);
}

/* Cut anywhere, a message with a frame or a tag is not whole. */
static void test_cut_is_broken(void **state)
{
    struct cs_writer request = good_request();
    bool whole;
    (void)state;
    for (size_t size = 0; size < request.size; size++) {
        free(describe((struct cs_span){request.data, size}, NULL, &whole));
        assert_false(whole);
    }
    cs_writer_drop(&request);
}

/* What to do to one byte of a layer, or where to cut it. */
struct layer_change {
    enum ticket_layer layer;
    size_t at, size; /* SIZE: of the layer, as it was seen */
    uint8_t change;  /* 0: cut */
};

static void change_layer(void *data, enum ticket_layer layer, struct cs_writer *encoding)
{
    struct layer_change *change = data;
    if (layer != change->layer) return;
    change->size = encoding->size;
    if (change->at >= encoding->size) return;
    if (change->change)
        encoding->data[change->at] ^= change->change;
    else
        encoding->size = change->at;
}

/* Whoever has the service's key may have encrypted anything. */
static void alter_layer(enum ticket_layer layer, uint8_t how, size_t step)
{
    struct layer_change change = {.layer = layer, .size = 1, .change = how};
    struct ticket_forge forge = right_forge();
    struct cs_describe_keys *keys = read_keys();
    struct cs_writer checksum = {0};
    write_bound_checksum(&checksum, KERBEROS_DELEGATE, (struct cs_span){(const uint8_t *)"what", 4});
    forge.edit = change_layer;
    forge.edit_data = &change;
    for (; change.at < change.size; change.at += step) {
        struct cs_writer token = forge_request(&forge, cs_written(&checksum));
        describe_any(cs_written(&token), keys);
        cs_writer_drop(&token);
    }
    assert_true(change.size > 100);
    cs_writer_drop(&checksum);
    cs_describe_keys_drop(keys);
}

static void test_altered_inside(void **state)
{
    (void)state;
    for (int layer = TICKET_PART; layer <= TICKET_AUTHENTICATOR; layer++) {
        alter_layer((enum ticket_layer)layer, 0, 1);
        alter_layer((enum ticket_layer)layer, 0x01, 1);
        alter_layer((enum ticket_layer)layer, 0x80, 1);
    }
}

/* An error in the PA-TGS-REQ of an error's e-data, and so on: one is looked into. */
static void test_nested(void **state)
{
    struct cs_writer token = forge_error(25, "R", (struct cs_span){0});
    (void)state;
    for (int depth = 0; depth < 100; depth++) {
        PA_DATA padata = {KRB5_PADATA_TGS_REQ, {token.size, token.data}};
        METHOD_DATA list = {1, &padata};
        krb5_data encoded;
        size_t size;
        int code;
        ASN1_MALLOC_ENCODE(METHOD_DATA, encoded.data, encoded.length, &list, &size, code);
        assert_int_equal(code, 0);
        cs_writer_drop(&token);
        token = forge_error(25, "R", (struct cs_span){encoded.data, encoded.length});
        krb5_data_free(&encoded);
    }
    bool whole;
    char *text = describe(cs_written(&token), NULL, &whole);
    assert_false(whole);
    assert_non_null(strstr(text, "      Broken at byte 0: PA-TGS-REQ cannot be decoded\n"));
    assert_true(strlen(text) < 1000);
    free(text);
    cs_writer_drop(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_and_altered),
        cmocka_unit_test(test_cut_is_broken),
        cmocka_unit_test(test_altered_inside),
        cmocka_unit_test(test_nested),
    };
    return cmocka_run_group_tests_name("describe_kerberos_hostile", tests, open_world, close_world);
}
