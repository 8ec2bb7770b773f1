/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A root in the user's ROOT store makes what it has issued good, for processes that start afterwards. Each look is a
 * process of its own, for Wine reads that store once in a process.
 */
#include "groups.h"
#include "run.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"

#include <stdlib.h>

#define NAME "schannel-trust/"

static const struct conformance_case cases[] = {
    {NAME "before", "errors InitializeSecurityContext/Schannel, received TLS alert 48", "SEC_E_UNTRUSTED_ROOT", NULL,
     WINE_SAME},
    {NAME "with-root", "schannel.h (documented: the ROOT store)", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "with-root.wrong-name", "errors InitializeSecurityContext/Schannel SEC_E_WRONG_PRINCIPAL (documented)",
     "SEC_E_WRONG_PRINCIPAL", NULL, WINE_SAME},
    {NAME "after", "errors InitializeSecurityContext/Schannel, received TLS alert 48", "SEC_E_UNTRUSTED_ROOT", NULL,
     WINE_SAME},
};

/* In a child: ends with what the client answers. */
static void look_at(const char *target)
{
    const struct schannel_setup setup = {
        .protocols = SP_PROT_TLS1_2_CLIENT, .client_cred_flags = SCH_CRED_AUTO_CRED_VALIDATION, .target = target};
    struct schannel_pair pair;

    schannel_pair_run(&pair, &setup);
    exit(pair.client.status);
}

static void look(void)
{
    look_at("localhost");
}

static void look_for_another(void)
{
    look_at("other.test");
}

static const struct raising_call raising[] = {{NAME "before", look},
                                              {NAME "with-root", look},
                                              {NAME "with-root.wrong-name", look_for_another},
                                              {NAME "after", look}};

/* Adds the root to the store, or takes it out: by the registry, for Wine deletes nothing from there by a system store.
 */
static bool change_store(bool add)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_REGISTRY_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER, L"ROOT");
    PCCERT_CONTEXT found;
    bool done = false;

    if (!store) return false;
    if (add) {
        done = CertAddCertificateContextToStore(store, root_certificate(), CERT_STORE_ADD_REPLACE_EXISTING, NULL);
    } else {
        found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, root_certificate(), NULL);
        done = found && CertDeleteCertificateFromStore(found);
    }
    CertCloseStore(store, 0);
    return done;
}

static void run_trust(struct conformance_run *run)
{
    if (!running_on_wine()) {
        not_run(run, "Windows asks its user before it takes a root");
        return;
    }
    observe_child_status(run, NAME "before");
    if (!change_store(true)) {
        not_reached(run, "the store takes no root, error 0x%lx", GetLastError());
        return;
    }
    observe_child_status(run, NAME "with-root");
    observe_child_status(run, NAME "with-root.wrong-name");
    if (change_store(false)) observe_child_status(run, NAME "after");
}

const struct conformance_group schannel_trust_group = {
    .name = "schannel-trust",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_trust,
    .raising = raising,
    .raising_count = COUNT_OF(raising),
};
