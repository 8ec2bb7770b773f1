/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMessage (Negotiate) and DecryptMessage (Negotiate) at their ends: after the context's expiry, by a clock that
 * runs ahead while FILE is there (clock.c); without memory, by taking what address space is left; and with messages of
 * the greatest length and above. Prints a line a case and ends with the counts.
 *
 *     extremes FILE
 */
#include "pair.h"

#include <string.h>

static const char package[] = "Negotiate";

/* A message to each function; whether each answers EXPECTED and leaves every byte as it was. */
static BOOL each_answers(struct pair *pair, SECURITY_STATUS expected)
{
    const BYTE before[16] = "as it was";
    BYTE token[16], data[16];
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = 0;
    memcpy(token, before, sizeof token);
    memcpy(data, before, sizeof data);
    for (int side = CLIENT; side <= SERVER; side++) {
        CtxtHandle *context = &pair->contexts[side];
        if (EncryptMessage(context, 0, &message, 0) != expected) return FALSE;
        if (EncryptMessage(context, SECQOP_WRAP_NO_ENCRYPT, &message, 0) != expected) return FALSE;
        if (DecryptMessage(context, &message, 0, &qop) != expected) return FALSE;
        if (MakeSignature(context, 0, &message, 0) != expected) return FALSE;
        if (VerifySignature(context, &message, 0, &qop) != expected) return FALSE;
    }
    return !memcmp(token, before, sizeof token) && !memcmp(data, before, sizeof data);
}

static void expiry(const char *file)
{
    struct pair pair;
    report("the two sides are established", pair_establish(&pair, package) && pair_exchange(&pair));
    HANDLE later = CreateFileA(file, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    CloseHandle(later);
    report("after ptsExpiry: SEC_E_CONTEXT_EXPIRED", each_answers(&pair, SEC_E_CONTEXT_EXPIRED));
    DeleteFileA(file);
    report("before it, again: the message comes", pair_exchange(&pair));
    report("the contexts are deleted", pair_close(&pair));
}

/* Without memory: a message of so many buffers that the package needs 16 MB for a list of them. */
enum { BUFFERS = 1 << 20, SMALLEST = 1 << 20, BLOCKS_MAX = 1024 };

/* Address space taken, so that nothing of SMALLEST bytes is left. */
struct hoard {
    void *blocks[BLOCKS_MAX];
    ULONG count;
};

/* FALSE if there is no end to it: the 64-bit program wants a limit (ulimit -v). */
static BOOL take_all(struct hoard *hoard)
{
    hoard->count = 0;
    for (SIZE_T size = (SIZE_T)1 << 30; size >= SMALLEST; size /= 2)
        while ((hoard->blocks[hoard->count] = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS)))
            if (++hoard->count == BLOCKS_MAX || (size == (SIZE_T)1 << 30 && hoard->count > 16)) return FALSE;
    return TRUE;
}

static void give_back(struct hoard *hoard)
{
    while (hoard->count) VirtualFree(hoard->blocks[--hoard->count], 0, MEM_RELEASE);
}

static SECURITY_STATUS seal_many(struct pair *pair, SecBuffer *buffers, BOOL encrypt)
{
    SecBufferDesc message = {SECBUFFER_VERSION, BUFFERS, buffers};
    return encrypt ? EncryptMessage(&pair->contexts[CLIENT], 0, &message, 0)
                   : DecryptMessage(&pair->contexts[SERVER], &message, 0, NULL);
}

