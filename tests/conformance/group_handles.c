/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles that are zero, were never made, or were released: every function that takes one must say so and not crash.
 */
#include "exchange.h"
#include "groups.h"
#include "packet.h"

static const struct conformance_case zero_cases[] = {
    {"handles/zero.QueryContextAttributesA", "behaviour 212 (documented)", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.QueryContextAttributesW", "behaviour 212 (documented)", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.MakeSignature", "errors MakeSignature SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE",
     NULL, WINE_SAME},
    {"handles/zero.VerifySignature", "errors VerifySignature SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE",
     NULL, WINE_SAME},
    {"handles/zero.EncryptMessage", "errors DecryptMessage/EncryptMessage any zero (reported)", "SEC_E_INVALID_HANDLE",
     NULL, WINE_SAME},
    {"handles/zero.DecryptMessage", "errors DecryptMessage/EncryptMessage any zero (reported)", "SEC_E_INVALID_HANDLE",
     NULL, WINE_SAME},
    {"handles/zero.ImpersonateSecurityContext", "errors ImpersonateSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.RevertSecurityContext", "errors RevertSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.QuerySecurityContextToken", "errors QuerySecurityContextToken SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.InitializeSecurityContext", "errors InitializeSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.AcceptSecurityContext", "errors AcceptSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.DeleteSecurityContext", "errors DeleteSecurityContext/any zero (reported)", "SEC_E_INVALID_HANDLE",
     NULL, WINE_SAME},
    {"handles/zero.QueryCredentialsAttributesA", "errors QueryCredentialsAttributes SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.InitializeSecurityContext-credential",
     "errors InitializeSecurityContext SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/zero.AcceptSecurityContext-credential", "errors AcceptSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE or SEC_E_NO_CREDENTIALS", NULL, WINE_SAME},
    {"handles/zero.FreeCredentialsHandle", "errors FreeCredentialsHandle/any zero (reported)", "SEC_E_INVALID_HANDLE",
     NULL, WINE_SAME},
};

