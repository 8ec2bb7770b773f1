/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of a caller's bad pointer: the exception that Windows raises, in the caller's thread, with no lock held
 * and nothing left behind. Prints a line a case and ends with the counts.
 *
 *     bad_pointers PACKAGE
 */
#include "pair.h"

#include <setjmp.h>
#include <string.h>

static jmp_buf escape;
static DWORD escape_thread;

/* Bad pointers are the point: the exception ends the call under test and nothing else. */
static LONG CALLBACK catch_fault(EXCEPTION_POINTERS *exception)
{
    if (exception->ExceptionRecord->ExceptionCode != EXCEPTION_ACCESS_VIOLATION) return EXCEPTION_CONTINUE_SEARCH;
    if (GetCurrentThreadId() != escape_thread) return EXCEPTION_CONTINUE_SEARCH;
    longjmp(escape, 1);
}

static const char *package;

enum function { MAKE_SIGNATURE, VERIFY_SIGNATURE, ENCRYPT, DECRYPT };

static SECURITY_STATUS call(struct pair *pair, enum function function, SecBufferDesc *message)
{
    switch (function) {
    case MAKE_SIGNATURE: return MakeSignature(&pair->contexts[0], 0, message, 0);
    case VERIFY_SIGNATURE: return VerifySignature(&pair->contexts[1], message, 0, NULL);
    case ENCRYPT: return EncryptMessage(&pair->contexts[0], 0, message, 0);
    default: return DecryptMessage(&pair->contexts[1], message, 0, NULL);
    }
}

/* Whether FUNCTION faults on a buffer there, and both contexts then go on as if nothing had been. */
static void expect_fault(struct pair *pair, const char *name, enum function function, void *token, void *data,
                         ULONG size)
{
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, token}, {size, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    volatile BOOL faulted = TRUE;
    if (!setjmp(escape)) {
        call(pair, function, &message);
        faulted = FALSE;
    }
    report(name, faulted && pair_exchange(pair));
}

/* A reference that a fault left behind would keep the context's entry from being used again after its deletion. */
static BOOL entry_is_free_again(void (*fault)(struct pair *pair))
{
    struct pair first, second;
    if (!pair_establish(&first, package)) return FALSE;
    const ULONG_PTR lower = first.contexts[1].dwLower;
    volatile BOOL faulted = TRUE;
    if (!setjmp(escape)) {
        fault(&first);
        faulted = FALSE;
    }
    if (!faulted || DeleteSecurityContext(&first.contexts[0]) || DeleteSecurityContext(&first.contexts[1]))
        return FALSE;
    const BOOL again = pair_establish(&second, package) &&
                       (second.contexts[0].dwLower == lower || second.contexts[1].dwLower == lower);
    return again && !DeleteSecurityContext(&second.contexts[0]) && !DeleteSecurityContext(&second.contexts[1]);
}

static void query_into_nowhere(struct pair *pair)
{
    QueryContextAttributesW(&pair->contexts[1], SECPKG_ATTR_SIZES, (void *)0x10);
}

static void decrypt_with_bad_qop(struct pair *pair)
{
    BYTE token[16] = {0}, data[8] = {0};
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    DecryptMessage(&pair->contexts[1], &message, 0, (ULONG *)0x10);
}

static void sign_beyond_the_end(struct pair *pair)
{
    BYTE token[16];
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {0xFFFFFFFF, SECBUFFER_DATA, token}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    MakeSignature(&pair->contexts[1], 0, &message, 0);
}

static void first_leg_without_a_handle(struct pair *pair)
{
    BYTE token[3000];
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &buffer};
    ULONG flags;
    TimeStamp expiry;
    InitializeSecurityContextW(&pair->credentials[0], NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0,
                               (CtxtHandle *)0x10, &output, &flags, &expiry);
}

enum argument { PRINCIPAL, PACKAGE, EXPIRY };

/* AddCredentials with a bad pointer there. */
static void add_credentials(CredHandle *credential, enum argument bad)
{
    WCHAR name[] = L"user", list[] = L"Negotiate", *nowhere = (WCHAR *)0x10;
    TimeStamp expiry;
    AddCredentialsW(credential, bad == PRINCIPAL ? nowhere : name, bad == PACKAGE ? nowhere : list,
                    SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, bad == EXPIRY ? (TimeStamp *)nowhere : &expiry);
}

/* The same of a credential: its entry is the next one's. */
static BOOL credential_is_free_again(enum argument bad)
{
    CredHandle first, second;
    TimeStamp expiry;
    volatile BOOL faulted = TRUE;
    if (AcquireCredentialsHandleA(NULL, (char *)package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &first, &expiry))
        return FALSE;
    const ULONG_PTR lower = first.dwLower;
    if (!setjmp(escape)) {
        add_credentials(&first, bad);
        faulted = FALSE;
    }
    if (!faulted || FreeCredentialsHandle(&first)) return FALSE;
    if (AcquireCredentialsHandleA(NULL, (char *)package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &second,
                                  &expiry))
        return FALSE;
    return second.dwLower == lower && FreeCredentialsHandle(&second) == SEC_E_OK;
}

