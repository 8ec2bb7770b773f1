/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ApplyControlToken of Schannel, the alerts that the next leg writes, and what a side makes of alerts that come.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

#define NAME "schannel-control/"

/* errors.tsv, "received TLS alert"; every description of its list and one that nobody has. */
#define ALERTS(alert)                                                                                                  \
    alert("10", 10, "SEC_E_ILLEGAL_MESSAGE") alert("20", 20, "SEC_E_MESSAGE_ALTERED")                                  \
        alert("21", 21, "SEC_E_DECRYPT_FAILURE") alert("22", 22, "SEC_E_ILLEGAL_MESSAGE")                              \
            alert("30", 30, "SEC_E_MESSAGE_ALTERED") alert("40", 40, "SEC_E_ILLEGAL_MESSAGE")                          \
                alert("42", 42, "SEC_E_CERT_UNKNOWN") alert("43", 43, "SEC_E_CERT_UNKNOWN")                            \
                    alert("44", 44, "CRYPT_E_REVOKED") alert("45", 45, "SEC_E_CERT_EXPIRED")                           \
                        alert("46", 46, "SEC_E_CERT_UNKNOWN") alert("47", 47, "SEC_E_ILLEGAL_MESSAGE")                 \
                            alert("48", 48, "SEC_E_UNTRUSTED_ROOT") alert("49", 49, "SEC_E_LOGON_DENIED") alert(       \
                                "50", 50, "SEC_E_ILLEGAL_MESSAGE") alert("51", 51, "SEC_E_DECRYPT_FAILURE")            \
                                alert("60", 60, "SEC_E_ILLEGAL_MESSAGE") alert("70", 70, "SEC_E_UNSUPPORTED_FUNCTION") \
                                    alert("71", 71, "SEC_E_ALGORITHM_MISMATCH")                                        \
                                        alert("80", 80, "SEC_E_INTERNAL_ERROR")                                        \
                                            alert("90", 90, "SEC_E_UNFINISHED_CONTEXT_DELETED")                        \
                                                alert("100", 100, "SEC_E_ILLEGAL_MESSAGE")                             \
                                                    alert("110", 110, "SEC_E_ILLEGAL_MESSAGE")                         \
                                                        alert("115", 115, "SEC_E_ILLEGAL_MESSAGE")                     \
                                                            alert("120", 120, "SEC_E_APPLICATION_PROTOCOL_MISMATCH")   \
                                                                alert("200", 200, "SEC_E_ILLEGAL_MESSAGE")

#define ALERT_CASE(text, number, status)                                                                               \
    {NAME "received." text, "errors (received TLS alert " text ") (documented)", status, NULL, WINE_SAME},
#define ALERT_NUMBER(text, number, status) {NAME "received." text, number},

