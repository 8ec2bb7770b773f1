/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * negotiate.dll: the Negotiate security package. SPNEGO is in unix/, the contract in ../countersign/package.
 */
#include "package.h"

const char sp_mechanism[16] = "Negotiate";
const PLSA_AP_CALL_PACKAGE_UNTRUSTED sp_call_untrusted = NULL;
