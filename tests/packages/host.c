/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host for our security packages that is not our secur32 and does not load it: it lends them its own heap and its own
 * functions, keeps both halves of the contract, and knows what of its memory is still out.
 *
 *     host USER PASSWORD                  NTLM and Negotiate, with an account of the accounts' file
 *     host USER PASSWORD REALM TARGET     Kerberos, with a user and a service of that realm
 */
#define UNICODE
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntsecapi.h>
#include <wincred.h>
#include <security.h>
#include <ntsecpkg.h>
#include "cases.h"

#include <stdio.h>
#include <string.h>

/* ---- what the host lends ----------------------------------------------------------------------------------------- */

static HANDLE host_heap;
static volatile LONG lent;          /* blocks that are out */
static volatile LONG unknown_calls; /* of functions that a package of ours has no business with */

static PVOID NTAPI lend(ULONG size)
{
    InterlockedIncrement(&lent);
    return HeapAlloc(host_heap, HEAP_ZERO_MEMORY, size);
}

/* Another heap's block is refused by HeapFree, and stays counted. */
static VOID NTAPI take_back(PVOID memory)
{
    if (memory && HeapFree(host_heap, 0, memory)) InterlockedDecrement(&lent);
}

static NTSTATUS NTAPI unknown(void)
{
    InterlockedIncrement(&unknown_calls);
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI register_callback(ULONG id, PLSA_CALLBACK_FUNCTION callback)
{
    (void)id, (void)callback;
    return STATUS_NOT_SUPPORTED;
}

/* Every slot is filled; on i386 one of the wrong number of arguments would show as a crash. */
static void fill_table(LSA_SECPKG_FUNCTION_TABLE *table)
{
    void **slots = (void **)table;
    for (SIZE_T i = 0; i < sizeof *table / sizeof *slots; i++) slots[i] = (void *)unknown;
    table->AllocateLsaHeap = lend;
    table->FreeLsaHeap = take_back;
}

/* ---- what is tested ---------------------------------------------------------------------------------------------- */

struct subject {
    const WCHAR *dll, *name;
    const WCHAR *mechanism; /* the package that its contexts say they are of */
    ULONG signature_size;
    WCHAR *user, *password, *realm, *target;
    BOOL default_logon; /* whether two sides without an identity log on to each other */
};

/* ---- a package that the host has loaded -------------------------------------------------------------------------- */

struct package {
    const SECPKG_FUNCTION_TABLE *lsa;
    const SECPKG_USER_FUNCTION_TABLE *user;
    SecPkgInfoW info;
};

static BOOL ask_tables(HMODULE module, struct package *package)
{
    SpLsaModeInitializeFn lsa_init = (SpLsaModeInitializeFn)(void *)GetProcAddress(module, SECPKG_LSAMODEINIT_NAME);
    SpUserModeInitializeFn user_init = (SpUserModeInitializeFn)(void *)GetProcAddress(module, SECPKG_USERMODEINIT_NAME);
    SECPKG_FUNCTION_TABLE *lsa = NULL;
    SECPKG_USER_FUNCTION_TABLE *user = NULL;
    ULONG version = 0, count = 0, user_version = 0, user_count = 0;
    section("SpLsaModeInitialize");
    check(lsa_init && !lsa_init(SECPKG_INTERFACE_VERSION, &version, &lsa, &count), "the entry point");
    check(version >= SECPKG_INTERFACE_VERSION && count == 1 && lsa, "one table of a version that there is");
    section("SpUserModeInitialize");
    check(user_init && !user_init(SECPKG_INTERFACE_VERSION, &user_version, &user, &user_count), "the entry point");
    check(user_version >= SECPKG_INTERFACE_VERSION && user_count == 1 && user, "one table of a version that there is");
    package->lsa = lsa;
    package->user = user;
    return lsa && user;
}

/* What a host calls without asking is there. */
static BOOL has_functions(const struct package *package)
{
    const SECPKG_FUNCTION_TABLE *lsa = package->lsa;
    const SECPKG_USER_FUNCTION_TABLE *user = package->user;
    return lsa->Initialize && lsa->Shutdown && lsa->GetInfo && lsa->AcquireCredentialsHandle &&
           lsa->FreeCredentialsHandle && lsa->QueryCredentialsAttributes && lsa->InitLsaModeContext &&
           lsa->AcceptLsaModeContext && lsa->DeleteContext && lsa->QueryContextAttributes && user->InstanceInit &&
           user->InitUserModeContext && user->MakeSignature && user->VerifySignature && user->SealMessage &&
           user->UnsealMessage && user->QueryContextAttributes && user->DeleteUserModeContext;
}

static BOOL start(const WCHAR *name, struct package *package)
{
    static LSA_SECPKG_FUNCTION_TABLE functions;
    static SECPKG_DLL_FUNCTIONS dll_functions = {lend, take_back, register_callback};
    SECPKG_PARAMETERS parameters = {.Version = SECPKG_INTERFACE_VERSION, .MachineState = SECPKG_STATE_STANDALONE};
    void *unused;
    fill_table(&functions);
    check(has_functions(package), "no function is missing");
    section("SpInitialize");
    check_status(package->lsa->Initialize(7, &parameters, &functions), STATUS_SUCCESS, "with the host's functions");
    section("SpGetInfo");
    check(!package->lsa->GetInfo(&package->info) && !_wcsicmp(package->info.Name, name) && package->info.Comment &&
              package->info.wVersion == SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION && package->info.cbMaxToken > 1000,
          "the package's own values");
    section("SpInstanceInit");
    check_status(package->user->InstanceInit(SECPKG_INTERFACE_VERSION, &dll_functions, &unused), STATUS_SUCCESS,
                 "with the host's functions");
    return TRUE;
}

/* ---- two sides --------------------------------------------------------------------------------------------------- */

enum { CLIENT, SERVER };

struct side {
    LSA_SEC_HANDLE credential, context;
    BOOLEAN mapped;
    ULONG attributes;
    BYTE token[4096];
    ULONG token_size;
};

struct exchange {
    const struct package *package;
    const struct subject *subject;
    struct side sides[2];
};

static UNICODE_STRING unicode_string(WCHAR *text)
{
    const USHORT size = (USHORT)(wcslen(text) * sizeof(WCHAR));
    return (UNICODE_STRING){size, size + sizeof(WCHAR), text};
}

static NTSTATUS acquire(struct exchange *exchange, int side, void *identity)
{
    const ULONG uses[2] = {SECPKG_CRED_OUTBOUND, SECPKG_CRED_INBOUND};
    TimeStamp expiry;
    return exchange->package->lsa->AcquireCredentialsHandle(NULL, uses[side], NULL, identity, NULL, NULL,
                                                            &exchange->sides[side].credential, &expiry);
}

/* What the LSA-mode half packs, the user-mode half takes over; the bytes are the host's to free. */
static NTSTATUS take_over(struct exchange *exchange, struct side *side, const SecBuffer *packed)
{
    SecBuffer copy = *packed;
    const NTSTATUS status = exchange->package->user->InitUserModeContext(side->context, &copy);
    take_back(packed->pvBuffer);
    return status;
}

/* One leg with the other side's token, if that has made one. */
static NTSTATUS leg(struct exchange *exchange, int number)
{
    struct side *side = &exchange->sides[number], *other = &exchange->sides[!number];
    UNICODE_STRING target = unicode_string(exchange->subject->target);
    SecBuffer in = {other->token_size, SECBUFFER_TOKEN, other->token}, packed = {0, 0, NULL};
    SecBuffer out = {sizeof side->token, SECBUFFER_TOKEN, side->token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    SecBufferDesc *given = other->token_size ? &input : NULL;
    const LSA_SEC_HANDLE credential = side->context ? 0 : side->credential;
    const ULONG request = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT;
    TimeStamp expiry;
    NTSTATUS status =
        number == CLIENT
            ? exchange->package->lsa->InitLsaModeContext(credential, side->context, &target, request,
                                                         SECURITY_NATIVE_DREP, given, &side->context, &output,
                                                         &side->attributes, &expiry, &side->mapped, &packed)
            : exchange->package->lsa->AcceptLsaModeContext(credential, side->context, given, request,
                                                           SECURITY_NATIVE_DREP, &side->context, &output,
                                                           &side->attributes, &expiry, &side->mapped, &packed);
    side->token_size = status < 0 ? 0 : out.cbBuffer;
    if (status >= 0 && side->mapped && packed.pvBuffer) {
        const NTSTATUS taken = take_over(exchange, side, &packed);
        if (taken) return taken;
    }
    return status;
}

/* Legs in turn until both sides are complete or one fails. */
static NTSTATUS establish(struct exchange *exchange)
{
    NTSTATUS status[2] = {SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED};
    for (int i = 0; i < 10 && (status[0] || status[1]); i++) {
        const int side = i % 2;
        if (!status[side]) continue;
        status[side] = leg(exchange, side);
        if (status[side] < 0) return status[side];
    }
    return status[CLIENT] ? status[CLIENT] : status[SERVER];
}

static void let_go(struct exchange *exchange)
{
    for (int i = CLIENT; i <= SERVER; i++) {
        struct side *side = &exchange->sides[i];
        if (side->mapped) exchange->package->user->DeleteUserModeContext(side->context);
        if (side->context) exchange->package->lsa->DeleteContext(side->context);
        if (side->credential) exchange->package->lsa->FreeCredentialsHandle(side->credential);
    }
}

/* ---- the cases --------------------------------------------------------------------------------------------------- */

static void test_signing(struct exchange *exchange)
{
    const SECPKG_USER_FUNCTION_TABLE *user = exchange->package->user;
    const LSA_SEC_HANDLE client = exchange->sides[CLIENT].context, server = exchange->sides[SERVER].context;
    BYTE token[128];
    char data[16] = "signed";
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = 0;
    section("SpMakeSignature, SpVerifySignature");
    check_status(user->MakeSignature(client, 0, &message, 0), SEC_E_OK, "a message is signed");
    data[3] ^= 1;
    check_status(user->VerifySignature(server, &message, 0, &qop), SEC_E_MESSAGE_ALTERED, "altered, it is refused");
    data[3] ^= 1;
    check_status(user->VerifySignature(server, &message, 0, &qop), SEC_E_OK, "as it was, it is taken");
    check(user->VerifySignature(server, &message, 0, &qop) < 0, "a second time, it is refused");
}

static void test_sealing(struct exchange *exchange)
{
    const SECPKG_USER_FUNCTION_TABLE *user = exchange->package->user;
    const LSA_SEC_HANDLE client = exchange->sides[CLIENT].context, server = exchange->sides[SERVER].context;
    BYTE token[128];
    char data[16] = "sealed";
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = 0;
    section("SpSealMessage, SpUnsealMessage");
    check(!user->SealMessage(server, 0, &message, 0) && strcmp(data, "sealed") != 0, "a message is sealed");
    data[3] ^= 1;
    check_status(user->UnsealMessage(client, &message, 0, &qop), SEC_E_MESSAGE_ALTERED, "altered, it is refused");
    data[3] ^= 1;
    check(!user->UnsealMessage(client, &message, 0, &qop) && !strcmp(data, "sealed"), "as it was, it is unsealed");
}

/* Each half is asked; what they allocate is the host's to free. */
static void test_attributes(struct exchange *exchange, const WCHAR *user_name)
{
    SpQueryContextAttributesFn *const halves[2] = {exchange->package->lsa->QueryContextAttributes,
                                                   exchange->package->user->QueryContextAttributes};
    static const char *const sections[2] = {"SpQueryContextAttributes, LSA mode",
                                            "SpQueryContextAttributes, user mode"};
    const LSA_SEC_HANDLE server = exchange->sides[SERVER].context;
    const struct subject *subject = exchange->subject;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_Sizes sizes = {0};
        SecPkgContext_NamesW names = {NULL};
        SecPkgContext_PackageInfoW info = {NULL};
        const LONG before = lent;
        section(sections[i]);
        check(!halves[i](server, SECPKG_ATTR_SIZES, &sizes) && sizes.cbMaxSignature == subject->signature_size,
              "SIZES");
        check(!halves[i](server, SECPKG_ATTR_NAMES, &names) && wcsstr(names.sUserName, user_name), "NAMES");
        check(!halves[i](server, SECPKG_ATTR_PACKAGE_INFO, &info) &&
                  !wcscmp(info.PackageInfo->Name, subject->mechanism),
              "PACKAGE_INFO: the mechanism that was chosen");
        check(lent == before + 2, "strings and blocks are in the host's memory");
        take_back(names.sUserName);
        take_back(info.PackageInfo);
        check_status(halves[i](server, 0x7FFF, &sizes), SEC_E_UNSUPPORTED_FUNCTION, "an attribute that there is not");
    }
}

static void test_exchange(const struct package *package, const struct subject *subject, void *identity,
                          const WCHAR *user_name)
{
    struct exchange exchange = {.package = package, .subject = subject};
    const LONG before = lent;
    section("SpAcquireCredentialsHandle");
    check_status(acquire(&exchange, CLIENT, identity), SEC_E_OK, "of a client");
    check_status(acquire(&exchange, SERVER, NULL), SEC_E_OK, "of a server");
    section("SpInitLsaModeContext, SpAcceptLsaModeContext, SpInitUserModeContext");
    check_status(establish(&exchange), SEC_E_OK, "all legs");
    check(exchange.sides[CLIENT].mapped && exchange.sides[SERVER].mapped, "both sides are handed over");
    check((exchange.sides[CLIENT].attributes & ISC_RET_CONFIDENTIALITY) &&
              (exchange.sides[SERVER].attributes & ASC_RET_CONFIDENTIALITY),
          "with what was asked for");
    check(lent == before, "the packed contexts were all that the host had lent");
    if (exchange.sides[CLIENT].mapped && exchange.sides[SERVER].mapped) {
        test_signing(&exchange);
        test_sealing(&exchange);
        test_attributes(&exchange, user_name);
    }
    section("SpDeleteUserModeContext, SpDeleteContext, SpFreeCredentialsHandle");
    let_go(&exchange);
    check(lent == before, "nothing of the host's is out any more");
}

/* A wrong password: the server refuses, or the KDC, and what was begun is freed as it is. */
static void test_refusal(const struct package *package, const struct subject *subject,
                         SEC_WINNT_AUTH_IDENTITY_W *identity)
{
    struct exchange exchange = {.package = package, .subject = subject};
    const LONG before = lent;
    identity->Password = (USHORT *)L"wrong";
    identity->PasswordLength = 5;
    section("SpAcceptLsaModeContext");
    check(!acquire(&exchange, CLIENT, identity) && !acquire(&exchange, SERVER, NULL), "credentials");
    check_status(establish(&exchange), SEC_E_LOGON_DENIED, "a wrong password");
    check(!exchange.sides[SERVER].mapped, "nothing is handed over");
    let_go(&exchange);
    check(lent == before, "nothing of the host's is out any more");
}

/* The leg's token, in the host's memory. */
static void test_allocated_token(const struct package *package, const struct subject *subject, void *identity)
{
    struct exchange exchange = {.package = package, .subject = subject};
    struct side *side = &exchange.sides[CLIENT];
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL}, packed = {0, 0, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    UNICODE_STRING target = unicode_string(subject->target);
    const LONG before = lent;
    TimeStamp expiry;
    section("SpInitLsaModeContext");
    check_status(acquire(&exchange, CLIENT, identity), SEC_E_OK, "a credential");
    check_status(package->lsa->InitLsaModeContext(
                     side->credential, 0, &target, ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_MUTUAL_AUTH, SECURITY_NATIVE_DREP,
                     NULL, &side->context, &output, &side->attributes, &expiry, &side->mapped, &packed),
                 SEC_I_CONTINUE_NEEDED, "ISC_REQ_ALLOCATE_MEMORY");
    check(lent == before + 1 && out.cbBuffer && (side->attributes & ISC_RET_ALLOCATED_MEMORY),
          "the token is in the host's memory");
    take_back(out.pvBuffer);
    let_go(&exchange);
    check(lent == before, "nothing of the host's is out any more");
}

static SEC_WINNT_AUTH_IDENTITY_W identity_of(const struct subject *subject)
{
    return (SEC_WINNT_AUTH_IDENTITY_W){.User = (USHORT *)subject->user,
                                       .UserLength = (ULONG)wcslen(subject->user),
                                       .Domain = (USHORT *)subject->realm,
                                       .DomainLength = (ULONG)wcslen(subject->realm),
                                       .Password = (USHORT *)subject->password,
                                       .PasswordLength = (ULONG)wcslen(subject->password),
                                       .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
}

static void test_package(const struct subject *subject)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = identity_of(subject);
    WCHAR own_user[257];
    DWORD size = ARRAYSIZE(own_user);
    HMODULE module = LoadLibraryW(subject->dll);
    struct package package;
    printf("      %ls\n", subject->dll);
    section("LoadLibrary");
    check(module != NULL, "the package's DLL");
    if (!module || !ask_tables(module, &package) || !start(subject->name, &package)) return;
    GetUserNameW(own_user, &size);
    test_exchange(&package, subject, &identity, subject->user);
    if (subject->default_logon) test_exchange(&package, subject, NULL, own_user);
    test_allocated_token(&package, subject, &identity);
    test_refusal(&package, subject, &identity);
    section("SpShutdown");
    check_status(package.lsa->Shutdown(), STATUS_SUCCESS, "the package ends");
}

int main(int count, char **arguments)
{
    WCHAR given[5][128] = {L"", L"", L"", L"", L"HOST/localhost"};
    WCHAR *const user = given[1], *const password = given[2], *const realm = given[3], *const target = given[4];
    const struct subject ntlm = {L"msv1_0.dll", L"NTLM", L"NTLM", 16, user, password, realm, target, TRUE},
                         negotiate = {L"negotiate.dll", L"Negotiate", L"NTLM", 16, user, password, realm, target, TRUE},
                         kerberos = {L"kerberos.dll", L"Kerberos", L"Kerberos", 28,   user,
                                     password,        realm,       target,      FALSE};
    if (count != 3 && count != 5) {
        fprintf(stderr, "Usage: host USER PASSWORD [REALM TARGET]\n");
        return 2;
    }
    for (int i = 1; i < count; i++) MultiByteToWideChar(CP_ACP, 0, arguments[i], -1, given[i], ARRAYSIZE(given[i]));
    host_heap = HeapCreate(0, 0, 0);
    if (count == 3) {
        test_package(&ntlm);
        test_package(&negotiate);
    } else {
        test_package(&kerberos);
    }
    section("The host");
    check(!lent, "all that it has lent came back");
    check(!unknown_calls, "nothing was called that it does not have");
    check(!GetModuleHandleW(L"secur32.dll") && !GetModuleHandleW(L"sspicli.dll"), "secur32 was never loaded");
    return finish_cases();
}
