/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities: encoding strings as an opaque identity and back, and preparing one for the credential manager.
 */
#include "groups.h"

#include <string.h>
#include <wchar.h>

static const struct conformance_case cases[] = {
    {"identity/encode.nothing-no-output", "behaviour 30", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {"identity/encode.nothing", "behaviour 31", "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {"identity/encode.nothing.untouched", "behaviour 31", "yes", NULL, WINE_SAME},
    {"identity/encode.password", "behaviour 32", "SEC_E_OK, identity", NULL, WINE_SAME},
    {"identity/encode.domain-password", "behaviour 33", "SEC_E_OK, identity", NULL, WINE_SAME},
    {"identity/encode.user-password", "behaviour 34", "SEC_E_OK, identity", NULL, WINE_SAME},
    {"identity/encode.user", "behaviour 35", "SEC_E_OK, identity", NULL, WINE_SAME},
    {"identity/encode.all", "behaviour 36", "SEC_E_OK, identity", NULL, WINE_SAME},
    {"identity/decode.status", "behaviour 37", "SEC_E_OK", NULL, WINE_SAME},
    {"identity/decode.strings", "behaviour 37", "user domain password", NULL, WINE_SAME},
    {"identity/decode.no-domain", "behaviour 38", "SEC_E_OK, user NULL password", NULL, WINE_SAME},
    {"identity/zero-then-free", "behaviour 39", "strings stay valid", NULL, WINE_SAME},
    {"identity/credwrite.status", "behaviour 40", "SEC_E_OK", NULL, WINE_SAME},
    {"identity/credwrite.type", "behaviour 40", "2", NULL, WINE_SAME},
    {"identity/credwrite.target", "behaviour 41", "domain\\user", NULL, WINE_SAME},
    {"identity/credwrite.user", "behaviour 42", "domain\\user", NULL, WINE_SAME},
    {"identity/credwrite.blob-size", "behaviour 43", "16", NULL, WINE_SAME},
    {"identity/credwrite.blob", "behaviour 43", "700061007300730077006f0072006400", NULL, WINE_SAME},
    {"identity/credwrite.given-target", "behaviour 44", "target domain\\user", NULL, WINE_SAME},
    {"identity/exports.secur32", "behaviour 45", "6 of 6", NULL, WINE_SAME},
    {"identity/exports.sspicli", "behaviour 45", "6 of 6", NULL, WINE_SAME},
};

typedef SECURITY_STATUS(WINAPI *encode_function)(const WCHAR *user, const WCHAR *domain, const WCHAR *credentials,
                                                 void **identity);
typedef SECURITY_STATUS(WINAPI *decode_function)(void *identity, WCHAR **user, WCHAR **domain, WCHAR **credentials);
typedef void(WINAPI *release_function)(void *memory);
typedef SECURITY_STATUS(WINAPI *prepare_function)(void *identity, const WCHAR *target, ULONG *type, WCHAR **target_name,
                                                  WCHAR **user, BYTE **blob, ULONG *blob_size);

/* By address: a secur32.dll that lacks one of these would otherwise keep the whole program from starting. */
struct identity_functions {
    encode_function encode;
    decode_function decode;
    release_function zero, release, local_free;
    prepare_function prepare;
};

static const char *const export_names[] = {
    "SspiEncodeStringsAsAuthIdentity",
    "SspiEncodeAuthIdentityAsStrings",
    "SspiZeroAuthIdentity",
    "SspiFreeAuthIdentity",
    "SspiLocalFree",
    "SspiPrepareForCredWrite",
};

static void observe_exports(struct conformance_run *run, const char *id, const char *dll)
{
    unsigned found = 0;

    for (size_t i = 0; i < COUNT_OF(export_names); i++) found += optional_function(dll, export_names[i]) != NULL;
    observe(run, id, "%u of %u", found, (unsigned)COUNT_OF(export_names));
}

static bool load_functions(struct identity_functions *functions)
{
    functions->encode = (encode_function)(void *)optional_function("secur32.dll", export_names[0]);
    functions->decode = (decode_function)(void *)optional_function("secur32.dll", export_names[1]);
    functions->zero = (release_function)(void *)optional_function("secur32.dll", export_names[2]);
    functions->release = (release_function)(void *)optional_function("secur32.dll", export_names[3]);
    functions->local_free = (release_function)(void *)optional_function("secur32.dll", export_names[4]);
    functions->prepare = (prepare_function)(void *)optional_function("secur32.dll", export_names[5]);
    return functions->encode && functions->decode && functions->zero && functions->release && functions->local_free &&
           functions->prepare;
}

static void encode_one(struct conformance_run *run, const struct identity_functions *functions, const char *id,
                       const WCHAR *user, const WCHAR *domain, const WCHAR *password)
{
    void *identity = NULL;
    SECURITY_STATUS status = functions->encode(user, domain, password, &identity);

    if (status)
        observe_status(run, id, status);
    else
        observe(run, id, "SEC_E_OK, %s", identity ? "identity" : "NULL");
    if (!status && identity) functions->release(identity);
}

static void encode_all_shapes(struct conformance_run *run, const struct identity_functions *functions)
{
    int sentinel;
    void *identity = &sentinel;

    observe_status(run, "identity/encode.nothing-no-output", functions->encode(NULL, NULL, NULL, NULL));
    observe_status(run, "identity/encode.nothing", functions->encode(NULL, NULL, NULL, &identity));
    observe_bool(run, "identity/encode.nothing.untouched", identity == &sentinel);
    encode_one(run, functions, "identity/encode.password", NULL, NULL, L"password");
    encode_one(run, functions, "identity/encode.domain-password", NULL, L"domain", L"password");
    encode_one(run, functions, "identity/encode.user-password", L"user", NULL, L"password");
    encode_one(run, functions, "identity/encode.user", L"user", NULL, NULL);
    encode_one(run, functions, "identity/encode.all", L"user", L"domain", L"password");
}

static void release_strings(const struct identity_functions *functions, WCHAR *user, WCHAR *domain, WCHAR *password)
{
    functions->local_free(user);
    functions->local_free(domain);
    functions->local_free(password);
}

/* Frees the identity before it looks at the strings a second time: they must be copies. */
static void decode_all(struct conformance_run *run, const struct identity_functions *functions)
{
    WCHAR *user = NULL, *domain = NULL, *password = NULL;
    void *identity = NULL;
    SECURITY_STATUS status;

    if (functions->encode(L"user", L"domain", L"password", &identity)) return;
    status = functions->decode(identity, &user, &domain, &password);
    observe_status(run, "identity/decode.status", status);
    if (status || !user || !domain || !password) return;
    observe(run, "identity/decode.strings", "%ls %ls %ls", user, domain, password);
    functions->zero(identity);
    functions->release(identity);
    observe(run, "identity/zero-then-free",
            !wcscmp(user, L"user") && !wcscmp(domain, L"domain") && !wcscmp(password, L"password")
                ? "strings stay valid"
                : "strings changed");
    release_strings(functions, user, domain, password);
}

static void decode_without_domain(struct conformance_run *run, const struct identity_functions *functions)
{
    int sentinel;
    WCHAR *user = NULL, *domain = (WCHAR *)(void *)&sentinel, *password = NULL;
    void *identity = NULL;
    SECURITY_STATUS status;

    if (functions->encode(L"user", NULL, L"password", &identity)) return;
    status = functions->decode(identity, &user, &domain, &password);
    if (status || !user || !password)
        observe_status(run, "identity/decode.no-domain", status);
    else
        observe(run, "identity/decode.no-domain", "SEC_E_OK, %ls %s %ls", user, domain ? "not NULL" : "NULL", password);
    functions->release(identity);
    if (!status) release_strings(functions, user, NULL, password);
}

static void prepare_credential(struct conformance_run *run, const struct identity_functions *functions)
{
    WCHAR *target = NULL, *user = NULL;
    BYTE *blob = NULL;
    ULONG type = 0, size = 0;
    void *identity = NULL;
    SECURITY_STATUS status;

    if (functions->encode(L"user", L"domain", L"password", &identity)) return;
    status = functions->prepare(identity, NULL, &type, &target, &user, &blob, &size);
    observe_status(run, "identity/credwrite.status", status);
    if (!status) {
        observe(run, "identity/credwrite.type", "%lu", type);
        observe(run, "identity/credwrite.target", "%ls", target);
        observe(run, "identity/credwrite.user", "%ls", user);
        observe(run, "identity/credwrite.blob-size", "%lu", size);
        observe_hex(run, "identity/credwrite.blob", blob, size);
        release_strings(functions, target, user, (WCHAR *)(void *)blob);
    }
    functions->release(identity);
}

static void prepare_with_target(struct conformance_run *run, const struct identity_functions *functions)
{
    WCHAR *target = NULL, *user = NULL;
    BYTE *blob = NULL;
    ULONG type = 0, size = 0;
    void *identity = NULL;
    SECURITY_STATUS status;

    if (functions->encode(L"user", L"domain", L"password", &identity)) return;
    status = functions->prepare(identity, L"target", &type, &target, &user, &blob, &size);
    if (status)
        observe_status(run, "identity/credwrite.given-target", status);
    else {
        observe(run, "identity/credwrite.given-target", "%ls %ls", target, user);
        release_strings(functions, target, user, (WCHAR *)(void *)blob);
    }
    functions->release(identity);
}

static void run_identity(struct conformance_run *run)
{
    struct identity_functions functions;

    observe_exports(run, "identity/exports.secur32", "secur32.dll");
    observe_exports(run, "identity/exports.sspicli", "sspicli.dll");
    if (!load_functions(&functions)) {
        not_reached(run, "secur32.dll lacks one of the six functions");
        return;
    }
    encode_all_shapes(run, &functions);
    decode_all(run, &functions);
    decode_without_domain(run, &functions);
    prepare_credential(run, &functions);
    prepare_with_target(run, &functions);
}

const struct conformance_group identity_group = {
    .name = "identity", .cases = cases, .case_count = COUNT_OF(cases), .run = run_identity};
