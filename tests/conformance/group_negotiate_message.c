/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first client call: the NEGOTIATE message, what each request flag puts into it, and bad output buffers.
 */
#include "exchange.h"
#include "groups.h"
#include "ntlm_message.h"
#include "status.h"

#include <string.h>

#define NO_BITS "SEC_I_CONTINUE_NEEDED, SIGN clear, SEAL clear"
#define SIGN_BIT "SEC_I_CONTINUE_NEEDED, SIGN set"
#define SEAL_BIT "SEC_I_CONTINUE_NEEDED, SEAL set"

/* Domain and workstation fields empty, version 10.0, revision 15; the build number is left out. */
#define NEGOTIATE_FIELDS                                                                                               \
    "0000000000000000"                                                                                                 \
    "0000000000000000"                                                                                                 \
    " 0a00 0000000f"

static const struct conformance_case cases[] = {
    {"negotiate/flags.none", "behaviour 80", NO_BITS, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.connection", "behaviour 81", NO_BITS, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.extended-error", "behaviour 82", NO_BITS, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.mutual-auth", "behaviour 83", NO_BITS, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.dce-style", "behaviour 84", NO_BITS, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.delegate", "behaviour 85", NO_BITS, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.integrity", "behaviour 86", SIGN_BIT, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.replay-detect", "behaviour 87", SIGN_BIT, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.sequence-detect", "behaviour 88", SIGN_BIT, NULL, WINE_NEEDS_HELPER},
    {"negotiate/flags.confidentiality", "behaviour 89", SEAL_BIT, NULL, WINE_NEEDS_HELPER},
    {"negotiate/output.none", "behaviour 90", "SEC_E_BUFFER_TOO_SMALL", NULL, WINE_NEEDS_HELPER},
    {"negotiate/output.null-pointer", "behaviour 91", "SEC_E_INTERNAL_ERROR or SEC_I_CONTINUE_NEEDED", NULL,
     WINE_NEEDS_HELPER},
    {"negotiate/output.size-0", "behaviour 92", "SEC_E_BUFFER_TOO_SMALL, size 0", NULL, WINE_NEEDS_HELPER},
    {"negotiate/output.only-data", "behaviour 93", "SEC_E_BUFFER_TOO_SMALL", NULL, WINE_NEEDS_HELPER},
    {"negotiate/output.good-after-bad", "behaviour 94", "SEC_I_CONTINUE_NEEDED", NULL, WINE_NEEDS_HELPER},
    {"negotiate/output.type", "behaviour 95", "2", NULL, WINE_NEEDS_HELPER},
    {"negotiate/output.size", "behaviour 95", "within cbMaxToken", NULL, WINE_NEEDS_HELPER},
    {"negotiate/two-contexts.first", "behaviour 117", "SEC_I_CONTINUE_NEEDED", NULL, WINE_NEEDS_HELPER},
    {"negotiate/two-contexts.second", "behaviour 117", "SEC_I_CONTINUE_NEEDED", NULL, WINE_NEEDS_HELPER},
    {"negotiate/two-contexts.differ", "behaviour 117", "yes", NULL, WINE_NEEDS_HELPER},
    {"negotiate/two-contexts.delete-first", "behaviour 117", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"negotiate/two-contexts.delete-second", "behaviour 117", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"negotiate/own-name-target", "behaviour 118", "SEC_I_CONTINUE_NEEDED", NULL, WINE_NEEDS_HELPER},
    {"negotiate/message.header", "vectors win2019-ntlm type1", "4e544c4d5353500001000000", NULL, WINE_NEEDS_HELPER},
    {"negotiate/message.size", "attributes NTLM type 1", "40", NULL, WINE_NEEDS_HELPER},
    {"negotiate/message.flags-sealing", "attributes NTLM type 1", "0xe20882b7", NULL, WINE8_DIFFERS},
    {"negotiate/message.flags-signing", "attributes NTLM type 1", "0xe2088297", NULL, WINE8_DIFFERS},
    {"negotiate/message.fields", "vectors win2019-ntlm type1, attributes NTLM Version", NEGOTIATE_FIELDS, NULL,
     WINE8_DIFFERS},
};

struct flag_case {
    const char *id;
    ULONG requested;
    ULONG shown; /* the bits of the message's flags to tell of */
};

