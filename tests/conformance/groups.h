/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The groups of the conformance program, one C file each. */
#ifndef CONFORMANCE_GROUPS_H
#define CONFORMANCE_GROUPS_H

#include "harness.h"

extern const struct conformance_group packages_group;
extern const struct conformance_group logon_group;
extern const struct conformance_group names_group;
extern const struct conformance_group tables_group;
extern const struct conformance_group identity_group;
extern const struct conformance_group credentials_group;
extern const struct conformance_group negotiate_message_group;
extern const struct conformance_group challenge_group;
extern const struct conformance_group authenticate_group;
extern const struct conformance_group loopback_group;
extern const struct conformance_group flags_group;
extern const struct conformance_group unprotected_group;
extern const struct conformance_group signing_group;
extern const struct conformance_group sealing_group;
extern const struct conformance_group export_group;
extern const struct conformance_group impersonation_group;
extern const struct conformance_group spnego_package_group;
extern const struct conformance_group spnego_exchange_group;
extern const struct conformance_group spnego_attributes_group;
extern const struct conformance_group spnego_messages_group;
extern const struct conformance_group spnego_sealing_group;
extern const struct conformance_group spnego_lsa_group;
extern const struct conformance_group kerberos_package_group;
extern const struct conformance_group kerberos_exchange_group;
extern const struct conformance_group kerberos_flags_group;
extern const struct conformance_group kerberos_attributes_group;
extern const struct conformance_group kerberos_messages_group;
extern const struct conformance_group kerberos_wire_group;
extern const struct conformance_group kerberos_negotiate_group;
extern const struct conformance_group kerberos_user_to_user_group;
extern const struct conformance_group kerberos_export_group;
extern const struct conformance_group kerberos_impersonation_group;
extern const struct conformance_group schannel_credentials_group;
extern const struct conformance_group schannel_handshake_group;
extern const struct conformance_group schannel_exchange_group;
extern const struct conformance_group schannel_attributes_group;
extern const struct conformance_group schannel_material_group;
extern const struct conformance_group schannel_verify_group;
extern const struct conformance_group schannel_names_group;
extern const struct conformance_group schannel_trust_group;
extern const struct conformance_group schannel_revocation_group;
extern const struct conformance_group schannel_default_group;
extern const struct conformance_group schannel_stapled_group;
extern const struct conformance_group schannel_issuers_group;
extern const struct conformance_group schannel_cng_group;
extern const struct conformance_group schannel_ecdsa_group;
extern const struct conformance_group schannel_records_group;
extern const struct conformance_group schannel_control_group;
extern const struct conformance_group schannel_datagrams_group;
extern const struct conformance_group schannel_srtp_group;
extern const struct conformance_group schannel_extensions_group;
extern const struct conformance_group zero_handles_group;
extern const struct conformance_group invalid_handles_group;
extern const struct conformance_group deleted_handles_group;

#endif