static const struct conformance_case cases[] = {
    {NAME "two-tokens", "behaviour 213", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "token-and-empty", "behaviour 214", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "renegotiate", "behaviour 215", "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_SAME},
    {NAME "no-context", "behaviour 216", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {NAME "no-descriptor", "behaviour 217", "SEC_E_INTERNAL_ERROR", NULL, WINE_SAME},
    {NAME "alert-buffer", "behaviour 218", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "data-buffer", "behaviour 219", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {NAME "2-bytes", "behaviour 220", "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_SAME},
    {NAME "shutdown", "behaviour 221", "SEC_E_OK SEC_E_OK SEC_E_OK", NULL, WINE_SAME},
    {NAME "shutdown.leg", "behaviour 222", "SEC_E_OK, 15030100020100, the same", NULL, WINE_SAME},
    {NAME "shutdown.next-leg", "behaviour 223", "SEC_E_INCOMPLETE_MESSAGE, nothing", NULL, WINE_SAME},
    {NAME "shutdown.again", "behaviour 224", "SEC_E_OK, 15030100020100", NULL, WINE_SAME},
    {NAME "alert", "behaviour 225", "SEC_E_OK", NULL, WINE8_DIFFERS},
    {NAME "alert.leg", "behaviour 225", "SEC_E_OK, 1503010002022a", NULL, WINE8_DIFFERS},
    ALERTS(ALERT_CASE)};

static const struct {
    const char *id;
    DWORD number;
} alerts[] = {ALERTS(ALERT_NUMBER)};

static SECURITY_STATUS apply(CtxtHandle *context, ULONG type, const void *bytes, ULONG size)
{
    SecBuffer token = {size, type, (void *)bytes};
    SecBufferDesc control = {SECBUFFER_VERSION, 1, &token};

    return ApplyControlToken(context, &control);
}

static SECURITY_STATUS apply_alert(CtxtHandle *context, DWORD number)
{
    const SCHANNEL_ALERT_TOKEN token = {SCHANNEL_ALERT, TLS1_ALERT_FATAL, number};

    return apply(context, SECBUFFER_TOKEN, &token, sizeof(token));
}

static void try_shapes(struct conformance_run *run, CtxtHandle *context)
{
    DWORD shutdown = SCHANNEL_SHUTDOWN, renegotiation = SCHANNEL_RENEGOTIATE;
    SecBuffer two[2] = {{sizeof(shutdown), SECBUFFER_TOKEN, &shutdown}, {sizeof(shutdown), SECBUFFER_TOKEN, &shutdown}};
    SecBufferDesc control = {SECBUFFER_VERSION, 2, two};

    observe_status(run, NAME "two-tokens", ApplyControlToken(context, &control));
    two[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    observe_status(run, NAME "token-and-empty", ApplyControlToken(context, &control));
    observe_status(run, NAME "renegotiate", apply(context, SECBUFFER_TOKEN, &renegotiation, sizeof(renegotiation)));
    observe_status(run, NAME "no-context", apply(NULL, SECBUFFER_TOKEN, &shutdown, sizeof(shutdown)));
    observe_status(run, NAME "no-descriptor", ApplyControlToken(context, NULL));
    observe_status(run, NAME "alert-buffer", apply(context, SECBUFFER_ALERT, &shutdown, sizeof(shutdown)));
    observe_status(run, NAME "data-buffer", apply(context, SECBUFFER_DATA, &shutdown, sizeof(shutdown)));
    observe_status(run, NAME "2-bytes", apply(context, SECBUFFER_TOKEN, &shutdown, 2));
}

/* A leg with flags 0, no target and, if WITH_INPUT, a token of zeros. */
static SECURITY_STATUS bare_leg(struct schannel_side *side, bool with_input, CtxtHandle *new_context, SecBuffer *out)
{
    BYTE zeros[16] = {0};
    SecBuffer in = {sizeof(zeros), SECBUFFER_TOKEN, zeros};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, out};

    return InitializeSecurityContextA(&side->credential, &side->context, NULL, 0, 0, 0, with_input ? &input : NULL, 0,
                                      new_context, &output, &side->attributes, &side->expiry);
}

static const char *hex(const SecBuffer *buffer, char *text)
{
    text[0] = 0;
    for (ULONG i = 0; i < buffer->cbBuffer && i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const BYTE *)buffer->pvBuffer)[i]);
    return text;
}

static void try_shutdown(struct conformance_run *run, struct schannel_side *side)
{
    const BYTE shutdown[5] = {SCHANNEL_SHUTDOWN};
    BYTE room[128];
    CtxtHandle new_context = {0, 0};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    char names[3][STATUS_NAME_MAX], text[64];
    SECURITY_STATUS status[3];

    for (int i = 0; i < 3; i++)
        status[i] = apply(&side->context, SECBUFFER_TOKEN, shutdown, i == 1 ? sizeof(shutdown) : sizeof(DWORD));
    observe(run, NAME "shutdown", "%s %s %s", status_name(status[0], names[0]), status_name(status[1], names[1]),
            status_name(status[2], names[2]));
    status[0] = bare_leg(side, true, &new_context, &out);
    observe(run, NAME "shutdown.leg", "%s, %s, %s", status_name(status[0], names[0]), hex(&out, text),
            memcmp(&new_context, &side->context, sizeof(new_context)) ? "another" : "the same");
    memset(room, 0xcc, sizeof(room));
    out = (SecBuffer){sizeof(room), SECBUFFER_TOKEN, room};
    status[0] = bare_leg(side, false, &new_context, &out);
    observe(run, NAME "shutdown.next-leg", "%s, %s", status_name(status[0], names[0]),
            room[0] == 0xcc ? "nothing" : "something");
    apply(&side->context, SECBUFFER_TOKEN, shutdown, sizeof(DWORD));
    out = (SecBuffer){sizeof(room), SECBUFFER_TOKEN, room};
    status[0] = bare_leg(side, false, NULL, &out);
    observe(run, NAME "shutdown.again", "%s, %s", status_name(status[0], names[0]), hex(&out, text));
}

static void try_alert(struct conformance_run *run, struct schannel_side *side)
{
    BYTE room[128];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    char name[STATUS_NAME_MAX], text[64];

    observe_status(run, NAME "alert", apply_alert(&side->context, TLS1_ALERT_BAD_CERTIFICATE));
    const SECURITY_STATUS status = bare_leg(side, false, &side->context, &out);
    observe(run, NAME "alert.leg", "%s, %s", status_name(status, name), hex(&out, text));
}

/* A client that says hello and then that alert. */
static void try_received(struct conformance_run *run, const char *id, DWORD number)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;

    if (schannel_pair_open(&pair, &setup) && schannel_client_leg(&pair, &setup) == SEC_I_CONTINUE_NEEDED &&
        schannel_server_leg(&pair, &setup) == SEC_I_CONTINUE_NEEDED && !apply_alert(&pair.client.context, number)) {
        schannel_client_leg(&pair, &setup);
        observe_status(run, id, schannel_server_leg(&pair, &setup));
    }
    schannel_pair_close(&pair);
}

static void run_control(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_CLIENT};
    struct schannel_pair pair;

    if (schannel_pair_open(&pair, &setup) && schannel_client_leg(&pair, &setup) == SEC_I_CONTINUE_NEEDED) {
        try_shapes(run, &pair.client.context);
        try_shutdown(run, &pair.client);
        try_alert(run, &pair.client);
    }
    schannel_pair_close(&pair);
    for (size_t i = 0; i < COUNT_OF(alerts); i++) try_received(run, alerts[i].id, alerts[i].number);
}

const struct conformance_group schannel_control_group = {
    .name = "schannel-control",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_control,
};
