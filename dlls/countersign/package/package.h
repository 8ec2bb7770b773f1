/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every security package DLL has in common: Windows's contract for packages (ntsecpkg.h) on one side, the bridge
 * on the other. A package is a spec file and its name.
 */
#ifndef COUNTERSIGN_PACKAGE_H
#define COUNTERSIGN_PACKAGE_H

#include "bridge.h"

#include <windows.h>
#include <ntsecapi.h>
#include <sspi.h>
#include <ntsecpkg.h>

/* The Unix half's name of the package that a DLL is; defined once in each, as in infos.c. */
extern const char sp_mechanism[16];

/* What answers messages that programs send the package through the LSA; NULL: it takes none. Defined like its name. */
extern const PLSA_AP_CALL_PACKAGE_UNTRUSTED sp_call_untrusted;

/* What EnumerateSecurityPackages lists of MECHANISM; never NULL for one that a session can have. */
const SecPkgInfoW *sp_find_info(const char *mechanism);

/* What a credential handle and a context handle of the package are: addresses of these. */
struct sp_credential {
    UINT64 credential;
    BOOL is_default; /* no identity was given: the credential manager is asked for each target */
    TimeStamp expiry;
};

struct sp_token;

struct sp_context {
    UINT64 context;         /* 0: imported, and the session is its own */
    UINT64 session;         /* 0 until complete; sp_session reads it */
    struct sp_token *token; /* an acceptor's client's; NULL before somebody asks for it (sp_token.h) */
    HANDLE given;           /* of an imported one: what ImportSecurityContext was given; NULL: none. Owned */
    /*
     * What every call answers: SEC_E_INTERNAL_ERROR once the Unix half has faulted in this context, and a lock of it
     * may be held; SEC_E_INVALID_HANDLE once it has been exported away.
     */
    NTSTATUS failed;
};

/*
 * What secur32 takes over from SpInitLsaModeContext and SpAcceptLsaModeContext, and hands to SpInitUserModeContext
 * ("packed context"). Both run in one process, so it only names the session.
 */
struct sp_packed_context {
    ULONG version; /* CS_BLOCKS_VERSION */
    ULONG reserved;
    UINT64 session;
};

/* The session, which another thread may just be completing: whole, also where 64 bits take two moves. */
static inline UINT64 sp_session(const struct sp_context *context)
{
    return __atomic_load_n(&context->session, __ATOMIC_ACQUIRE);
}

/* Whether a lock of CONTEXT may be held for good, so that nothing of it can be freed. */
static inline BOOL sp_faulted(const struct sp_context *context)
{
    return context->failed == SEC_E_INTERNAL_ERROR;
}

/* Memory of the host's: what programs free with FreeContextBuffer. NULL without memory. */
void *sp_allocate(SIZE_T size);
void sp_free(void *memory);

/*
 * Memory for an answer to CLIENT's message, which LsaFreeReturnBuffer frees; sp_free_client gives back what is not
 * handed out. NULL without memory.
 */
void *sp_allocate_client(PLSA_CLIENT_REQUEST client, SIZE_T size);
void sp_free_client(PLSA_CLIENT_REQUEST client, void *memory);

/* The caller's logon session, as the host has it. FALSE: the host does not say. */
BOOL sp_logon_id(LUID *logon_id);

/* SECPKG_CALL_ bits of the call at hand, as far as the host tells. */
ULONG sp_call_attributes(void);

/*
 * Heimdal's variables. What a program sets with SetEnvironmentVariable never reaches getenv in the Unix half. What is
 * unset has no bytes. FALSE: no memory; else the caller releases them.
 */
struct sp_environment {
    struct cs_bytes krb5_config, krb5_ccname, krb5_ktname;
};
BOOL sp_read_environment(struct sp_environment *environment);
void sp_release_environment(struct sp_environment *environment);

/* The bytes of a UTF-16 string of LENGTH characters, for a block. */
struct cs_bytes sp_bytes(const void *address, SIZE_T size);

/* The registry's policy, read now (about 150 us a value). */
struct cs_block_policy sp_read_policy(void);

/* FILETIME in UTC to SSPI's TimeStamp, which is local time. The end of time stays what it is. */
void sp_time_stamp(INT64 utc, TimeStamp *stamp);

/* The functions of SECPKG_FUNCTION_TABLE and SECPKG_USER_FUNCTION_TABLE, in sp_*.c, with ntsecpkg.h's prototypes. */
SpInitializeFn sp_initialize;
SpShutdownFn sp_shut_down;
SpAcquireCredentialsHandleFn sp_acquire_credentials_handle;
SpFreeCredentialsHandleFn sp_free_credentials_handle;
SpQueryCredentialsAttributesFn sp_query_credentials_attributes;
SpSetCredentialsAttributesFn sp_set_credentials_attributes;
SpInitLsaModeContextFn sp_init_lsa_mode_context;
SpAcceptLsaModeContextFn sp_accept_lsa_mode_context;
SpDeleteContextFn sp_delete_context;
SpQueryContextAttributesFn sp_query_context_attributes;
SpInitUserModeContextFn sp_init_user_mode_context;
SpDeleteContextFn sp_delete_user_mode_context;
SpMakeSignatureFn sp_make_signature;
SpVerifySignatureFn sp_verify_signature;
SpSealMessageFn sp_seal_message;
SpUnsealMessageFn sp_unseal_message;
SpExportSecurityContextFn sp_export_security_context;
SpImportSecurityContextFn sp_import_security_context;

/* A copy of INFO, strings and all in one block of sp_allocate (behaviour.md row 64). */
SecPkgInfoW *sp_copy_info(const SecPkgInfoW *info);

#endif
