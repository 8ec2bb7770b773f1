/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client makes of a KDC that answers wrongly, or of somebody between them: each reply cut, replayed, made for
 * another client, service or realm, under another key, out of its time; each error; demands without end. All end soon,
 * in a status of Windows's (errors.tsv InitializeSecurityContext Kerberos), and leave the user's own cache alone.
 *
 * Bug classes: A9 for Kerberos (leaks half way), C5 (what is no encoding), D1 (cut at every byte).
 */
#include "heimdal_leaks.h"
#include "kdc_forge.h"
#include "kerberos.h"
#include "realm.h"
#include "unit.h"

#include <errno.h>
#include <krb5_err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct kdc_forge forge = {.user = "user", .password = "Password"};
static struct bytes own_cache;
static unsigned requests; /* of the last run */

static struct bytes read_cache(void)
{
    struct bytes bytes = {.size = 0};
    FILE *file = fopen(realm_path("realm/ccache"), "r");
    assert_non_null(file);
    bytes.size = fread(bytes.data, 1, sizeof bytes.data, file);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    realm_add_service("HTTP/other.example.test");
    realm_kinit("user", "Password");
    own_cache = read_cache();
    kdc_proxy_start();
    assert_int_equal(krb5_init_context(&forge.krb5), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    kdc_proxy_stop();
    kdc_forge_drop(&forge);
    krb5_free_context(forge.krb5);
    realm_end();
    return 0;
}

/* The client's first leg with EDIT in the way, which ends within five seconds. */
static SECURITY_STATUS run(kdc_edit *edit, void *data)
{
    struct cs_policy policy = cs_default_policy();
    struct pair_setup setup = realm_setup();
    struct pair pair;
    policy.kdc_wait_time = 1;
    setup.client_policy = &policy;
    kdc_proxy_edit(edit, data);
    const int64_t before = kerberos_clock();
    pair_open(&pair, "Kerberos", &setup);
    SECURITY_STATUS status = pair_client_step(&pair, (struct cs_span){0});
    if (status < 0 && pair.client) assert_null(cs_context_session(pair.client));
    pair_close(&pair);
    assert_in_range(kerberos_clock() - before, 0, 5000);
    requests = kdc_proxy_requests();
    kdc_proxy_edit(NULL, NULL);
    const struct bytes cache = read_cache();
    assert_int_equal(cache.size, own_cache.size);
    assert_memory_equal(cache.data, own_cache.data, cache.size);
    return status;
}

/* One change of one kind of reply. */
struct change {
    const char *name;
    void (*make)(struct kdc_reply *reply);
    SECURITY_STATUS logon, ticket; /* what it comes to in an AS-REP, and in a TGS-REP */
    uint8_t kind;
};

static void make_change(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    const struct change *change = data;
    const uint8_t kind = message->reply.data[0];
    if (kind == KDC_ERROR)
        cs_write_span(output, message->reply);
    else
        kdc_forge_reply(&forge, message, kind == change->kind ? change->make : NULL, output);
}

static void replace(char **text, const char *with)
{
    free(*text);
    *text = strdup(with);
}

static void change_nothing(struct kdc_reply *reply)
{
    (void)reply;
}

static void change_nonce(struct kdc_reply *reply)
{
    reply->part.nonce ^= 1;
}

static void change_client(struct kdc_reply *reply)
{
    replace(&reply->clear.cname.name_string.val[0], "other");
}

static void change_client_realm(struct kdc_reply *reply)
{
    replace(&reply->clear.crealm, "OTHER.TEST");
}

static void change_ticket_service(struct kdc_reply *reply)
{
    replace(&reply->clear.ticket.sname.name_string.val[1], "other.example.test");
}

static void change_ticket_realm(struct kdc_reply *reply)
{
    replace(&reply->clear.ticket.realm, "OTHER.TEST");
}

static void change_service(struct kdc_reply *reply)
{
    replace(&reply->part.sname.name_string.val[1], "other.example.test");
}

static void change_both_services(struct kdc_reply *reply)
{
    change_ticket_service(reply);
    change_service(reply);
}

static void change_service_realm(struct kdc_reply *reply)
{
    replace(&reply->part.srealm, "OTHER.TEST");
}

static void change_key(struct kdc_reply *reply)
{
    ((uint8_t *)reply->key.keyvalue.data)[0] ^= 1;
}

static void change_session_type(struct kdc_reply *reply)
{
    reply->part.key.keytype = KRB5_ENCTYPE_ARCFOUR_HMAC_MD5;
    reply->part.key.keyvalue.length = 16;
}

static void change_session_size(struct kdc_reply *reply)
{
    reply->part.key.keyvalue.length = 7;
}

static void change_end(struct kdc_reply *reply)
{
    reply->part.endtime = time(NULL) - 3600;
}

static void set_start(struct kdc_reply *reply, KerberosTime start)
{
    if (!reply->part.starttime) reply->part.starttime = malloc(sizeof start);
    assert_non_null(reply->part.starttime);
    *reply->part.starttime = start;
}

static void change_start(struct kdc_reply *reply)
{
    set_start(reply, time(NULL) + 7200);
}

static void postdate(struct kdc_reply *reply)
{
    set_start(reply, time(NULL) + 7200);
    reply->part.flags.postdated = 1;
    reply->part.flags.invalid = 1;
}

/*
 * The names in clear are nobody's word: what the client goes by is in the encrypted part (CVE-2017-11103). A logon with
 * a key of another size or a ticket for another service than the KDC is of no use for the next request.
 */
static const struct change changes[] = {
    {"none", change_nothing, SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED, 0},
    {"nonce", change_nonce, SEC_E_WRONG_PRINCIPAL, SEC_E_WRONG_PRINCIPAL, 0},
    {"client", change_client, SEC_E_LOGON_DENIED, SEC_E_WRONG_PRINCIPAL, 0},
    {"client's realm", change_client_realm, SEC_E_LOGON_DENIED, SEC_E_WRONG_PRINCIPAL, 0},
    {"ticket's service", change_ticket_service, SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED, 0},
    {"ticket's realm", change_ticket_realm, SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED, 0},
    {"service", change_service, SEC_E_NO_CREDENTIALS, SEC_E_WRONG_PRINCIPAL, 0},
    {"both services", change_both_services, SEC_E_NO_CREDENTIALS, SEC_E_WRONG_PRINCIPAL, 0},
    {"service's realm", change_service_realm, SEC_E_WRONG_PRINCIPAL, SEC_E_WRONG_PRINCIPAL, 0},
    {"key", change_key, SEC_E_LOGON_DENIED, SEC_E_LOGON_DENIED, 0},
    {"session key's type", change_session_type, SEC_E_KDC_UNKNOWN_ETYPE, SEC_E_KDC_UNKNOWN_ETYPE, 0},
    {"session key's size", change_session_size, SEC_E_INVALID_TOKEN, SEC_E_INVALID_TOKEN, 0},
    {"end", change_end, SEC_E_TIME_SKEW, SEC_E_TIME_SKEW, 0},
    {"start", change_start, SEC_E_TIME_SKEW, SEC_E_TIME_SKEW, 0},
    {"postdated", postdate, SEC_E_TIME_SKEW, SEC_E_TIME_SKEW, 0},
};

static void changed_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct change change = changes[i];
        change.kind = KDC_AS_REP;
        assert_int_equal(run(make_change, &change), change.logon);
        change.kind = KDC_TGS_REP;
        assert_int_equal(run(make_change, &change), change.ticket);
    }
}

