/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_credential HOST USER PASSWORD: puts a domain password into the credential manager of the prefix.
 */
#include <windows.h>
#include <wincred.h>
#include <stdio.h>

int wmain(int argc, WCHAR **argv)
{
    CREDENTIALW credential = {.Type = CRED_TYPE_DOMAIN_PASSWORD, .Persist = CRED_PERSIST_LOCAL_MACHINE};

    if (argc != 4) {
        fprintf(stderr, "usage: store_credential HOST USER PASSWORD\n");
        return 2;
    }
    credential.TargetName = argv[1];
    credential.UserName = argv[2];
    credential.CredentialBlob = (BYTE *)argv[3];
    credential.CredentialBlobSize = (DWORD)(wcslen(argv[3]) * sizeof(WCHAR));
    if (!CredWriteW(&credential, 0)) {
        fprintf(stderr, "CredWriteW: error %lu\n", GetLastError());
        return 1;
    }
    return 0;
}
