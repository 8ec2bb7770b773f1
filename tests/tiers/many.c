/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * many [ROUNDS]: a server with many clients. Threads act for different ones at once, and the back sees the right one
 * each time; and after many that came and went nothing is left of them. 10,000 of each unless ROUNDS says otherwise.
 *
 * Bug class: E5 (a delegated credential is nobody else's).
 */
#include "parties.h"

#include "../packages/cases.h"

#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, CLIENTS = 4, SETTLE = 50, EACH_GOES_ON = 10 };

static const WCHAR kerberos[] = L"Kerberos";
static const WCHAR *const users[CLIENTS] = {L"ann", L"bob", L"cy", L"bob"};
static struct visit visits[CLIENTS];

struct worker {
    int number, rounds;
    int right, refused;
};

/* Each thread goes through the clients in an order of its own. */
static DWORD WINAPI act_for_all(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < worker->rounds; i++) {
        const int client = (i * 3 + worker->number) % CLIENTS;
        if (ImpersonateSecurityContext(&visits[client].contexts[SERVER])) {
            worker->refused++;
            continue;
        }
        worker->right += reaches_as(i % 2 ? L"Negotiate" : kerberos, BACK, users[client]);
        RevertSecurityContext(&visits[client].contexts[SERVER]);
    }
    return 0;
}

static void threads(int rounds)
{
    struct worker workers[THREADS];
    HANDLE handles[THREADS];
    int right = 0, refused = 0;
    section("eight threads, each for all clients in turn");
    for (int i = 0; i < CLIENTS - 1; i++)
        check(visit_begin(&visits[i], kerberos, users[i], TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE), "a client");
    check(visit_proxied(&visits[CLIENTS - 1], users[CLIENTS - 1]), "one that forwards nothing");
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i, .rounds = rounds / THREADS};
        handles[i] = CreateThread(NULL, 0, act_for_all, &workers[i], 0, NULL);
    }
    WaitForMultipleObjects(THREADS, handles, TRUE, INFINITE);
    for (int i = 0; i < THREADS; i++) {
        CloseHandle(handles[i]);
        right += workers[i].right;
        refused += workers[i].refused;
    }
    printf("      %d of %d reached the back as the right client\n", right, rounds / THREADS * THREADS);
    check(refused == 0, "nobody was refused");
    check(right == rounds / THREADS * THREADS, "the back saw the right client each time");
    for (int i = 0; i < CLIENTS; i++) visit_end(&visits[i]);
}

/* Files that this process has open, by Linux's count. */
static int descriptors(void)
{
    WIN32_FIND_DATAW entry;
    int count = 0;
    HANDLE search = FindFirstFileW(L"\\\\?\\unix\\proc\\self\\fd\\*", &entry);
    if (search == INVALID_HANDLE_VALUE) return -1;
    do count++;
    while (FindNextFileW(search, &entry));
    FindClose(search);
    return count;
}

/* Wine's GetProcessHandleCount knows of none. */
static int handles(void)
{
    int count = 0;
    for (ULONG_PTR handle = 4; handle < 65536; handle += 4) {
        DWORD flags;
        count += GetHandleInformation((HANDLE)handle, &flags);
    }
    return count;
}

/* A client comes, is acted for, and goes; some forward their ticket, with which the server goes on. */
static BOOL come_and_go(CredHandle *credentials, BOOL goes_on)
{
    CtxtHandle contexts[2];
    HANDLE token;
    BOOL well = TRUE;
    if (establish(credentials, TRUSTED, ISC_REQ_MUTUAL_AUTH | (goes_on ? ISC_REQ_DELEGATE : 0), contexts)) return FALSE;
    well &= !ImpersonateSecurityContext(&contexts[SERVER]);
    well &= !QuerySecurityContextToken(&contexts[SERVER], &token);
    if (goes_on) well &= reaches_as(kerberos, BACK, L"ann");
    well &= !RevertSecurityContext(&contexts[SERVER]);
    DeleteSecurityContext(&contexts[SERVER]);
    CloseHandle(token);
    DeleteSecurityContext(&contexts[CLIENT]);
    return well;
}

static void rounds_of(int rounds)
{
    CredHandle credentials[2];
    int well = 0;
    section("clients that come and go");
    acquire(kerberos, SECPKG_CRED_OUTBOUND, L"ann", &credentials[CLIENT]);
    acquire(kerberos, SECPKG_CRED_INBOUND, NULL, &credentials[SERVER]);
    for (int i = 0; i < SETTLE; i++) come_and_go(credentials, i % EACH_GOES_ON == 0);
    const int handles_before = handles(), descriptors_before = descriptors();
    for (int i = 0; i < rounds; i++) well += come_and_go(credentials, i % EACH_GOES_ON == 0);
    const int handles_after = handles(), descriptors_after = descriptors();
    printf("      %d rounds; handles %d before, %d after; descriptors %d, %d\n", rounds, handles_before, handles_after,
           descriptors_before, descriptors_after);
    check(well == rounds, "each was served");
    /* The last token waits for the next one to be let go of. */
    check(handles_before > 0 && handles_after <= handles_before + 1, "no handle and no token is left");
    check(descriptors_before > 0 && descriptors_after <= descriptors_before, "no descriptor is left");
    FreeCredentialsHandle(&credentials[CLIENT]);
    FreeCredentialsHandle(&credentials[SERVER]);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 10000;
    check(back_open(), "the back");
    threads(rounds);
    rounds_of(rounds);
    back_close();
    return finish_cases();
}
