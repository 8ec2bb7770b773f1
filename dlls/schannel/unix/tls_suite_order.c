/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The administrator's list of cipher suites, in the order in which they are preferred: "Functions" of Windows's
 * registry, as Enable-TlsCipherSuite and the group policy "SSL Cipher Suite Order" write it.
 */
#include "tls_suites.h"

#include "utf16.h"

#include <string.h>

enum { LONGEST_NAME = 64 };

/* Before Windows 10 names ended in a curve, and a suite stood there once for each. */
static size_t without_curve(const char *name, size_t size)
{
    static const char *const curves[] = {"_P256", "_P384", "_P521"};
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (size > 5 && !memcmp(name + size - 5, curves[i], 5)) return size - 5;
    return size;
}

/* Names that nobody here knows are passed over, as Windows does. */
static void take(struct tls_suite_order *order, const char *name, size_t size)
{
    char terminated[LONGEST_NAME] = "";
    size = without_curve(name, size);
    if (size >= sizeof terminated) return;
    memcpy(terminated, name, size);
    const struct tls_suite *suite = tls_suite_find(terminated);
    if (!suite || (order->count && tls_suite_order_has(order, suite->number))) return;
    if (order->count < TLS_MOST_SUITES) order->numbers[order->count++] = suite->number;
}

bool tls_suite_order_read(struct cs_span names, struct tls_suite_order *order)
{
    static const char between[] = ", ";
    struct cs_writer text = {0};
    *order = (struct tls_suite_order){.limited = names.size};
    if (!names.size) return true;
    const bool read = cs_utf8_of(&text, names);
    const char *bytes = (const char *)text.data;
    for (size_t start = 0, i = 0; read && i <= text.size; i++) {
        if (i < text.size && !memchr(between, bytes[i], sizeof between)) continue; /* a NUL is one, too */
        if (i > start) take(order, bytes + start, i - start);
        start = i + 1;
    }
    const bool whole = !text.failed;
    cs_writer_drop(&text);
    return whole;
}

bool tls_suite_order_has(const struct tls_suite_order *order, uint16_t number)
{
    for (unsigned i = 0; i < order->count; i++)
        if (order->numbers[i] == number) return true;
    return !order->limited;
}
