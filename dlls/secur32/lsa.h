/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the LSA calls share.
 */
#ifndef SECUR32_LSA_H
#define SECUR32_LSA_H

#include <windows.h>

struct package;

/* Whether HANDLE is what LsaConnectUntrusted gave, as far as a kernel handle can be told apart. */
BOOL lsa_is_connection(HANDLE handle);

/*
 * SIZE bytes of MESSAGE to a package: LsaApCallPackageUntrusted. *answer, of the process heap, *answer_size and
 * *protocol are as the package leaves them. Its status; STATUS_NOT_SUPPORTED: it takes no messages.
 */
NTSTATUS lsa_call_package(const struct package *package, void *message, ULONG size, void **answer, ULONG *answer_size,
                          NTSTATUS *protocol);

#endif