static const struct conformance_case invalid_cases[] = {
    {"handles/invalid.QueryContextAttributesA", "behaviour 212 (documented)", "SEC_E_INVALID_HANDLE", NULL,
     WINE8_DIFFERS},
    {"handles/invalid.QueryContextAttributesW", "behaviour 212 (documented)", "SEC_E_INVALID_HANDLE", NULL,
     WINE8_DIFFERS},
    {"handles/invalid.MakeSignature", "errors MakeSignature SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE",
     NULL, WINE8_DIFFERS},
    {"handles/invalid.VerifySignature", "errors VerifySignature SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.EncryptMessage", "errors EncryptMessage SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.DecryptMessage", "errors DecryptMessage SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.ImpersonateSecurityContext",
     "errors ImpersonateSecurityContext SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL,
     WINE8_DIFFERS},
    {"handles/invalid.RevertSecurityContext", "errors RevertSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.QuerySecurityContextToken", "errors QuerySecurityContextToken SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.InitializeSecurityContext", "errors InitializeSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.AcceptSecurityContext", "errors AcceptSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.DeleteSecurityContext", "errors DeleteSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.QueryCredentialsAttributesA",
     "errors QueryCredentialsAttributes SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL,
     WINE8_DIFFERS},
    {"handles/invalid.InitializeSecurityContext-credential",
     "errors InitializeSecurityContext SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
    {"handles/invalid.AcceptSecurityContext-credential",
     "errors AcceptSecurityContext SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE or SEC_E_NO_CREDENTIALS",
     NULL, WINE8_DIFFERS},
    {"handles/invalid.FreeCredentialsHandle", "errors FreeCredentialsHandle SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
};

static const struct conformance_case deleted_cases[] = {
    {"handles/deleted.QueryContextAttributesA", "behaviour 212", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.QueryContextAttributesW", "behaviour 212", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.MakeSignature", "errors MakeSignature SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE",
     NULL, WINE_SAME},
    {"handles/deleted.VerifySignature", "errors VerifySignature SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.EncryptMessage", "errors EncryptMessage SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.DecryptMessage", "errors DecryptMessage SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.ImpersonateSecurityContext",
     "errors ImpersonateSecurityContext SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.RevertSecurityContext", "errors RevertSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.QuerySecurityContextToken", "errors QuerySecurityContextToken SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.InitializeSecurityContext", "errors InitializeSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.AcceptSecurityContext", "errors AcceptSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.DeleteSecurityContext", "errors DeleteSecurityContext SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE or SEC_E_OK", NULL, WINE_SAME},
    {"handles/deleted.QueryCredentialsAttributesA",
     "errors QueryCredentialsAttributes SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.InitializeSecurityContext-credential",
     "errors InitializeSecurityContext SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"handles/deleted.AcceptSecurityContext-credential",
     "errors AcceptSecurityContext SEC_E_INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE or SEC_E_NO_CREDENTIALS",
     NULL, WINE_SAME},
    {"handles/deleted.FreeCredentialsHandle", "errors FreeCredentialsHandle SEC_E_INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
};

/* One call on a handle that is no good; a context or a credential, as the call takes it. */
struct handle_call {
    const char *name;
    SECURITY_STATUS (*call)(SecHandle *handle);
};

static SECURITY_STATUS query_a(SecHandle *handle)
{
    SecPkgContext_Sizes sizes;

    return QueryContextAttributesA(handle, SECPKG_ATTR_SIZES, &sizes);
}

static SECURITY_STATUS query_w(SecHandle *handle)
{
    SecPkgContext_Sizes sizes;

    return QueryContextAttributesW(handle, SECPKG_ATTR_SIZES, &sizes);
}

static SECURITY_STATUS sign(SecHandle *handle)
{
    struct packet packet;

    packet_init(&packet, SHAPE_TOKEN_DATA);
    return packet_sign(handle, &packet);
}

static SECURITY_STATUS verify(SecHandle *handle)
{
    struct packet packet;
    ULONG qop;

    packet_init(&packet, SHAPE_TOKEN_DATA);
    return VerifySignature(handle, &packet.message, 0, &qop);
}

static SECURITY_STATUS encrypt(SecHandle *handle)
{
    struct packet packet;

    packet_init(&packet, SHAPE_TOKEN_DATA);
    return packet_encrypt(handle, &packet);
}

static SECURITY_STATUS decrypt(SecHandle *handle)
{
    struct packet packet;
    ULONG qop;

    packet_init(&packet, SHAPE_TOKEN_DATA);
    return DecryptMessage(handle, &packet.message, 0, &qop);
}

static SECURITY_STATUS query_token(SecHandle *handle)
{
    HANDLE token;

    return QuerySecurityContextToken(handle, &token);
}

/* A token that is well formed enough to be handed to the package. */
static const unsigned char message[40] = "NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2";

static SECURITY_STATUS initialize_token(SecHandle *credential, SecHandle *context)
{
    unsigned char bytes[TOKEN_MAX];
    SecBuffer received = {sizeof(message), SECBUFFER_TOKEN, (void *)message};
    SecBuffer buffer = {sizeof(bytes), SECBUFFER_TOKEN, bytes};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &received}, output = {SECBUFFER_VERSION, 1, &buffer};
    CtxtHandle new_context;
    TimeStamp expiry;
    ULONG attributes;

    return InitializeSecurityContextA(credential, context, NULL, 0, 0, SECURITY_NATIVE_DREP, context ? &input : NULL, 0,
                                      &new_context, &output, &attributes, &expiry);
}

static SECURITY_STATUS accept_token(SecHandle *credential, SecHandle *context)
{
    unsigned char bytes[TOKEN_MAX];
    SecBuffer received = {sizeof(message), SECBUFFER_TOKEN, (void *)message};
    SecBuffer buffer = {sizeof(bytes), SECBUFFER_TOKEN, bytes};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &received}, output = {SECBUFFER_VERSION, 1, &buffer};
    CtxtHandle new_context;
    TimeStamp expiry;
    ULONG attributes;

    return AcceptSecurityContext(credential, context, &input, 0, SECURITY_NATIVE_DREP, &new_context, &output,
                                 &attributes, &expiry);
}

static SECURITY_STATUS initialize_context(SecHandle *handle)
{
    return initialize_token(NULL, handle);
}

static SECURITY_STATUS accept_context(SecHandle *handle)
{
    return accept_token(NULL, handle);
}

static SECURITY_STATUS initialize_credential(SecHandle *handle)
{
    return initialize_token(handle, NULL);
}

static SECURITY_STATUS accept_credential(SecHandle *handle)
{
    return accept_token(handle, NULL);
}

static SECURITY_STATUS query_credential(SecHandle *handle)
{
    SecPkgCredentials_NamesA names = {NULL};

    return QueryCredentialsAttributesA(handle, SECPKG_CRED_ATTR_NAMES, &names);
}

static SECURITY_STATUS impersonate(SecHandle *handle)
{
    return ImpersonateSecurityContext(handle);
}

static SECURITY_STATUS revert(SecHandle *handle)
{
    return RevertSecurityContext(handle);
}

static SECURITY_STATUS delete_context(SecHandle *handle)
{
    return DeleteSecurityContext(handle);
}

static SECURITY_STATUS free_credential(SecHandle *handle)
{
    return FreeCredentialsHandle(handle);
}

static const struct handle_call context_calls[] = {
    {"QueryContextAttributesA", query_a},
    {"QueryContextAttributesW", query_w},
    {"MakeSignature", sign},
    {"VerifySignature", verify},
    {"EncryptMessage", encrypt},
    {"DecryptMessage", decrypt},
    {"ImpersonateSecurityContext", impersonate},
    {"RevertSecurityContext", revert},
    {"QuerySecurityContextToken", query_token},
    {"InitializeSecurityContext", initialize_context},
    {"AcceptSecurityContext", accept_context},
    {"DeleteSecurityContext", delete_context},
};

static const struct handle_call credential_calls[] = {
    {"QueryCredentialsAttributesA", query_credential},
    {"InitializeSecurityContext-credential", initialize_credential},
    {"AcceptSecurityContext-credential", accept_credential},
    {"FreeCredentialsHandle", free_credential},
};

static void call_all(struct conformance_run *run, const char *state, SecHandle handle, const struct handle_call *calls,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SecHandle given = handle;
        char id[80];

        snprintf(id, sizeof(id), "handles/%s.%s", state, calls[i].name);
        observe_status(run, id, calls[i].call(&given));
    }
}

