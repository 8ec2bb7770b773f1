/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of the test of other people's packages.
 */
#ifndef PACKAGES_H
#define PACKAGES_H

#include "pair.h"

extern const struct subject ssp_ap, ssp;

/* What is refused, and that nothing comes of it. */
void test_refusals(void);

/* The two test packages are added: how, and how they are listed. They stay. */
void test_adding(void);

/* All that a program does with an added package. */
void test_contexts(const struct subject *subject);
void test_import(const struct subject *subject);
void test_lsa(void);
void test_lacking(void);

/* Takes them away. */
void test_deleting(const struct subject *subject);
void test_threads(void);

/* Whether EnumerateSecurityPackages lists the package once, and QuerySecurityPackageInfo finds it. */
BOOL is_listed(const WCHAR *package);

/* How many packages are listed. */
ULONG listed_count(void);

#endif
