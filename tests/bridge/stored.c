/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The credential manager: what is stored for a target, or deleted, while a program runs counts from its next logon on.
 * Prints a line a case and ends with the counts.
 *
 *     stored
 */
#include "pair.h"

#include <wincred.h>

static const char package[] = "NTLM";

/* Where Wine has it. */
static const WCHAR store[] = L"Software\\Wine\\Credential Manager";

/* A user whom no server knows: with this the logon fails that default credentials alone bring about. */
static BOOL store_nobody(const WCHAR *target)
{
    static WCHAR user[] = L"nobody-there", password[] = L"Password";
    CREDENTIALW credential = {.Type = CRED_TYPE_DOMAIN_PASSWORD,
                              .Persist = CRED_PERSIST_LOCAL_MACHINE,
                              .TargetName = (WCHAR *)target,
                              .UserName = user,
                              .CredentialBlob = (BYTE *)password,
                              .CredentialBlobSize = sizeof password - sizeof *password};
    return CredWriteW(&credential, 0);
}

static BOOL forget(const WCHAR *target)
{
    return CredDeleteW(target, CRED_TYPE_DOMAIN_PASSWORD, 0);
}

static BOOL logs_on_by_default(void)
{
    struct pair pair = {0};
    const BOOL established = pair_establish(&pair, package);
    for (int side = CLIENT; side <= SERVER; side++) {
        DeleteSecurityContext(&pair.contexts[side]);
        FreeCredentialsHandle(&pair.credentials[side]);
    }
    return established;
}

static BOOL delete_store(void)
{
    return !RegDeleteTreeW(HKEY_CURRENT_USER, store);
}

/* Each twice: what the first look leaves must not show in the second. */
static void expect_default(const char *name, BOOL wanted)
{
    report(name, logs_on_by_default() == wanted && logs_on_by_default() == wanted);
}

int main(void)
{
    expect_default("nothing has ever been stored: the loopback logon", TRUE);
    report("something is stored for another host", store_nobody(L"elsewhere.example.test"));
    expect_default("it does not count for this one", TRUE);
    report("something is stored for the host", store_nobody(L"localhost"));
    expect_default("it is what logs on", FALSE);
    report("it is deleted", forget(L"localhost") && forget(L"elsewhere.example.test"));
    expect_default("nothing is stored any more: the loopback logon", TRUE);
    report("something is stored for the target as it stands", store_nobody(L"bridge/localhost"));
    expect_default("it is what logs on, too", FALSE);
    report("the store is gone with all that is in it", delete_store());
    expect_default("without a store: the loopback logon", TRUE);
    report("it is made again", store_nobody(L"localhost"));
    expect_default("what is in it counts", FALSE);
    report("the last one is deleted", forget(L"localhost"));
    expect_default("at last: the loopback logon", TRUE);
    return finish();
}
