/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kerberos.dll: the Kerberos security package. The protocol is in unix/, the contract in ../countersign/package.
 */
#include "kerberos_calls.h"

const char sp_mechanism[16] = "Kerberos";
const PLSA_AP_CALL_PACKAGE_UNTRUSTED sp_call_untrusted = kerberos_call_untrusted;
