/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client alone against a challenge of an old server (no extended session security, no key exchange, no timestamp):
 * the second call, and the attributes of the context that comes of it.
 */
#include "attributes.h"
#include "groups.h"
#include "ntlm_message.h"
#include "status.h"

#include <string.h>

#define SIZES "max token 2888, signature 16, block 0, trailer 16"
#define OLD_SIZES "5.2:max token 1904, signature 16, block 0, trailer 16"
#define OLD_CAPABILITIES "5.2:0x00002b37 or 6.0:0x00022b37 or 6.1:0x00082b37 or 10.0:0x00882b37"

static const struct conformance_case cases[] = {
    {"challenge/native.outcome", "behaviour 96", "client SEC_I_CONTINUE_NEEDED, client SEC_E_OK", NULL,
     WINE_NEEDS_HELPER},
    {"challenge/native.message", "behaviour 96", "AUTHENTICATE", NULL, WINE_NEEDS_HELPER},
    {"challenge/network.outcome", "behaviour 96", "client SEC_I_CONTINUE_NEEDED, client SEC_E_OK", NULL,
     WINE_NEEDS_HELPER},
    {"challenge/network.message", "behaviour 96", "AUTHENTICATE", NULL, WINE_NEEDS_HELPER},
    {"challenge/sizes", "behaviour 97", SIZES, OLD_SIZES, WINE8_DIFFERS},
    {"challenge/stream-sizes", "behaviour 98", "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_NEEDS_HELPER},
    {"challenge/key-info", "behaviour 99", "RSADSI RC4-CRC32 / RSADSI RC4, 0xffffff7c, 128, 0x6801", NULL,
     WINE_NEEDS_HELPER},
    {"challenge/key-info.free", "behaviour 101", "SEC_E_OK SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"challenge/session-key", "behaviour 102", "SEC_E_OK, filled, freed SEC_E_OK", NULL, WINE8_DIFFERS},
    {"challenge/negotiation-info.status", "behaviour 103", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"challenge/negotiation-info.state", "behaviour 62, 103", "0", NULL, WINE_NEEDS_HELPER},
    {"challenge/negotiation-info.package", "behaviour 62, 103", "NTLM, rpc id 10, version 1", NULL, WINE_NEEDS_HELPER},
    {"challenge/negotiation-info.capabilities", "behaviour 63, 103", "0x02882b37", OLD_CAPABILITIES, WINE8_DIFFERS},
    {"challenge/negotiation-info.memory", "behaviour 64, 103", "one block, strings inside", NULL, WINE_NEEDS_HELPER},
    {"challenge/negotiation-info.free", "behaviour 64, 103", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"challenge/delete", "behaviour 106", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"challenge/garbage", "errors InitializeSecurityContext/NTLM malformed (documented)", "SEC_E_INVALID_TOKEN", NULL,
     WINE_NEEDS_HELPER},
    {"challenge/spnego", "errors InitializeSecurityContext/NTLM SPNEGO blob (reported)", "SEC_E_INVALID_TOKEN", NULL,
     WINE_NEEDS_HELPER},
    {"challenge/truncated", "errors InitializeSecurityContext/NTLM malformed (documented)", "SEC_E_INVALID_TOKEN", NULL,
     WINE_NEEDS_HELPER},
};

static const struct av_pair pairs[] = {
    {.id = AV_DOMAIN, .text = "WORKGROUP"},
    {.id = AV_SERVER, .text = "OLDSERVER"},
    {.id = AV_DNS_DOMAIN, .text = "example.test"},
    {.id = AV_DNS_SERVER, .text = "oldserver.example.test"},
};

/* UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, TARGET_TYPE_SERVER, TARGET_INFO, 128, 56 */
static const struct challenge old_challenge = {
    .flags = 0xa0828205,
    .nonce = {0xe9, 0x58, 0x7f, 0x14, 0xa2, 0x86, 0x3b, 0x63},
    .target = "OLDSERVER",
    .pairs = pairs,
    .pair_count = COUNT_OF(pairs),
};

static bool run_client(struct exchange *exchange, ULONG data_representation, const struct token *challenge)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");
    const struct exchange_request request = {.identity = &identity, .data_representation = data_representation};

    return exchange_with_challenge(exchange, &request, challenge);
}

static void observe_message(struct conformance_run *run, const char *id, const struct token *token)
{
    bool is_authenticate = token->size > 12 && !memcmp(token->bytes, "NTLMSSP", 8) && read_u32(token->bytes + 8) == 3;

    observe(run, id, is_authenticate ? "AUTHENTICATE" : "another, %lu bytes", token->size);
}

static const char *memory_text(const SecPkgInfoA *info)
{
    const char *start = (const char *)info;
    size_t size = sizeof(*info) + strlen(info->Name) + 1 + strlen(info->Comment) + 1;
    bool inside =
        info->Name > start && info->Name < start + size && info->Comment > start && info->Comment < start + size;

    if (!inside) return "strings outside";
    return HeapSize(GetProcessHeap(), 0, info) == size ? "one block, strings inside" : "a block of another size";
}

static void negotiation_info(struct conformance_run *run, CtxtHandle *context)
{
    SecPkgContext_NegotiationInfoA info = {NULL, 0};
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, &info);

    observe_status(run, "challenge/negotiation-info.status", status);
    if (status || !info.PackageInfo) return;
    observe(run, "challenge/negotiation-info.state", "%lu", info.NegotiationState);
    observe(run, "challenge/negotiation-info.package", "%s, rpc id %u, version %u", info.PackageInfo->Name,
            info.PackageInfo->wRPCID, info.PackageInfo->wVersion);
    observe(run, "challenge/negotiation-info.capabilities", "0x%08lx", info.PackageInfo->fCapabilities);
    observe(run, "challenge/negotiation-info.memory", "%s", memory_text(info.PackageInfo));
    observe_status(run, "challenge/negotiation-info.free", FreeContextBuffer(info.PackageInfo));
}