/* A session under a ticket whose names in clear were changed calls its server what the KDC vouches for. */
static void names_in_clear(void **state)
{
    struct change change = {"ticket's service", change_ticket_service, SEC_E_OK, SEC_E_OK, KDC_TGS_REP};
    struct pair_setup setup = realm_setup();
    struct bytes expected = utf16("HTTP/server.example.test@EXAMPLE.TEST");
    struct pair pair;
    (void)state;
    kdc_proxy_edit(make_change, &change);
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    const struct cs_span name = cs_context_session(pair.client)->native_server;
    assert_int_equal(name.size, expected.size);
    assert_memory_equal(name.data, expected.data, expected.size);
    pair_close(&pair);
}

/* The reply to an earlier request of the same client. */
struct recording {
    uint8_t kind;
    bool replays;
    struct cs_writer reply;
};

static void record(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    struct recording *recording = data;
    const bool wanted = message->reply.data[0] == recording->kind;
    if (wanted && !recording->replays) cs_write_span(&recording->reply, message->reply);
    cs_write_span(output, wanted ? cs_written(&recording->reply) : message->reply);
}

static void replayed_replies(void **state)
{
    const uint8_t kinds[] = {KDC_AS_REP, KDC_TGS_REP};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct recording recording = {.kind = kinds[i]};
        assert_int_equal(run(record, &recording), SEC_I_CONTINUE_NEEDED);
        recording.replays = true;
        assert_int_equal(run(record, &recording), SEC_E_LOGON_DENIED);
        cs_writer_drop(&recording.reply);
    }
}

/* Bytes instead of one kind of reply, or a part of it, and something behind it. */
struct mangling {
    uint8_t kind;
    struct cs_span bytes;
    size_t size, behind;
};