#define SIGN 0x10
#define SEAL 0x20

static const struct flag_case flag_cases[] = {
    {"negotiate/flags.none", 0, SIGN | SEAL},
    {"negotiate/flags.connection", ISC_REQ_CONNECTION, SIGN | SEAL},
    {"negotiate/flags.extended-error", ISC_REQ_EXTENDED_ERROR, SIGN | SEAL},
    {"negotiate/flags.mutual-auth", ISC_REQ_MUTUAL_AUTH, SIGN | SEAL},
    {"negotiate/flags.dce-style", ISC_REQ_USE_DCE_STYLE, SIGN | SEAL},
    {"negotiate/flags.delegate", ISC_REQ_DELEGATE, SIGN | SEAL},
    {"negotiate/flags.integrity", ISC_REQ_INTEGRITY, SIGN},
    {"negotiate/flags.replay-detect", ISC_REQ_REPLAY_DETECT, SIGN},
    {"negotiate/flags.sequence-detect", ISC_REQ_SEQUENCE_DETECT, SIGN},
    {"negotiate/flags.confidentiality", ISC_REQ_CONFIDENTIALITY, SEAL},
};

static struct exchange_request request_flags(ULONG flags)
{
    return (struct exchange_request){.client_flags = flags, .data_representation = SECURITY_NATIVE_DREP};
}

static void first_leg(CredHandle *credential, ULONG flags, struct leg *leg)
{
    const struct exchange_request request = request_flags(flags);
    CtxtHandle context;

    SecInvalidateHandle(&context);
    first_client_leg(credential, &context, &request, leg);
    if (SecIsValidHandle(&context)) DeleteSecurityContext(&context);
}

static void flag_bits(struct conformance_run *run, CredHandle *credential)
{
    for (size_t i = 0; i < COUNT_OF(flag_cases); i++) {
        const struct flag_case *item = &flag_cases[i];
        char name[STATUS_NAME_MAX];
        struct leg leg;
        ULONG flags;

        first_leg(credential, item->requested, &leg);
        flags = leg.output.size >= 16 ? read_u32(leg.output.bytes + 12) : 0;
        observe(run, item->id, "%s%s%s", status_name(leg.status, name),
                !(item->shown & SIGN) ? ""
                : flags & SIGN        ? ", SIGN set"
                                      : ", SIGN clear",
                !(item->shown & SEAL) ? ""
                : flags & SEAL        ? ", SEAL set"
                                      : ", SEAL clear");
    }
}

/* A first call with an output that is wrong; a context that came of it goes. */
static SECURITY_STATUS first_call(CredHandle *credential, SecBufferDesc *output)
{
    CtxtHandle context;
    TimeStamp expiry;
    ULONG attributes;
    SECURITY_STATUS status;

    SecInvalidateHandle(&context);
    status = InitializeSecurityContextA(credential, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0, &context, output,
                                        &attributes, &expiry);
    if (SecIsValidHandle(&context)) DeleteSecurityContext(&context);
    return status;
}

static void wrong_outputs(struct conformance_run *run, CredHandle *credential)
{
    unsigned char bytes[TOKEN_MAX];
    char name[STATUS_NAME_MAX];
    SecBuffer buffer = {TOKEN_MAX, SECBUFFER_TOKEN, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &buffer};
    SECURITY_STATUS status;

    observe_status(run, "negotiate/output.none", first_call(credential, NULL));
    observe_status(run, "negotiate/output.null-pointer", first_call(credential, &output));
    buffer = (SecBuffer){0, SECBUFFER_TOKEN, bytes};
    status = first_call(credential, &output);
    observe(run, "negotiate/output.size-0", "%s, size %lu", status_name(status, name), buffer.cbBuffer);
    buffer = (SecBuffer){TOKEN_MAX, SECBUFFER_DATA, bytes};
    observe_status(run, "negotiate/output.only-data", first_call(credential, &output));
}

static ULONG max_token(void)
{
    SecPkgInfoA *info;
    ULONG size;

    if (QuerySecurityPackageInfoA((SEC_CHAR *)"NTLM", &info)) return 0;
    size = info->cbMaxToken;
    FreeContextBuffer(info);
    return size;
}

