/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Windows program of impersonation: `impersonation OUT PACKAGE` times what a server does with the contexts of its
 * clients, over PACKAGE with default credentials, and writes one line each to OUT: name, size, microseconds, and those
 * of Windows's own functions with the same token where there are any. The size of export-import is the packed
 * context's, in bytes. Needs nothing but Windows.
 */
#include "pair.h"
#include "windows_clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 500, TOKEN_BATCH = 100, ROUNDS = 51 };

static void require(SECURITY_STATUS status, const char *what)
{
    if (status == SEC_E_OK) return;
    fprintf(stderr, "impersonation: %s: 0x%08lx\n", what, (unsigned long)status);
    exit(1);
}

/* Out and in once, with all that is to be given back: its size. */
static ULONG export_import(CtxtHandle *context, char *package)
{
    SecBuffer packed = {0};
    CtxtHandle twin;
    require(ExportSecurityContext(context, 0, &packed, NULL), "ExportSecurityContext");
    require(ImportSecurityContextA(package, &packed, NULL, &twin), "ImportSecurityContext");
    require(FreeContextBuffer(packed.pvBuffer), "FreeContextBuffer");
    require(DeleteSecurityContext(&twin), "DeleteSecurityContext");
    return packed.cbBuffer;
}

/* The median of the batches' means. */
static void time_export_import(FILE *out, CtxtHandle *context, char *package)
{
    double samples[ROUNDS];
    ULONG size = export_import(context, package);
    for (int i = 0; i < ROUNDS; i++) {
        const double start = now();
        for (int j = 0; j < BATCH; j++) export_import(context, package);
        samples[i] = (now() - start) / BATCH;
    }
    fprintf(out, "export-import %lu %.4f\n", size, median(samples, ROUNDS));
}

static void impersonate_by_context(CtxtHandle *context, HANDLE token)
{
    (void)token;
    require(ImpersonateSecurityContext(context), "ImpersonateSecurityContext");
    require(RevertSecurityContext(context), "RevertSecurityContext");
}

static void impersonate_by_token(CtxtHandle *context, HANDLE token)
{
    (void)context;
    if (!SetThreadToken(NULL, token) || !RevertToSelf()) require(SEC_E_NO_IMPERSONATION, "SetThreadToken");
}

static double time_batch(void (*impersonate)(CtxtHandle *context, HANDLE token), CtxtHandle *context, HANDLE token)
{
    const double start = now();
    for (int i = 0; i < TOKEN_BATCH; i++) impersonate(context, token);
    return (now() - start) / TOKEN_BATCH;
}

/* Batch by batch in turn, on a context that has made its token already. */
static void time_impersonate_revert(FILE *out, CtxtHandle *context)
{
    double ours[ROUNDS], theirs[ROUNDS];
    HANDLE token;
    require(QuerySecurityContextToken(context, &token), "QuerySecurityContextToken");
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = time_batch(impersonate_by_context, context, token);
        theirs[i] = time_batch(impersonate_by_token, context, token);
    }
    CloseHandle(token);
    fprintf(out, "impersonate-revert 1 %.4f %.4f\n", median(ours, ROUNDS), median(theirs, ROUNDS));
}

int main(int argc, char **argv)
{
    FILE *out = argc == 3 ? fopen(argv[1], "w") : NULL;
    struct pair pair;
    if (!out) return 2;
    require(pair_establish(&pair, argv[2]) ? SEC_E_OK : SEC_E_LOGON_DENIED, "the exchange");
    time_impersonate_revert(out, &pair.contexts[SERVER]);
    time_export_import(out, &pair.contexts[SERVER], argv[2]);
    pair_close(&pair);
    return fclose(out) ? 1 : 0;
}