static void mangle(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    const struct mangling *mangling = data;
    const struct cs_span reply = message->reply;
    if (reply.data[0] != mangling->kind) {
        cs_write_span(output, reply);
    } else if (mangling->bytes.size) {
        cs_write_span(output, mangling->bytes);
    } else {
        cs_write_span(output, (struct cs_span){reply.data, reply.size < mangling->size ? reply.size : mangling->size});
        cs_write_room(output, mangling->behind);
    }
}

static void mangled_replies(void **state)
{
    const uint8_t kinds[] = {KDC_ERROR, KDC_AS_REP, KDC_TGS_REP};
    const char *const garbage[] = {"00", "6b80", "6b84ffffffff", "6d00", "7e00", "7e03020105", "6bff", "48545450"};
    (void)state;
    for (size_t i = 0; i < sizeof kinds; i++) {
        for (size_t j = 0; j < sizeof garbage / sizeof *garbage; j++) {
            struct bytes bytes = unhex(garbage[j]);
            struct mangling mangling = {kinds[i], span_over(&bytes), 0, 0};
            assert_int_equal(run(mangle, &mangling), SEC_E_INVALID_TOKEN);
        }
        for (size_t size = 1; size < 250; size += 83) {
            struct mangling mangling = {kinds[i], {NULL, 0}, size, 0};
            assert_int_equal(run(mangle, &mangling), SEC_E_INVALID_TOKEN);
        }
        struct mangling mangling = {kinds[i], {NULL, 0}, SIZE_MAX, 60000};
        assert_int_equal(run(mangle, &mangling), SEC_I_CONTINUE_NEEDED); /* what is behind it, nobody reads */
    }
}

/* An error instead of the answer to one kind of request. */
struct refusal {
    uint8_t kind;
    struct kdc_error error;
};

static void refuse(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    const struct refusal *refusal = data;
    if (message->request.data[0] == refusal->kind)
        kdc_forge_error(&refusal->error, output);
    else
        cs_write_span(output, message->reply);
}

/* Every code of RFC 4120 7.5.9 comes to what the table has for it, whatever the client tries first. */
static void errors_of_logons(void **state)
{
    (void)state;
    for (int i = 0; i < 70; i++) {
        struct refusal refusal = {KDC_AS_REQ, {.code = KRB5KDC_ERR_NONE + i}};
        assert_int_equal(run(refuse, &refusal), i ? kerberos_status(refusal.error.code) : SEC_E_INTERNAL_ERROR);
    }
}