static void context_attributes(struct conformance_run *run, CtxtHandle *context)
{
    unsigned char key[SESSION_KEY_MAX];
    char text[OBSERVED_MAX], name[STATUS_NAME_MAX], freed[STATUS_NAME_MAX];
    SecPkgContext_StreamSizes stream_sizes;
    SECURITY_STATUS status, released = SEC_E_INTERNAL_ERROR;
    ULONG size;

    observe(run, "challenge/sizes", "%s", sizes_text(context, text));
    observe_status(run, "challenge/stream-sizes",
                   QueryContextAttributesA(context, SECPKG_ATTR_STREAM_SIZES, &stream_sizes));
    observe(run, "challenge/key-info", "%s", key_info_text(context, text));
    observe(run, "challenge/key-info.free", "%s", key_info_release_text(context, text));
    status = session_key(context, key, &size, &released);
    if (status)
        observe_status(run, "challenge/session-key", status);
    else
        observe(run, "challenge/session-key", "%s, %s, freed %s", status_name(status, name), size ? "filled" : "empty",
                status_name(released, freed));
    negotiation_info(run, context);
}

static void network_order(struct conformance_run *run, const struct token *challenge)
{
    struct exchange exchange;
    char text[OUTCOME_MAX];

    if (run_client(&exchange, SECURITY_NETWORK_DREP, challenge))
        observe_message(run, "challenge/network.message", &exchange.legs[CLIENT_LAST].output);
    observe(run, "challenge/network.outcome", "%s", exchange_outcome(&exchange, text));
    exchange_close(&exchange);
}

static void native_order(struct conformance_run *run, const struct token *challenge)
{
    struct exchange exchange;
    char text[OUTCOME_MAX];
    bool complete = run_client(&exchange, SECURITY_NATIVE_DREP, challenge);

    observe(run, "challenge/native.outcome", "%s", exchange_outcome(&exchange, text));
    if (complete) {
        observe_message(run, "challenge/native.message", &exchange.legs[CLIENT_LAST].output);
        context_attributes(run, &exchange.client);
        observe_status(run, "challenge/delete", DeleteSecurityContext(&exchange.client));
        SecInvalidateHandle(&exchange.client);
    } else {
        not_reached(run, "%s", text);
    }
    exchange_close(&exchange);
}

static void refused(struct conformance_run *run, const char *id, const struct token *challenge)
{
    struct exchange exchange;

    run_client(&exchange, SECURITY_NATIVE_DREP, challenge);
    if (exchange.legs[CLIENT_LAST].made) observe_status(run, id, exchange.legs[CLIENT_LAST].status);
    exchange_close(&exchange);
}

static void run_challenge(struct conformance_run *run)
{
    static const struct token spnego = {{0xa1, 0x07, 0x30, 0x05, 0xa0, 0x03, 0x0a, 0x01, 0x01}, 9};
    static const struct token garbage = {"This is no token at all, and long enough to be a challenge of NTLM's.", 64};
    struct token challenge;

    make_challenge(&old_challenge, &challenge);
    native_order(run, &challenge);
    network_order(run, &challenge);
    refused(run, "challenge/garbage", &garbage);
    refused(run, "challenge/spnego", &spnego);
    challenge.size = 30;
    refused(run, "challenge/truncated", &challenge);
}

const struct conformance_group challenge_group = {
    .name = "challenge", .cases = cases, .case_count = COUNT_OF(cases), .run = run_challenge};
