/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What secur32 lends the packages that join it: ntsecpkg.h's LSA functions. One process plays LSA and program, so the
 * client is the caller and both heaps are the process's.
 */
#ifndef SECUR32_PACKAGE_HOST_H
#define SECUR32_PACKAGE_HOST_H

#include "secur32.h"

/* For SpInitialize. Every function is there; those that need an LSA with accounts answer STATUS_NOT_SUPPORTED. */
PLSA_SECPKG_FUNCTION_TABLE package_host_functions(void);

/* For SpInitialize: a machine in no domain. */
PSECPKG_PARAMETERS package_host_parameters(void);

/* For SpInstanceInit. */
PSECPKG_DLL_FUNCTIONS package_host_dll_functions(void);

#endif