static void errors_of_tickets(void **state)
{
    const struct {
        krb5_error_code code;
        SECURITY_STATUS status;
    } cases[] = {
        {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, SEC_E_TARGET_UNKNOWN},
        {KRB5KDC_ERR_ETYPE_NOSUPP, SEC_E_KDC_UNKNOWN_ETYPE},
        {KRB5KDC_ERR_POLICY, SEC_E_LOGON_DENIED},
        {KRB5KDC_ERR_TGT_REVOKED, SEC_E_LOGON_DENIED},
        {KRB5KDC_ERR_SVC_UNAVAILABLE, SEC_E_NO_AUTHENTICATING_AUTHORITY},
        {KRB5KRB_AP_ERR_TKT_EXPIRED, SEC_E_NO_CREDENTIALS}, /* it is the ticket-granting ticket */
        {KRB5KRB_AP_ERR_SKEW, SEC_E_TIME_SKEW},
        {KRB5KRB_AP_ERR_MODIFIED, SEC_E_WRONG_PRINCIPAL},
        {KRB5KRB_ERR_GENERIC, SEC_E_KDC_INVALID_REQUEST},
        {KRB5_KDC_ERR_WRONG_REALM, SEC_E_KDC_UNABLE_TO_REFER},
        {KRB5KDC_ERR_NONE + 127, SEC_E_INTERNAL_ERROR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct refusal refusal = {KDC_TGS_REQ, {.code = cases[i].code}};
        assert_int_equal(run(refuse, &refusal), cases[i].status);
    }
}

static void demand(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    struct cs_writer *demand = data;
    if (!demand->size) cs_write_span(demand, message->reply);
    cs_write_span(output, cs_written(demand));
}

/* Preauthentication is demanded again and again; answers are said to be too large on every way. */
static void loops(void **state)
{
    struct cs_writer demanded = {0};
    struct refusal too_big = {KDC_AS_REQ, {.code = KRB5KRB_ERR_RESPONSE_TOO_BIG}};
    struct refusal elsewhere = {KDC_AS_REQ, {.code = KRB5_KDC_ERR_WRONG_REALM, .realm = "EXAMPLE.TEST"}};
    (void)state;
    assert_int_equal(run(demand, &demanded), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    cs_writer_drop(&demanded);
    assert_int_equal(run(refuse, &too_big), SEC_E_INTERNAL_ERROR);
    assert_int_equal(run(refuse, &elsewhere), SEC_E_KDC_UNABLE_TO_REFER);
}

/* What does not fit a datagram comes by a stream; where streams are silent, not at all. */
static void by_stream(const struct kdc_message *message, void *data, struct cs_writer *output)
{
    const bool silent = data != NULL;
    if (!message->stream)
        kdc_forge_error(&(struct kdc_error){.code = KRB5KRB_ERR_RESPONSE_TOO_BIG}, output);
    else if (!silent)
        cs_write_span(output, message->reply);
}

static void too_big(void **state)
{
    int silent;
    (void)state;
    assert_int_equal(run(by_stream, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(run(by_stream, &silent), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

/* ETYPE-INFO2 with ITERATIONS, COUNT times, in a METHOD-DATA. */
static struct cs_writer method_data(uint32_t iterations, unsigned count)
{
    uint8_t bytes[4] = {(uint8_t)(iterations >> 24), (uint8_t)(iterations >> 16), (uint8_t)(iterations >> 8),
                        (uint8_t)iterations};
    heim_octet_string parameters = {sizeof bytes, bytes};
    ETYPE_INFO2_ENTRY entry = {.etype = KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, .s2kparams = &parameters};
    const ETYPE_INFO2 info = {1, &entry};
    PA_DATA timestamp = {.padata_type = KRB5_PADATA_ENC_TIMESTAMP}, types = {.padata_type = KRB5_PADATA_ETYPE_INFO2};
    METHOD_DATA methods = {0, NULL};
    struct cs_writer written = {0};
    krb5_data whole;
    size_t size;
    int code;
    ASN1_MALLOC_ENCODE(ETYPE_INFO2, types.padata_value.data, types.padata_value.length, &info, &size, code);
    assert_int_equal(code, 0);
    assert_int_equal(add_METHOD_DATA(&methods, &timestamp), 0);
    for (unsigned i = 0; i < count; i++) assert_int_equal(add_METHOD_DATA(&methods, &types), 0);
    ASN1_MALLOC_ENCODE(METHOD_DATA, whole.data, whole.length, &methods, &size, code);
    assert_int_equal(code, 0);
    cs_write_span(&written, (struct cs_span){whole.data, whole.length});
    krb5_data_free(&whole);
    free_METHOD_DATA(&methods);
    krb5_data_free(&types.padata_value);
    return written;
}

/*
 * 2^32 iterations of PBKDF2 are an hour's work; anybody can demand them. A client that takes the demand makes another
 * request, and then sees that it is demanded again.
 */
static void iterations(void **state)
{
    const struct {
        uint32_t iterations;
        unsigned count, requests;
    } cases[] = {{5000, 1, 2}, {0xFFFFFFFF, 1, 1}, {1000001, 1, 1}, {0, 1, 1}, {5000, 1500, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cs_writer data = method_data(cases[i].iterations, cases[i].count);
        struct refusal refusal = {KDC_AS_REQ, {.code = KRB5KDC_ERR_PREAUTH_REQUIRED, .e_data = cs_written(&data)}};
        assert_int_equal(run(refuse, &refusal), SEC_E_NO_AUTHENTICATING_AUTHORITY);
        assert_int_equal(requests, cases[i].requests);
        cs_writer_drop(&data);
    }
}

static void demand_much(struct kdc_reply *reply)
{
    struct cs_writer data = method_data(0xFFFFFFFF, 1);
    METHOD_DATA *methods = calloc(1, sizeof *methods);
    size_t size;
    assert_non_null(methods);
    assert_int_equal(decode_METHOD_DATA(data.data, data.size, methods, &size), 0);
    if (reply->clear.padata) free_METHOD_DATA(reply->clear.padata);
    free(reply->clear.padata);
    reply->clear.padata = methods;
    cs_writer_drop(&data);
}

static void iterations_of_reply(void **state)
{
    struct change change = {"padata", demand_much, SEC_E_OK, SEC_E_OK, KDC_AS_REP};
    (void)state;
    assert_int_equal(run(make_change, &change), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_replies),
        cmocka_unit_test(names_in_clear),
        cmocka_unit_test(replayed_replies),
        cmocka_unit_test(mangled_replies),
        cmocka_unit_test(errors_of_logons),
        cmocka_unit_test(errors_of_tickets),
        cmocka_unit_test(loops),
        cmocka_unit_test(too_big),
        cmocka_unit_test(iterations),
        cmocka_unit_test(iterations_of_reply),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
