/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads on one context: one encrypts while another decrypts, on both sides at once; then several of each. Prints a
 * line a case and ends with the counts.
 *
 *     threads PACKAGE...
 */
#include "pair.h"

#include <stdio.h>
#include <string.h>

enum { MESSAGES = 10000, BYTES = 64, TOKEN_MAX = 80, NTLM_TOKEN_SIZE = 16, SEVERAL = 3 };

struct sent {
    BYTE plain[BYTES], data[BYTES], token[TOKEN_MAX];
    ULONG token_size;
    LONG there; /* set once the rest is */
};

/* What goes from one context to the other, in the order of the numbers in the tokens. */
struct channel {
    CtxtHandle *from, *to;
    ULONG first;  /* the number of the first */
    HANDLE start; /* set once every thread is there, for a few messages take less time than a thread's beginning */
    LONG made, taken, failures;
    struct sent sent[MESSAGES];
};

/* The low half of it, from byte 12 on: little-endian in NTLM (MS-NLMP 2.2.2.9), big-endian in Kerberos (RFC 4121). */
static ULONG number_of(const struct sent *sent)
{
    const BOOL is_ntlm = sent->token_size == NTLM_TOKEN_SIZE;
    ULONG number = 0;
    for (int i = 0; i < 4; i++) number = number << 8 | sent->token[is_ntlm ? 15 - i : 12 + i];
    return number;
}

static void expect(struct channel *channel, BOOL held)
{
    if (!held) InterlockedIncrement(&channel->failures);
}

/* The next of the channel's messages for this thread to care for; -1 when all are taken. */
static LONG next(LONG *counter)
{
    const LONG place = InterlockedIncrement(counter) - 1;
    return place < MESSAGES ? place : -1;
}

static SECURITY_STATUS encrypt(CtxtHandle *context, struct sent *sent)
{
    SecBuffer buffers[2] = {{TOKEN_MAX, SECBUFFER_TOKEN, sent->token}, {BYTES, SECBUFFER_DATA, sent->data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    const SECURITY_STATUS status = EncryptMessage(context, 0, &message, 0);
    sent->token_size = buffers[0].cbBuffer;
    return status;
}

static SECURITY_STATUS decrypt(CtxtHandle *context, struct sent *sent)
{
    SecBuffer buffers[2] = {{sent->token_size, SECBUFFER_TOKEN, sent->token}, {BYTES, SECBUFFER_DATA, sent->data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    return DecryptMessage(context, &message, 0, NULL);
}

/* With several of these the number in a token tells where its message belongs: none twice, none left out. */
static DWORD WINAPI send_messages(void *data)
{
    struct channel *channel = data;
    WaitForSingleObject(channel->start, INFINITE);
    for (LONG i = next(&channel->made); i >= 0; i = next(&channel->made)) {
        struct sent sent = {.there = FALSE};
        memset(sent.plain, i, BYTES);
        memcpy(sent.plain, &i, sizeof i);
        memcpy(sent.data, sent.plain, BYTES);
        expect(channel, encrypt(channel->from, &sent) == SEC_E_OK);
        const ULONG place = number_of(&sent) - channel->first;
        expect(channel, place < MESSAGES && !channel->sent[place].there);
        if (place >= MESSAGES) continue;
        channel->sent[place] = sent;
        InterlockedExchange(&channel->sent[place].there, TRUE);
    }
    return 0;
}

/* Of a message whose turn it is not: what NTLM says, and what Kerberos does. */
static BOOL is_early(SECURITY_STATUS status)
{
    return status == SEC_E_MESSAGE_ALTERED || status == SEC_E_OUT_OF_SEQUENCE;
}

/* With several of these a message is early until the others have had theirs. */
static DWORD WINAPI receive_messages(void *data)
{
    struct channel *channel = data;
    WaitForSingleObject(channel->start, INFINITE);
    for (LONG i = next(&channel->taken); i >= 0; i = next(&channel->taken)) {
        struct sent *sent = &channel->sent[i];
        SECURITY_STATUS status;
        while (!InterlockedCompareExchange(&sent->there, TRUE, TRUE) && !channel->failures) SwitchToThread();
        if (!sent->there) break;
        while (is_early(status = decrypt(channel->to, sent)) && !channel->failures) SwitchToThread();
        expect(channel, status == SEC_E_OK && !memcmp(sent->data, sent->plain, BYTES));
    }
    return 0;
}

static struct channel there, back; /* too large for a stack */

/* The number that follows the last message's: SPNEGO's MICs have taken some. */
static BOOL open_channel(struct channel *channel, struct pair *pair, int from, HANDLE start)
{
    struct sent sent = {.there = FALSE};
    memset(channel, 0, sizeof *channel);
    channel->from = &pair->contexts[from];
    channel->to = &pair->contexts[!from];
    channel->start = start;
    if (encrypt(channel->from, &sent)) return FALSE;
    channel->first = number_of(&sent) + 1;
    return decrypt(channel->to, &sent) == SEC_E_OK;
}

/* SENDERS and as many receivers a channel, both channels at once; whether every message came, once and whole. */
static BOOL run(struct pair *pair, int senders)
{
    HANDLE threads[4 * SEVERAL];
    DWORD count = 0;
    HANDLE start = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!open_channel(&there, pair, CLIENT, start) || !open_channel(&back, pair, SERVER, start)) return FALSE;
    for (int i = 0; i < 4 * senders; i++) {
        struct channel *channel = i % 2 ? &back : &there;
        HANDLE thread = CreateThread(NULL, 0, i / 2 % 2 ? receive_messages : send_messages, channel, 0, NULL);
        if (thread)
            threads[count++] = thread;
        else
            expect(channel, FALSE);
    }
    SetEvent(start);
    const BOOL ended = WaitForMultipleObjects(count, threads, TRUE, 50000) != WAIT_TIMEOUT;
    if (!ended) ExitProcess(1); /* threads that hang would write to the next channels, and the counts would lie */
    for (DWORD i = 0; i < count; i++) CloseHandle(threads[i]);
    CloseHandle(start);
    return !there.failures && !back.failures && there.taken >= MESSAGES && back.taken >= MESSAGES;
}

int main(int count, char **packages)
{
    for (int i = 1; i < count; i++) {
        char name[80];
        struct pair pair;
        snprintf(name, sizeof name, "%s: the two sides are established", packages[i]);
        const BOOL established = pair_establish(&pair, packages[i]);
        report(name, established);
        if (!established) continue;
        snprintf(name, sizeof name, "%s: on each context one thread encrypts and one decrypts", packages[i]);
        report(name, run(&pair, 1));
        snprintf(name, sizeof name, "%s: on each context %d threads encrypt and %d decrypt", packages[i], SEVERAL,
                 SEVERAL);
        report(name, run(&pair, SEVERAL));
        snprintf(name, sizeof name, "%s: the contexts go on", packages[i]);
        report(name, pair_exchange(&pair) && pair_close(&pair));
    }
    return finish();
}
