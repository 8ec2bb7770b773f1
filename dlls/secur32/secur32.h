/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * secur32's own parts: packages, the handles of credentials and contexts, and what its exports share.
 */
#ifndef SECUR32_H
#define SECUR32_H

#include "handle_table.h"

#include <windows.h>
#include <winternl.h>
#include <wincred.h>
#include <countersign/sspi_extra.h>
#include <ntsecpkg.h>

/*
 * A loaded security package. Never unloaded: handles hold on to its functions for as long as the process lives. Every
 * function of SSPI's own exports that is called without asking is there; where the package lacks it, one that refuses.
 */
struct package {
    SecPkgInfoW info; /* strings are the package's */
    SECPKG_FUNCTION_TABLE lsa;
    SECPKG_USER_FUNCTION_TABLE user;
    const SecurityFunctionTableW *sspi; /* of one that has InitSecurityInterfaceW instead; sspi_package.h calls it */
    HMODULE module;
    BOOL own;              /* one of ours: not to be deleted */
    volatile LONG deleted; /* no longer listed and found; its handles live on */
};

/* How many numbers of packages have been given. A number is the package's for good, as the LSA's are. */
ULONG packages_count(void);

/* The package with NUMBER; NULL if it has been deleted, or there is none. */
const struct package *packages_at(ULONG number);

/* The package of that name, whatever its case; NULL for none, or for a NULL name. */
const struct package *packages_find(const WCHAR *name);

/*
 * Loads the DLL and lists its packages; those of a DLL that is there already are listed again. TYPE: one of
 * SECPKG_OPTIONS_TYPE_, which of the two kinds of entry point to look for. SEC_E_OK; SEC_E_SECPKG_NOT_FOUND: no such
 * file, or no security package; SEC_E_INSUFFICIENT_MEMORY: also when the table is full.
 */
SECURITY_STATUS packages_add(const WCHAR *dll, ULONG type);

/*
 * Lists no longer what NAME, a package or a DLL, brought. DLL, MAX_PATH characters, gets the path of the DLL that it
 * was. SEC_E_OK; SEC_E_SECPKG_NOT_FOUND, with nothing written; of ours: SEC_E_UNSUPPORTED_FUNCTION.
 */
SECURITY_STATUS packages_delete(const WCHAR *name, WCHAR *dll);

struct credential {
    const struct package *package;
    LSA_SEC_HANDLE handle;
};

struct context {
    const struct package *package;
    LSA_SEC_HANDLE handle;
    volatile LONG user_mode; /* SpInitUserModeContext has taken it over: the message functions may be called */
    BOOL imported;           /* the LSA-mode half of its package knows nothing of it */
};

extern struct handle_table credential_handles, context_handles;

/* SSPI's handles as the tables know them. A bad pointer faults, as in Windows. */
static inline struct handle handle_of(const SecHandle *handle)
{
    return (struct handle){handle->dwLower, handle->dwUpper};
}

static inline void handle_set(SecHandle *out, struct handle handle)
{
    out->dwLower = handle.lower;
    out->dwUpper = handle.upper;
}

/* A context in use by one call. The handle is the caller's memory, so it is read once. */
struct context_use {
    struct handle handle;
    struct context *context;
};

/* Takes a reference, to be given back with context_leave. FALSE for NULL and for what is no open context. */
BOOL context_enter(const CtxtHandle *handle, struct context_use *use);

/* Gives the reference back, and then raises the exception if STATUS is a fault. Yields STATUS. */
SECURITY_STATUS context_leave(const struct context_use *use, NTSTATUS status);

/*
 * Raises the exception for an address that faulted on the Unix side, with no reference held any more; other statuses
 * pass through.
 */
SECURITY_STATUS raise_fault(NTSTATUS status);

/* Copies of strings between the ANSI code page and UTF-16, in memory of the process heap. NULL for NULL. */
WCHAR *wide_of(const char *text);
char *ansi_of(const WCHAR *text);

/* An ANSI copy for a program, which replaces *text, or NULL there if it was. The wide one is freed. FALSE: no memory.
 */
BOOL replace_by_ansi(void *text);

/* A package's description as an A structure: one block with its strings (behaviour.md row 64). NULL: no memory. */
SecPkgInfoA *ansi_package_info(const SecPkgInfoW *info);

#endif