/* A context and a credential that were good a moment ago. */
static bool make_and_release(SecHandle *context, SecHandle *credential)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");
    const struct exchange_request request = {.data_representation = SECURITY_NATIVE_DREP};
    SecHandle used;
    struct leg leg;

    if (ntlm_credential(SECPKG_CRED_OUTBOUND, &identity, credential)) return false;
    SecInvalidateHandle(context);
    first_client_leg(credential, context, &request, &leg);
    used = *context;
    if (SecIsValidHandle(&used)) DeleteSecurityContext(&used);
    used = *credential;
    FreeCredentialsHandle(&used);
    return leg.status == SEC_I_CONTINUE_NEEDED;
}

static void run_both(struct conformance_run *run, const char *state, SecHandle context, SecHandle credential)
{
    call_all(run, state, context, context_calls, COUNT_OF(context_calls));
    call_all(run, state, credential, credential_calls, COUNT_OF(credential_calls));
}

static void run_zero_handles(struct conformance_run *run)
{
    const SecHandle zero = {0, 0};

    run_both(run, "zero", zero, zero);
}

/* All bits set: what SecInvalidateHandle leaves. */
static void run_invalid_handles(struct conformance_run *run)
{
    SecHandle invalid;

    SecInvalidateHandle(&invalid);
    run_both(run, "invalid", invalid, invalid);
}

static void run_deleted_handles(struct conformance_run *run)
{
    SecHandle context, credential;

    if (make_and_release(&context, &credential))
        run_both(run, "deleted", context, credential);
    else
        not_reached(run, "no context could be made");
}

/* A group each: a crash on one kind of handle must not hide what the others do. */
const struct conformance_group zero_handles_group = {
    .name = "handles-zero", .cases = zero_cases, .case_count = COUNT_OF(zero_cases), .run = run_zero_handles};
const struct conformance_group invalid_handles_group = {.name = "handles-invalid",
                                                        .cases = invalid_cases,
                                                        .case_count = COUNT_OF(invalid_cases),
                                                        .run = run_invalid_handles};
const struct conformance_group deleted_handles_group = {.name = "handles-deleted",
                                                        .cases = deleted_cases,
                                                        .case_count = COUNT_OF(deleted_cases),
                                                        .run = run_deleted_handles};
