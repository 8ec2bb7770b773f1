/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The winbind backend. libwbclient is loaded when it is first asked, so that nothing needs it to build or to run; the
 * declarations below are the part of its interface (wbclient.h, version 0.x) that is used here.
 */
#include "ntlm.h"
#include "secure.h"
#include "utf16.h"

#include <dlfcn.h>
#include <string.h>

enum { WBC_ERR_SUCCESS = 0, WBC_ERR_WINBIND_NOT_AVAILABLE = 6 };
enum { WBC_AUTH_USER_LEVEL_RESPONSE = 3 };
enum { WBC_MSV1_0_ALLOW_WORKSTATION_TRUST_ACCOUNT = 0x800, WBC_MSV1_0_ALLOW_SERVER_TRUST_ACCOUNT = 0x20 };
enum { WBC_AUTH_USER_INFO_GUEST = 1 };

struct wbc_response {
    uint8_t challenge[8];
    uint32_t nt_length;
    uint8_t *nt_data;
    uint32_t lm_length;
    uint8_t *lm_data;
};

/* struct wbcAuthUserParams; the union's largest member is the response. */
struct wbc_user {
    const char *account_name, *domain_name, *workstation_name;
    uint32_t flags;
    uint32_t parameter_control;
    int level;
    union {
        const char *plaintext;
        struct wbc_response response;
    } password;
};

/* The head of struct wbcAuthUserInfo. */
struct wbc_info {
    uint32_t user_flags;
    char *account_name, *user_principal, *full_name, *domain_name, *dns_domain_name;
    uint32_t acct_flags;
    uint8_t user_session_key[16];
    uint8_t lm_session_key[8];
};

struct wbclient {
    void *library;
    int (*ping)(void);
    int (*authenticate)(const struct wbc_user *user, struct wbc_info **info, void *error);
    void (*release)(void *memory);
};

static bool load(struct wbclient *wbc)
{
    /* It stays: newer ones keep thread-local state whose destructors must not be unmapped. */
    wbc->library = dlopen("libwbclient.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!wbc->library) return false;
    *(void **)&wbc->ping = dlsym(wbc->library, "wbcPing");
    *(void **)&wbc->authenticate = dlsym(wbc->library, "wbcAuthenticateUserEx");
    *(void **)&wbc->release = dlsym(wbc->library, "wbcFreeMemory");
    return wbc->ping && wbc->authenticate && wbc->release;
}

static const char *c_string(struct cs_writer *utf8, struct cs_span utf16)
{
    if (!cs_utf8_of(utf8, utf16)) utf8->failed = true;
    cs_write_u8(utf8, 0);
    return (const char *)utf8->data;
}

/* False: it has not said who that is. */
static bool take_info(const struct wbc_info *info, struct ntlm_logon_result *result)
{
    memcpy(result->session_base_key, info->user_session_key, NTLM_KEY);
    memcpy(result->lmowfv1, info->lm_session_key, sizeof info->lm_session_key);
    return cs_utf16_of(&result->user, cs_span_of(info->account_name)) && result->user.size &&
           cs_utf16_of(&result->domain, cs_span_of(info->domain_name)) && result->domain.size;
}

/* A domain may let unknown users in as its guest, whatever their password; that is no logon of theirs. */
static SECURITY_STATUS authenticate(const struct wbclient *wbc, const struct wbc_user *user,
                                    struct ntlm_logon_result *result)
{
    struct wbc_info *info = NULL;
    int error = wbc->authenticate(user, &info, NULL);
    const bool logged_on = error == WBC_ERR_SUCCESS && info && !(info->user_flags & WBC_AUTH_USER_INFO_GUEST);
    const bool named = logged_on && take_info(info, result);
    if (info) wbc->release(info);
    if (logged_on) return named ? SEC_E_OK : SEC_E_NO_AUTHENTICATING_AUTHORITY;
    return error == WBC_ERR_WINBIND_NOT_AVAILABLE ? SEC_E_NO_AUTHENTICATING_AUTHORITY : SEC_E_LOGON_DENIED;
}

static SECURITY_STATUS ask(const struct wbclient *wbc, const struct ntlm_logon *logon, struct ntlm_logon_result *result)
{
    struct cs_writer account = {0}, domain = {0}, workstation = {0};
    struct wbc_user user = {
        .account_name = c_string(&account, logon->user),
        .domain_name = c_string(&domain, logon->domain),
        .workstation_name = c_string(&workstation, logon->workstation),
        .parameter_control = WBC_MSV1_0_ALLOW_WORKSTATION_TRUST_ACCOUNT | WBC_MSV1_0_ALLOW_SERVER_TRUST_ACCOUNT,
        .level = WBC_AUTH_USER_LEVEL_RESPONSE,
        .password.response = {.nt_length = (uint32_t)logon->nt_response.size,
                              .nt_data = (uint8_t *)(uintptr_t)logon->nt_response.data,
                              .lm_length = (uint32_t)logon->lm_response.size,
                              .lm_data = (uint8_t *)(uintptr_t)logon->lm_response.data},
    };
    memcpy(user.password.response.challenge, logon->server_challenge, NTLM_CHALLENGE);
    SECURITY_STATUS status = SEC_E_LOGON_DENIED;
    if (!account.failed && !domain.failed && !workstation.failed) status = authenticate(wbc, &user, result);
    cs_writer_drop(&account);
    cs_writer_drop(&domain);
    cs_writer_drop(&workstation);
    return status;
}

static bool is_ess_v1(const struct ntlm_logon *logon)
{
    return (logon->flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) && logon->nt_response.size == NTLM_RESPONSE;
}

/*
 * Winbind is never shown the LM response: it would take a right LMv2 for a wrong NT response, whose MIC flag, bindings
 * and target are then anybody's (CVE-2019-1338). With NTLMv1 and extended session security it wants the challenge
 * that the response was made for.
 */
static struct ntlm_logon adapt(const struct ntlm_logon *logon, uint8_t challenge[NTLM_CHALLENGE])
{
    struct ntlm_logon adapted = *logon;
    adapted.lm_response = (struct cs_span){0};
    if (is_ess_v1(logon)) {
        ntlm_ess_challenge(logon->server_challenge, logon->lm_response.data, challenge);
        adapted.server_challenge = challenge;
    }
    return adapted;
}

/* As for the account file, an LM response alone logs nobody on, and NTLMv1 with extended session security wants one. */
SECURITY_STATUS ntlm_winbind_verify(const struct ntlm_logon *logon, struct ntlm_logon_result *result)
{
    uint8_t challenge[NTLM_CHALLENGE];
    struct wbclient wbc = {0};
    SECURITY_STATUS status = SEC_E_LOGON_DENIED;
    if (logon->nt_response.size < NTLM_RESPONSE) return status;
    if (is_ess_v1(logon) && logon->lm_response.size != NTLM_RESPONSE) return status;
    if (load(&wbc) && wbc.ping() == WBC_ERR_SUCCESS) {
        struct ntlm_logon adapted = adapt(logon, challenge);
        status = ask(&wbc, &adapted, result);
    }
    if (wbc.library) dlclose(wbc.library);
    return status;
}