static void good_output(struct conformance_run *run, CredHandle *credential)
{
    struct leg leg;

    first_leg(credential, 0, &leg);
    observe_status(run, "negotiate/output.good-after-bad", leg.status);
    if (leg.status != SEC_I_CONTINUE_NEEDED) return;
    observe(run, "negotiate/output.type", "%lu", leg.output_type);
    observe(run, "negotiate/output.size", leg.output.size <= max_token() ? "within cbMaxToken" : "%lu",
            leg.output.size);
}

static void two_contexts(struct conformance_run *run, CredHandle *credential)
{
    const struct exchange_request request = request_flags(0);
    CtxtHandle first, second;
    struct leg leg;

    first_client_leg(credential, &first, &request, &leg);
    observe_status(run, "negotiate/two-contexts.first", leg.status);
    if (leg.status != SEC_I_CONTINUE_NEEDED) return;
    first_client_leg(credential, &second, &request, &leg);
    observe_status(run, "negotiate/two-contexts.second", leg.status);
    if (leg.status == SEC_I_CONTINUE_NEEDED) {
        observe_bool(run, "negotiate/two-contexts.differ", memcmp(&first, &second, sizeof(first)) != 0);
        observe_status(run, "negotiate/two-contexts.delete-second", DeleteSecurityContext(&second));
    }
    observe_status(run, "negotiate/two-contexts.delete-first", DeleteSecurityContext(&first));
}

static ULONG message_flags(CredHandle *credential, ULONG requested)
{
    struct leg leg;

    first_leg(credential, requested, &leg);
    return leg.output.size >= 16 ? read_u32(leg.output.bytes + 12) : 0;
}

static void message_bytes(struct conformance_run *run, CredHandle *credential)
{
    const ULONG signing = ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;
    char fields[64] = "";
    struct leg leg;

    first_leg(credential, signing, &leg);
    if (leg.status != SEC_I_CONTINUE_NEEDED || leg.output.size < 32) return;
    observe_hex(run, "negotiate/message.header", leg.output.bytes, 12);
    observe(run, "negotiate/message.size", "%lu", leg.output.size);
    observe(run, "negotiate/message.flags-sealing", "0x%08lx",
            message_flags(credential, signing | ISC_REQ_CONFIDENTIALITY));
    observe(run, "negotiate/message.flags-signing", "0x%08lx", message_flags(credential, signing));
    if (leg.output.size < 40) return;
    for (int i = 16; i < 40; i++) {
        if (i == 34 || i == 35) continue;
        snprintf(fields + strlen(fields), 5, "%s%02x", i == 32 || i == 36 ? " " : "", leg.output.bytes[i]);
    }
    observe(run, "negotiate/message.fields", "%s", fields);
}

/* With default credentials, to a target named like the user: as a program that talks to itself does. */
static void own_name_target(struct conformance_run *run)
{
    char target[256];
    ULONG size = sizeof(target);
    struct exchange_request request = request_flags(ISC_REQ_CONNECTION);
    CredHandle credential;
    CtxtHandle context;
    struct leg leg;

    if (!GetUserNameExA(NameSamCompatible, target, &size)) return;
    if (ntlm_credential(SECPKG_CRED_OUTBOUND, NULL, &credential)) return;
    request.target = target;
    SecInvalidateHandle(&context);
    first_client_leg(&credential, &context, &request, &leg);
    observe_status(run, "negotiate/own-name-target", leg.status);
    if (SecIsValidHandle(&context)) DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
}

static void run_negotiate_message(struct conformance_run *run)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");
    CredHandle credential;
    char name[STATUS_NAME_MAX];
    SECURITY_STATUS status = ntlm_credential(SECPKG_CRED_OUTBOUND, &identity, &credential);

    if (status) {
        not_reached(run, "no credential: %s", status_name(status, name));
        return;
    }
    flag_bits(run, &credential);
    wrong_outputs(run, &credential);
    good_output(run, &credential);
    two_contexts(run, &credential);
    message_bytes(run, &credential);
    FreeCredentialsHandle(&credential);
    own_name_target(run);
}

const struct conformance_group negotiate_message_group = {
    .name = "negotiate", .cases = cases, .case_count = COUNT_OF(cases), .run = run_negotiate_message};
