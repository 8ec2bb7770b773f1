/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The function tables that InitSecurityInterfaceA and W return.
 */
#include "groups.h"

static const struct conformance_case cases[] = {
    {"tables/A.version", "behaviour 26", "1", NULL, WINE_SAME},
    {"tables/A.later-slots", "behaviour 26", "yes", NULL, WINE_SAME},
    {"tables/A.reserved2", "behaviour 27", "NULL", NULL, WINE_SAME},
    {"tables/A.reserved3", "behaviour 28", "EncryptMessage", NULL, WINE_SAME},
    {"tables/A.reserved4", "behaviour 28", "DecryptMessage", NULL, WINE_SAME},
    {"tables/W.version", "behaviour 29", "1", NULL, WINE_SAME},
    {"tables/W.later-slots", "behaviour 29", "yes", NULL, WINE_SAME},
    {"tables/W.reserved2", "behaviour 29", "NULL", NULL, WINE_SAME},
    {"tables/W.reserved3", "behaviour 29", "EncryptMessage", NULL, WINE_SAME},
    {"tables/W.reserved4", "behaviour 29", "DecryptMessage", NULL, WINE_SAME},
};

/* Both tables have one layout; only the character type of some functions differs. */
static void observe_table(struct conformance_run *run, char letter, const SecurityFunctionTableA *table)
{
    char id[32];

    snprintf(id, sizeof(id), "tables/%c.version", letter);
    observe(run, id, "%lu", table->dwVersion);
    snprintf(id, sizeof(id), "tables/%c.later-slots", letter);
    observe_bool(run, id, table->EncryptMessage && table->DecryptMessage && table->SetContextAttributesA);
    snprintf(id, sizeof(id), "tables/%c.reserved2", letter);
    observe(run, id, table->Reserved2 ? "not NULL" : "NULL");
    snprintf(id, sizeof(id), "tables/%c.reserved3", letter);
    observe(run, id, table->Reserved3 == (void *)table->EncryptMessage ? "EncryptMessage" : "another pointer");
    snprintf(id, sizeof(id), "tables/%c.reserved4", letter);
    observe(run, id, table->Reserved4 == (void *)table->DecryptMessage ? "DecryptMessage" : "another pointer");
}

static void run_tables(struct conformance_run *run)
{
    observe_table(run, 'A', InitSecurityInterfaceA());
    observe_table(run, 'W', (const SecurityFunctionTableA *)(const void *)InitSecurityInterfaceW());
}

const struct conformance_group tables_group = {
    .name = "tables", .cases = cases, .case_count = COUNT_OF(cases), .run = run_tables};