/* Nothing reads an EMPTY buffer, so nothing faults on it. */
static BOOL empty_input_is_not_read(struct pair *pair)
{
    BYTE token[3000];
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
    SecBuffer given[2] = {{0, SECBUFFER_TOKEN, NULL}, {0x1000, SECBUFFER_EMPTY, (void *)0x10}};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &buffer}, input = {SECBUFFER_VERSION, 2, given};
    WCHAR target[] = L"bridge/localhost";
    CtxtHandle context;
    ULONG flags;
    TimeStamp expiry;
    if (setjmp(escape)) return FALSE;
    const SECURITY_STATUS status = InitializeSecurityContextW(
        &pair->credentials[0], NULL, target, 0, 0, SECURITY_NATIVE_DREP, &input, 0, &context, &output, &flags, &expiry);
    return status >= 0 && DeleteSecurityContext(&context) == SEC_E_OK;
}

enum { LETTER = 3000, EC = 4, RRC = 6 };

/* A letter from the client to the server, its TOKEN in memory that nobody may write to, or FALSE. */
struct letter {
    BYTE data[LETTER], *token;
    ULONG token_size;
};

static BOOL write_letter(struct pair *pair, struct letter *letter, BYTE *page)
{
    SecBuffer buffers[2] = {{80, SECBUFFER_TOKEN, page}, {LETTER, SECBUFFER_DATA, letter->data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    memset(letter->data, 'x', LETTER);
    letter->token = page;
    if (EncryptMessage(&pair->contexts[CLIENT], 0, &message, 0)) return FALSE;
    letter->token_size = buffers[0].cbBuffer;
    return TRUE;
}

/* DecryptMessage on it; what a TOKEN is made to say of itself (RFC 4121 4.2.4) must not make anybody write there. */
static SECURITY_STATUS read_letter(struct pair *pair, struct letter *letter)
{
    SecBuffer buffers[2] = {{letter->token_size, SECBUFFER_TOKEN, letter->token},
                            {LETTER, SECBUFFER_DATA, letter->data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    volatile SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    DWORD old;
    VirtualProtect(letter->token, 4096, PAGE_READONLY, &old);
    if (!setjmp(escape)) status = DecryptMessage(&pair->contexts[SERVER], &message, 0, NULL);
    VirtualProtect(letter->token, 4096, PAGE_READWRITE, &old);
    return status;
}

static void change(struct letter *letter, int ec, int rrc)
{
    letter->token[EC + 1] = (BYTE)(letter->token[EC + 1] + ec);
    letter->token[RRC + 1] = (BYTE)(letter->token[RRC + 1] + rrc);
    letter->token_size += (ULONG)ec;
}

/* A change that is undone leaves the letter as it was, to be read at last. */
static void read_only_token(struct pair *pair, BYTE *page)
{
    static const struct {
        const char *name;
        int ec, rrc;
    } changes[] = {
        {"a read-only TOKEN with another RRC is refused, and nothing written", 0, 1},
        {"a read-only TOKEN with another EC and RRC is refused, and nothing written", 4, 4},
        {"a read-only TOKEN of over 128 bytes is refused, and nothing written", 120, 120},
    };
    static struct letter letter;
    BYTE before[LETTER];
    const BOOL is_kerberos = !strcmp(package, "Kerberos");
    report("a letter is written", write_letter(pair, &letter, page));
    memcpy(before, letter.data, LETTER);
    for (int i = 0; is_kerberos && i < 3; i++) {
        change(&letter, changes[i].ec, changes[i].rrc);
        report(changes[i].name,
               read_letter(pair, &letter) == SEC_E_MESSAGE_ALTERED && !memcmp(before, letter.data, LETTER));
        change(&letter, -changes[i].ec, -changes[i].rrc);
    }
    report("a letter with a read-only TOKEN is read", read_letter(pair, &letter) == SEC_E_OK && letter.data[9] == 'x');
    report("the contexts go on", pair_exchange(pair));
}

/* A program may call its STREAM read-only; DecryptMessage writes there all the same. */
static BOOL read_only_stream_faults(struct pair *pair, BYTE *page)
{
    SecBuffer buffers[2] = {{4096, SECBUFFER_STREAM | SECBUFFER_READONLY, page}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    volatile BOOL faulted = TRUE;
    DWORD old;
    VirtualProtect(page, 4096, PAGE_READONLY, &old);
    if (!setjmp(escape)) {
        DecryptMessage(&pair->contexts[SERVER], &message, 0, NULL);
        faulted = FALSE;
    }
    return faulted && pair_exchange(pair);
}

enum travel {
    EXPORT_NOWHERE,
    EXPORT_TOKEN_NOWHERE,
    IMPORT_FROM_NOWHERE,
    IMPORT_BLOCK_NOWHERE,
    IMPORT_TO_NOWHERE,
    TRAVELS
};

static void travel(struct pair *pair, enum travel how, void *bad)
{
    CtxtHandle *context = &pair->contexts[SERVER], twin;
    SecBuffer block = {0}, nowhere = {64, SECBUFFER_TOKEN, bad};
    char name[16];
    strcpy(name, package);
    switch (how) {
    case EXPORT_NOWHERE: ExportSecurityContext(context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, bad, NULL); break;
    case EXPORT_TOKEN_NOWHERE: ExportSecurityContext(context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &block, bad); break;
    case IMPORT_FROM_NOWHERE: ImportSecurityContextA(name, bad, NULL, &twin); break;
    case IMPORT_BLOCK_NOWHERE: ImportSecurityContextA(name, &nowhere, NULL, &twin); break;
    default: ImportSecurityContextA(name, &block, NULL, bad); break;
    }
}

/* Each raises, and none has ended the context. */
static BOOL travels_nowhere(struct pair *pair, void *bad)
{
    volatile int faults = 0;
    for (volatile int how = 0; how < TRAVELS; how++) {
        if (setjmp(escape))
            faults++;
        else
            travel(pair, how, bad);
    }
    return faults == TRAVELS && pair_exchange(pair);
}

int main(int argc, char **argv)
{
    struct pair pair;
    BYTE good[64] = {0}, *pages = VirtualAlloc(NULL, 3 * 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    void *bad = (void *)(ULONG_PTR)0x10;
    DWORD old;
    if (argc != 2) return 2;
    package = argv[1];
    escape_thread = GetCurrentThreadId();
    AddVectoredExceptionHandler(1, catch_fault);
    report("the two sides are established", pair_establish(&pair, package) && pair_exchange(&pair));
    expect_fault(&pair, "MakeSignature, DATA nowhere", MAKE_SIGNATURE, good, bad, 8);
    expect_fault(&pair, "MakeSignature, TOKEN nowhere", MAKE_SIGNATURE, bad, good, 8);
    expect_fault(&pair, "VerifySignature, DATA nowhere", VERIFY_SIGNATURE, good, bad, 8);
    expect_fault(&pair, "VerifySignature, TOKEN nowhere", VERIFY_SIGNATURE, bad, good, 8);
    expect_fault(&pair, "EncryptMessage, DATA nowhere", ENCRYPT, good, bad, 8);
    expect_fault(&pair, "EncryptMessage, TOKEN nowhere", ENCRYPT, bad, good, 8);
    expect_fault(&pair, "DecryptMessage, DATA nowhere", DECRYPT, good, bad, 8);
    expect_fault(&pair, "DecryptMessage, TOKEN nowhere", DECRYPT, bad, good, 8);
    VirtualProtect(pages + 4096, 4096, PAGE_READONLY, &old);
    expect_fault(&pair, "EncryptMessage, DATA read-only in its second page", ENCRYPT, good, pages, 3 * 4096);
    expect_fault(&pair, "MakeSignature, TOKEN read-only", MAKE_SIGNATURE, pages + 4096, good, 8);
    VirtualProtect(pages + 4096, 4096, PAGE_NOACCESS, &old);
    expect_fault(&pair, "DecryptMessage, DATA with a hole", DECRYPT, good, pages, 3 * 4096);
    expect_fault(&pair, "VerifySignature, DATA that runs out", VERIFY_SIGNATURE, good, pages + 4090, 16);
    VirtualProtect(pages + 4096, 4096, PAGE_READWRITE, &old);
    read_only_token(&pair, pages + 4096);
    report("DecryptMessage, STREAM in read-only memory", read_only_stream_faults(&pair, pages));
    report("QueryContextAttributes into nowhere leaves nothing", entry_is_free_again(query_into_nowhere));
    report("DecryptMessage with a bad pfQOP leaves nothing", entry_is_free_again(decrypt_with_bad_qop));
    report("MakeSignature beyond the address space leaves nothing", entry_is_free_again(sign_beyond_the_end));
    report("a first leg with a bad phNewContext leaves nothing", entry_is_free_again(first_leg_without_a_handle));
    report("AddCredentials with a bad principal leaves nothing", credential_is_free_again(PRINCIPAL));
    report("AddCredentials with a bad package leaves nothing", credential_is_free_again(PACKAGE));
    report("AddCredentials with a bad ptsExpiry leaves nothing", credential_is_free_again(EXPIRY));
    report("a context that goes nowhere, or comes from there, leaves nothing", travels_nowhere(&pair, bad));
    report("an EMPTY input buffer is not read", empty_input_is_not_read(&pair));
    report("the contexts are deleted",
           !DeleteSecurityContext(&pair.contexts[0]) && !DeleteSecurityContext(&pair.contexts[1]));
    return finish();
}
