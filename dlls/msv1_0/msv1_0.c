/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * msv1_0.dll: the NTLM security package. The protocol is in unix/, the contract in ../countersign/package.
 */
#include "package.h"

const char sp_mechanism[16] = "NTLM";
const PLSA_AP_CALL_PACKAGE_UNTRUSTED sp_call_untrusted = NULL;
