/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fuzz targets share: an account and a loopback secret, options taken from the head of the input, and the
 * invariants. The library's randomness and clock are those of wraps.c here, so that a run can be repeated.
 */
#ifndef COUNTERSIGN_TESTS_FUZZ_H
#define COUNTERSIGN_TESTS_FUZZ_H

#include "forge.h"
#include "mitm.h"
#include "ntlm_flags.h"
#include "pair.h"

/* Every target's entry, and what is called once before: the account file and the secret (libFuzzer's names). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The account's password; its NTOWFv1 is what nlmp-4.2.2-ntlmv1 has. */
extern const uint8_t fuzz_ntowfv1[NTLM_KEY];

/*
 * The two bytes that every input of an exchange begins with, and what they choose. seeds.c writes them.
 * Policy and bindings are kept here because the setup points to them.
 */
enum fuzz_identity { FUZZ_EXPLICIT, FUZZ_LOOPBACK, FUZZ_ANONYMOUS, FUZZ_EXPLICIT_AGAIN };

struct fuzz_options {
    enum fuzz_identity identity; /* byte 0, bits 0 and 1 */
    uint32_t level;              /* bits 2 to 4: LmCompatibilityLevel of both sides; above 5: 5 */
    bool bindings;               /* bit 5: the same on both sides */
    bool null_sessions;          /* bit 6: the server allows them */
    bool protection;             /* bit 7: sign and seal asked for */
    uint8_t mode;                /* byte 1: the target's */
    struct cs_policy policy;
    struct pair_setup setup;
};

enum { FUZZ_OPTION_BYTES = 2 };

/* Takes the options from READER; zeros where it ends. Starts the random numbers anew. */
void fuzz_options_read(struct fuzz_options *options, struct cs_reader *reader);

/* What is left in READER. */
struct cs_span fuzz_rest(struct cs_reader *reader);

/* Ends the run, saying WHAT did not hold. */
void fuzz_require(bool held, const char *what);

/* The statuses of InitializeSecurityContext and AcceptSecurityContext that the headers name for a leg. */
void fuzz_require_leg_status(SECURITY_STATUS status);

/* One message through both ends of a session, whose keys must be the same. */
void fuzz_require_messages_pass(struct cs_session *from, struct cs_session *to);

/* Starts the random numbers at SEED (wraps.c). */
void fuzz_seed_random(uint8_t seed);

#endif
