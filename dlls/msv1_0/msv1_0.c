/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msv1_0.dll: the NTLM security package. The protocol is in unix/, the contract in ../countersign/package.
 */
#include "package.h"

/* Windows 11's entry (packages.tsv, dumps A and C) */
const struct sp_package sp_package = {
    .info = {.fCapabilities = 0x02882B37,
             .wVersion = 1,
             .wRPCID = 10,
             .cbMaxToken = 2888,
             .Name = (SEC_WCHAR *)L"NTLM",
             .Comment = (SEC_WCHAR *)L"NTLM Security Package"},
    .mechanism = "NTLM",
};
