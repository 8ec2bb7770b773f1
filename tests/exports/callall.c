/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls every name that secur32, sspicli, security, msv1_0 and negotiate export: each must be there, return, and on
 * i386 leave the stack pointer where it was, which it does only if it takes as many argument bytes as Windows's own. A
 * name whose work is still to come must also return what dlls/secur32/unsupported.tsv says.
 *
 * All arguments are zero. Where that ends in an access violation, as it does on Windows for a NULL that something is to
 * be written to, the call is repeated with every argument pointing to zeroes, and has to return then.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <stdio.h>

enum expectation {
    ANYTHING,
    STATUS,    /* this status, or that of a check before it, whether there is such a handle or package */
    LAST_ERROR /* FALSE with this last error */
};

struct export
{
    const char *dll;
    const char *name;
    int bytes; /* of arguments on i386; -1: unknown, and nothing may be popped */
    enum expectation expectation;
    DWORD value;
};

#include "exports_table.h"

#define MAX_ARGUMENTS 16 /* LsaLogonUser has 14 */

struct outcome {
    DWORD result;
    DWORD last_error;
    LONG drift;         /* stack pointer after the call less what it should be; always 0 on x86_64 */
    NTSTATUS exception; /* 0 if it returned */
};

static void *fault_return[5]; /* for __builtin_setjmp: the C library's longjmp would unwind a broken stack */
static volatile LONG calling;
static volatile NTSTATUS raised;

static void leave_call(void)
{
    __builtin_longjmp(fault_return, 1);
}

/* The handler only changes where the thread goes on: a jump out of it would leave the dispatcher's frames behind. */
static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception)
{
    const NTSTATUS code = (NTSTATUS)exception->ExceptionRecord->ExceptionCode;

    if (code >= 0 || !InterlockedExchange(&calling, 0)) return EXCEPTION_CONTINUE_SEARCH;
    raised = code;
#ifdef __i386__
    exception->ContextRecord->Eip = (DWORD)leave_call;
    exception->ContextRecord->Esp = (exception->ContextRecord->Esp & ~15u) - 4;
#else
    exception->ContextRecord->Rip = (DWORD64)leave_call;
    exception->ContextRecord->Rsp = (exception->ContextRecord->Rsp & ~(DWORD64)15) - 8;
#endif
    return EXCEPTION_CONTINUE_EXECUTION;
}

#ifdef __i386__

/* Pushes as many arguments as the table says and compares the stack pointer before with the one after. The sixteen
 * words above them are there for a function that takes more. */
static DWORD call(FARPROC function, void *argument, int bytes, LONG *drift)
{
    DWORD result, before, after = (DWORD)bytes / 4;

    __asm__ __volatile__("movl %%esp, %%ebx\n\t"
                         "subl $64, %%esp\n\t"
                         "andl $-16, %%esp\n\t"
                         "movl %%esp, %%edi\n\t"
                         "jecxz 2f\n"
                         "1:\n\t"
                         "pushl %%edx\n\t"
                         "decl %%ecx\n\t"
                         "jnz 1b\n"
                         "2:\n\t"
                         "call *%%esi\n\t"
                         "movl %%esp, %%ecx\n\t"
                         "movl %%ebx, %%esp"
                         : "=a"(result), "=D"(before), "+c"(after), "+d"(argument)
                         : "S"(function)
                         : "ebx", "cc", "memory");
    *drift = (LONG)(after - before);
    return result;
}

#else

typedef DWORD(WINAPI *any_function)(void *, void *, void *, void *, void *, void *, void *, void *, void *, void *,
                                    void *, void *, void *, void *, void *, void *);

static DWORD call(FARPROC function, void *a, int bytes, LONG *drift)
{
    (void)bytes;
    *drift = 0;
    return ((any_function)(void *)function)(a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a);
}

#endif

static __attribute__((noinline)) void call_guarded(FARPROC function, void *argument, int bytes, struct outcome *out)
{
    memset(out, 0, sizeof(*out));
    SetLastError(0);
    if (__builtin_setjmp(fault_return)) {
        out->exception = raised;
        return;
    }
    calling = 1;
    out->result = call(function, argument, bytes, &out->drift);
    calling = 0;
    out->last_error = GetLastError();
}

static BOOL is_expected(const struct export *export, const struct outcome *outcome)
{
    switch (export->expectation) {
    case STATUS:
        return outcome->result == export->value || outcome->result == (DWORD)STATUS_INVALID_HANDLE ||
               outcome->result == (DWORD)SEC_E_INVALID_HANDLE || outcome->result == (DWORD)SEC_E_SECPKG_NOT_FOUND;
    case LAST_ERROR: return !(BYTE)outcome->result && outcome->last_error == export->value;
    default: return TRUE;
    }
}

static BOOL check(const struct export *export)
{
    static BYTE zeroes[65536];
    const int bytes = export->bytes < 0 ? 0 : export->bytes;
    const HMODULE module = LoadLibraryA(export->dll);
    FARPROC function = module ? GetProcAddress(module, export->name) : NULL;
    struct outcome outcome;
    BOOL retried;

    if (!function) {
        printf("fail %s %s: not there\n", export->dll, export->name);
        return FALSE;
    }
    call_guarded(function, NULL, bytes, &outcome);
    if ((retried = outcome.exception == STATUS_ACCESS_VIOLATION)) {
        memset(zeroes, 0, sizeof(zeroes));
        call_guarded(function, zeroes + sizeof(zeroes) / 2, bytes, &outcome);
    }
    if (outcome.exception) {
        printf("fail %s %s: exception %08lx\n", export->dll, export->name, outcome.exception);
        return FALSE;
    }
    if (outcome.drift || !is_expected(export, &outcome)) {
        printf("fail %s %s: returned %08lx, last error %lu, stack pointer off by %ld\n", export->dll, export->name,
               outcome.result, outcome.last_error, outcome.drift);
        return FALSE;
    }
    printf("pass %s %s: %d bytes, returned %08lx%s%s\n", export->dll, export->name, bytes, outcome.result,
           export->bytes < 0 ? ", number of argument bytes unknown" : "",
           retried ? ", access violation with NULL" : "");
    return TRUE;
}

int main(void)
{
    const int count = (int)ARRAYSIZE(exports);
    int passed = 0, i;

    setvbuf(stdout, NULL, _IONBF, 0);
    AddVectoredExceptionHandler(1, on_exception);
    for (i = 0; i < count; i++) passed += check(&exports[i]);
    printf("%d passed, %d failed, 0 skipped\n", passed, count - passed);
    return passed != count;
}
