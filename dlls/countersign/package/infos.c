/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Windows 11 lists of each package (packages.tsv, dumps A and C). Every package DLL has all: Negotiate answers for
 * the package that it has chosen.
 */
#include "package.h"

#include <string.h>

struct package_info {
    char mechanism[16];
    SecPkgInfoW info;
};

static const struct package_info infos[] = {
    {"Negotiate",
     {.fCapabilities = 0x00883BB3,
      .wVersion = 1,
      .wRPCID = 9,
      .cbMaxToken = 48256,
      .Name = (SEC_WCHAR *)L"Negotiate",
      .Comment = (SEC_WCHAR *)L"Microsoft Package Negotiator"}},
    {"Kerberos",
     {.fCapabilities = 0x028F3BBF,
      .wVersion = 1,
      .wRPCID = 16,
      .cbMaxToken = 48000,
      .Name = (SEC_WCHAR *)L"Kerberos",
      .Comment = (SEC_WCHAR *)L"Microsoft Kerberos V1.0"}},
    {"NTLM",
     {.fCapabilities = 0x02882B37,
      .wVersion = 1,
      .wRPCID = 10,
      .cbMaxToken = 2888,
      .Name = (SEC_WCHAR *)L"NTLM",
      .Comment = (SEC_WCHAR *)L"NTLM Security Package"}},
};

const SecPkgInfoW *sp_find_info(const char *mechanism)
{
    for (SIZE_T i = 0; i < ARRAYSIZE(infos); i++)
        if (!strcmp(infos[i].mechanism, mechanism)) return &infos[i].info;
    return NULL;
}
