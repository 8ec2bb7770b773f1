/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry's lists of security packages, which every process loads: Lsa\Security Packages (SSP/APs) and
 * SecurityProviders\SecurityProviders (SSPs), below HKLM\SYSTEM\CurrentControlSet\Control.
 */
#ifndef SECUR32_PACKAGE_LISTS_H
#define SECUR32_PACKAGE_LISTS_H

#include "secur32.h"

/* Calls TAKE with each DLL's name, of both lists, in their order. */
void package_lists_each(void (*take)(const WCHAR *dll));

/*
 * Puts DLL into the list of its TYPE (SECPKG_OPTIONS_TYPE_SSPI, else the LSA's), or takes it out of both. TRUE: the
 * lists are as asked; FALSE: the registry refused.
 */
BOOL package_lists_add(const WCHAR *dll, ULONG type);
BOOL package_lists_remove(const WCHAR *dll);

/* Whether two names mean one DLL: their last parts, whatever their case, with ".dll" or without. */
BOOL package_same_dll(const WCHAR *left, const WCHAR *right);

#endif
