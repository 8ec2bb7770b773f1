/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The benchmark's inner interface: what is measured is a peer, and every peer does the same work on the same messages.
 * A figure that could not be measured rightly is none: whatever fails ends the program with 1 and says what it was.
 */
#ifndef COUNTERSIGN_BENCH_H
#define COUNTERSIGN_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The account with which all peers log on. */
#define BENCH_DOMAIN "BENCH"
#define BENCH_USER "bench"
#define BENCH_PASSWORD "Zw3i-Wege"

/* The service to which Kerberos goes. */
#define BENCH_SERVICE "HTTP"
#define BENCH_HOST "server.example.test"

enum { BENCH_SPARE = 32, BENCH_TOKEN = 80, BENCH_PATH = 32 };

/* A run of bytes that a library has allocated. */
struct bench_block {
    void *data;
    size_t size;
};

/* One message. Next to DATA, before and behind it, lie BENCH_SPARE bytes of which a peer may make use. */
struct bench_message {
    uint8_t *data; /* plain; sealed in place by those that do so */
    size_t size;
    uint8_t token[BENCH_TOKEN];
    uint32_t token_size;               /* bytes, of those that set it */
    struct bench_block sealed, opened; /* of libraries that make blocks of their own, until DROP */
};

/*
 * One implementation. PAIR is what open made: a client's and a server's context, complete. Client messages go to the
 * server in the order in which they were made.
 */
struct bench_peer {
    const char *name;
    void *(*open)(void);
    void (*seal)(void *pair, struct bench_message *message);
    void (*unseal)(void *pair, struct bench_message *message);
    bool (*can_sign)(void *pair); /* NULL: it can */
    void (*sign)(void *pair, struct bench_message *message);
    void (*verify)(void *pair, struct bench_message *message);
    void (*drop)(struct bench_message *message); /* NULL: makes no blocks */
    void (*handshake)(void *pair);               /* both sides, to the end, with the pair's credentials; NULL: none */
    void (*close)(void *pair);
};

/* Ours need bench_ours_environment(). The last two are NTLM too, inside of SPNEGO: ours and MIT's. */
extern const struct bench_peer bench_ours, bench_own_ntlm, bench_gss_ntlmssp, bench_winpr;
extern const struct bench_peer bench_ours_negotiate, bench_mit_spnego;
extern const struct bench_peer bench_bare_gnutls, bench_bare_nettle, bench_bare_hcrypto;

/* Kerberos; they need bench_kerberos.begin(). Credentials are in files, or, Heimdal's also, in memory. */
extern const struct bench_peer bench_ours_kerberos, bench_mit, bench_heimdal;
extern const struct bench_peer bench_heimdal_file, bench_heimdal_memory;
extern const struct bench_peer bench_bare_aes_gnutls, bench_bare_aes_nettle;

/* TLS: ours, GnuTLS's own records, its AEAD calls alone; the last two keep sessions and resume them. */
extern const struct bench_peer bench_ours_tls12_128, bench_gnutls_tls12_128, bench_bare_tls12_128;
extern const struct bench_peer bench_ours_tls12_256, bench_gnutls_tls12_256, bench_bare_tls12_256;
extern const struct bench_peer bench_ours_tls13_128, bench_gnutls_tls13_128, bench_bare_tls13_128;
extern const struct bench_peer bench_ours_tls13_256, bench_gnutls_tls13_256, bench_bare_tls13_256;
extern const struct bench_peer bench_ours_tls12_resume, bench_gnutls_tls12_resume;
extern const struct bench_peer bench_ours_tls13_resume, bench_gnutls_tls13_resume;

/* What has to be there before peers are opened: an account file, or a realm with its KDC. */
struct bench_world {
    void (*begin)(void);
    void (*end)(void);
};

extern const struct bench_world bench_ntlm, bench_kerberos, bench_tls;

/* Ends the program with 1 unless HELD; WHAT says on standard error what did not. */
void bench_require(bool held, const char *what);

/* Ends it unless STATUS is WANTED; says which call of PEER's returned it. */
void bench_require_status(uint32_t status, uint32_t wanted, const char *peer, const char *call);

/* Writes TEXT into a new file that only this user can read, and its name into PATH. */
void bench_private_file(char path[BENCH_PATH], const char *text);

/* Microseconds on a clock that nobody sets. */
double bench_now(void);

/* The median of COUNT samples, which it sorts. */
double bench_median(double *samples, size_t count);

/* Prints one row: tab-separated name, size, ours, peer, theirs, theirs / ours. */
void bench_row(const char *name, size_t size, double ours, const char *peer, double theirs);

/* The benchmarks; NAME is the row to print. */
void bench_messages(const char *name);
void bench_handshake(const char *name);
void bench_context_memory(const char *name);
void bench_native_call(const char *name);
void bench_two_contexts(const char *name);

#endif