static void no_memory(void)
{
    static struct hoard hoard;
    static const BYTE plain[16] = "many buffers";
    BYTE token[16] = {0}, data[16];
    SecBuffer *buffers = VirtualAlloc(NULL, BUFFERS * sizeof *buffers, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    struct pair pair;
    memcpy(data, plain, sizeof data);
    report("there is memory for many buffers", buffers && pair_establish(&pair, package));
    buffers[0] = (SecBuffer){sizeof token, SECBUFFER_TOKEN, token};
    buffers[BUFFERS - 1] = (SecBuffer){sizeof data, SECBUFFER_DATA, data};
    const BOOL all = take_all(&hoard);
    const SECURITY_STATUS encrypted = seal_many(&pair, buffers, TRUE), decrypted = seal_many(&pair, buffers, FALSE);
    const BOOL few = pair_exchange(&pair);
    give_back(&hoard);
    report("the address space can be filled", all);
    report("EncryptMessage without memory: SEC_E_INSUFFICIENT_MEMORY", encrypted == SEC_E_INSUFFICIENT_MEMORY);
    report("DecryptMessage without memory: SEC_E_INSUFFICIENT_MEMORY", decrypted == SEC_E_INSUFFICIENT_MEMORY);
    report("the text stays as it was", !memcmp(data, plain, sizeof data));
    report("a message of two buffers needs no memory", few);
    report("with memory the message is sealed",
           seal_many(&pair, buffers, TRUE) == SEC_E_OK && memcmp(data, plain, sizeof data) != 0);
    report("and comes as it was", seal_many(&pair, buffers, FALSE) == SEC_E_OK && !memcmp(data, plain, sizeof data));
    pair_close(&pair);
    VirtualFree(buffers, 0, MEM_RELEASE);
}

/* Length: a message is this block again and again, which is only signed, and then some of a text, which is sealed. */
enum { BLOCK = 1 << 26, TO_2_GB = 32, TO_4_GB = 64 };

struct long_message {
    BYTE *block, token[16], text[16];
    SecBuffer buffers[2 + TO_4_GB];
    SecBufferDesc message;
};

static void lay_out(struct long_message *message, ULONG blocks, ULONG last_block, ULONG text)
{
    message->message = (SecBufferDesc){SECBUFFER_VERSION, blocks + 2, message->buffers};
    message->buffers[0] = (SecBuffer){sizeof message->token, SECBUFFER_TOKEN, message->token};
    message->buffers[1] = (SecBuffer){text, SECBUFFER_DATA, message->text};
    for (ULONG i = 0; i < blocks; i++)
        message->buffers[i + 2] = (SecBuffer){i + 1 < blocks ? BLOCK : last_block,
                                              SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, message->block};
}

static const BYTE long_text[16] = "end of a letter";

/* Whether both functions refuse, and the text stays as it was. */
static BOOL is_refused(struct pair *pair, struct long_message *message)
{
    return EncryptMessage(&pair->contexts[CLIENT], 0, &message->message, 0) == SEC_E_INVALID_TOKEN &&
           DecryptMessage(&pair->contexts[SERVER], &message->message, 0, NULL) == SEC_E_INVALID_TOKEN &&
           !memcmp(message->text, long_text, sizeof long_text);
}

static BOOL is_sealed(struct pair *pair, struct long_message *message)
{
    return EncryptMessage(&pair->contexts[CLIENT], 0, &message->message, 0) == SEC_E_OK &&
           memcmp(message->text, long_text, sizeof long_text) != 0 &&
           DecryptMessage(&pair->contexts[SERVER], &message->message, 0, NULL) == SEC_E_OK &&
           !memcmp(message->text, long_text, sizeof long_text);
}

static void length(void)
{
    static struct long_message message;
    struct pair pair;
    message.block = VirtualAlloc(NULL, BLOCK, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    memcpy(message.text, long_text, sizeof long_text);
    report("there is memory for a block", message.block && pair_establish(&pair, package));
    lay_out(&message, TO_2_GB, BLOCK - 15, 15);
    report("2^31 bytes are refused", is_refused(&pair, &message));
    lay_out(&message, TO_4_GB, BLOCK, 15);
    report("2^32 + 15 bytes are refused", is_refused(&pair, &message));
    lay_out(&message, TO_2_GB, BLOCK - 16, 15);
    report("2^31 - 1 bytes are sealed and come as they were", is_sealed(&pair, &message));
    report("the contexts go on", pair_exchange(&pair) && pair_close(&pair));
    VirtualFree(message.block, 0, MEM_RELEASE);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    expiry(argv[1]);
    no_memory();
    length();
    return finish();
}
