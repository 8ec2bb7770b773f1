/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * secur32's own parts: packages, the handles of credentials and contexts, and what its exports share.
 */
#ifndef SECUR32_H
#define SECUR32_H

#include "handle_table.h"

#include <windows.h>
#include <winternl.h>
#include <countersign/sspi_extra.h>
#include <ntsecpkg.h>

/* A loaded security package. Never unloaded. */
struct package {
    SecPkgInfoW info; /* strings are the package's */
    const SECPKG_FUNCTION_TABLE *lsa;
    const SECPKG_USER_FUNCTION_TABLE *user;
};

/* The table of packages, loaded by whoever asks first. *count gets their number. */
const struct package *packages_all(ULONG *count);

/* The package of that name, whatever its case; NULL for none, or for a NULL name. */
const struct package *packages_find(const WCHAR *name);

struct credential {
    const struct package *package;
    LSA_SEC_HANDLE handle;
};

struct context {
    const struct package *package;
    LSA_SEC_HANDLE handle;
    volatile LONG user_mode; /* SpInitUserModeContext has taken it over: the message functions may be called */
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
