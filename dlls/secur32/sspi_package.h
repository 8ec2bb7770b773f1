/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Security packages that bring SSPI's own functions (InitSecurityInterfaceW) in place of the contract that an SSP/AP
 * keeps: adapters between the two, so that the rest of secur32 knows only one kind.
 */
#ifndef SECUR32_SSPI_PACKAGE_H
#define SECUR32_SSPI_PACKAGE_H

#include "secur32.h"

/* As package_join, for InitSecurityInterfaceW; the identifier is not told. */
ULONG sspi_package_join(HMODULE module, struct package **joined, ULONG room);

/* SpAcquireCredentialsHandle and SpImportSecurityContext, which have no handle that leads to the package. */
NTSTATUS sspi_package_acquire(const struct package *package, UNICODE_STRING *principal, ULONG use, LUID *logon_id,
                              void *auth_data, void *get_key, void *get_key_argument, LSA_SEC_HANDLE *credential,
                              TimeStamp *expiry);
NTSTATUS sspi_package_import(const struct package *package, SecBuffer *packed, HANDLE token, LSA_SEC_HANDLE *context);

#endif
