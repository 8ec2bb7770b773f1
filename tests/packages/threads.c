/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads that list and use packages while others add and delete them.
 */
#include "cases.h"
#include "packages.h"

#include <stdio.h>

enum { USERS = 4, CHANGERS = 2, ROUNDS = 200 };

struct worker {
    const struct subject *subject;
    const volatile LONG *stop;
    LONG used;   /* pairs that were established */
    LONG missed; /* times that the package was not there */
    LONG odd;    /* answers that nobody may get */
};

/* The package is there, whole, or it is not. */
static DWORD WINAPI use(void *argument)
{
    struct worker *worker = argument;
    while (!*worker->stop) {
        struct pair pair;
        const SECURITY_STATUS status = acquire_pair(worker->subject, NULL, &pair);
        if (listed_count() < 2) worker->odd++;
        if (status && status != SEC_E_SECPKG_NOT_FOUND) worker->odd++;
        if (status && pair.credentials[CLIENT].dwLower) FreeCredentialsHandle(&pair.credentials[CLIENT]);
        if (status) worker->missed++;
        if (status) continue;
        if (pair_leg(&pair, CLIENT, TRUE) != SEC_I_CONTINUE_NEEDED || pair_leg(&pair, SERVER, TRUE) ||
            pair_leg(&pair, CLIENT, FALSE) || !talk(&pair, CLIENT) || !free_pair(&pair))
            worker->odd++;
        worker->used++;
    }
    return 0;
}

static DWORD WINAPI change(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < ROUNDS; i++) {
        const SECURITY_STATUS deleted = DeleteSecurityPackageW((WCHAR *)worker->subject->package);
        if (deleted && deleted != SEC_E_SECPKG_NOT_FOUND) worker->odd++;
        if (AddSecurityPackageW((WCHAR *)worker->subject->dll, NULL)) worker->odd++;
        Sleep(2); /* or hardly anybody would meet it */
    }
    return 0;
}

/* Those that change end by themselves, and then the others are told to. */
static BOOL run_all(struct worker *workers, const struct subject *subject)
{
    HANDLE threads[USERS + CHANGERS];
    volatile LONG stop = 0;
    for (int i = 0; i < USERS + CHANGERS; i++) {
        workers[i] = (struct worker){.subject = subject, .stop = &stop};
        threads[i] = CreateThread(NULL, 0, i < USERS ? use : change, &workers[i], 0, NULL);
    }
    BOOL ended = WaitForMultipleObjects(CHANGERS, threads + USERS, TRUE, 60000) != WAIT_TIMEOUT;
    InterlockedExchange(&stop, 1);
    ended &= WaitForMultipleObjects(USERS, threads, TRUE, 60000) != WAIT_TIMEOUT;
    for (int i = 0; i < USERS + CHANGERS; i++) CloseHandle(threads[i]);
    return ended;
}

static void run(const struct subject *subject)
{
    struct worker workers[USERS + CHANGERS];
    LONG used = 0, missed = 0, odd = 0;
    check(run_all(workers, subject), "all threads come to an end");
    for (int i = 0; i < USERS + CHANGERS; i++) {
        used += workers[i].used;
        missed += workers[i].missed;
        odd += workers[i].odd;
    }
    if (odd || !used || !missed)
        printf("      used %ld times, not there %ld times, odd answers %ld:\n", used, missed, odd);
    check(!odd && used && missed, "the package is there, whole, or it is not");
    check(nothing_is_left(subject), "nothing is left");
    check(is_listed(subject->package) && is_listed(L"NTLM") && is_listed(L"Negotiate"), "all is listed once");
}

void test_threads(void)
{
    section("Threads that add and delete an SSP/AP while others use it");
    run(&ssp_ap);
    section("Threads that add and delete an SSP while others use it");
    run(&ssp);
}
