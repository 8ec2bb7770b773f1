/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of a caller's bad pointer: the exception that Windows raises, in the caller's thread, with no lock held
 * and nothing left behind. Prints a line a case and ends with the counts.
 *
 *     bad_pointers
 */
#include "pair.h"

#include <setjmp.h>

static jmp_buf escape;
static DWORD escape_thread;

/* Bad pointers are the point: the exception ends the call under test and nothing else. */
static LONG CALLBACK catch_fault(EXCEPTION_POINTERS *exception)
{
    if (exception->ExceptionRecord->ExceptionCode != EXCEPTION_ACCESS_VIOLATION) return EXCEPTION_CONTINUE_SEARCH;
    if (GetCurrentThreadId() != escape_thread) return EXCEPTION_CONTINUE_SEARCH;
    longjmp(escape, 1);
}

static const char package[] = "NTLM";

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

/* Nothing reads an EMPTY buffer, so nothing faults on it. */
static BOOL empty_input_is_not_read(struct pair *pair)
{
    BYTE token[3000];
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
    SecBuffer given[2] = {{0, SECBUFFER_TOKEN, NULL}, {0x1000, SECBUFFER_EMPTY, (void *)0x10}};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &buffer}, input = {SECBUFFER_VERSION, 2, given};
    CtxtHandle context;
    ULONG flags;
    TimeStamp expiry;
    if (setjmp(escape)) return FALSE;
    return InitializeSecurityContextW(&pair->credentials[0], NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, &input, 0,
                                      &context, &output, &flags, &expiry) == SEC_I_CONTINUE_NEEDED &&
           DeleteSecurityContext(&context) == SEC_E_OK;
}

int main(void)
{
    struct pair pair;
    BYTE good[64] = {0}, *pages = VirtualAlloc(NULL, 3 * 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    void *bad = (void *)(ULONG_PTR)0x10;
    DWORD old;
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
    report("QueryContextAttributes into nowhere leaves nothing", entry_is_free_again(query_into_nowhere));
    report("DecryptMessage with a bad pfQOP leaves nothing", entry_is_free_again(decrypt_with_bad_qop));
    report("MakeSignature beyond the address space leaves nothing", entry_is_free_again(sign_beyond_the_end));
    report("a first leg with a bad phNewContext leaves nothing", entry_is_free_again(first_leg_without_a_handle));
    report("an EMPTY input buffer is not read", empty_input_is_not_read(&pair));
    report("the contexts are deleted",
           !DeleteSecurityContext(&pair.contexts[0]) && !DeleteSecurityContext(&pair.contexts[1]));
    return finish();
}
