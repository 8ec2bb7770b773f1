/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a package may expect of the host that starts it (ntsecpkg.h, LSA_SECPKG_FUNCTION_TABLE).
 */
#ifndef HOST_CHECKS_H
#define HOST_CHECKS_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntsecapi.h>
#include <wincred.h>
#include <security.h>
#include <ntsecpkg.h>

/* How many slots of the table are NULL: a package that calls one jumps to address 0. */
LONG host_missing(const LSA_SECPKG_FUNCTION_TABLE *table);

/* NULL, or what is wrong with what a table without empty slots lends. */
const char *host_check(const SECPKG_PARAMETERS *parameters, const LSA_SECPKG_FUNCTION_TABLE *table);

#endif
