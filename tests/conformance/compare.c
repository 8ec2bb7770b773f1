/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comparing: what a group's child process observed against what its table says of Windows.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#ifdef _WIN64
#define ARCHITECTURE "x86_64"
#else
#define ARCHITECTURE "i386"
#endif

static const char alternative_separator[] = " or ";

bool running_on_wine(void)
{
    return optional_function("ntdll.dll", "wine_get_version") != NULL;
}

/* GetVersionEx answers 6.2 to a program without a manifest; RtlGetVersion tells the truth. */
struct system_version system_version(void)
{
    LONG(WINAPI * get_version)
    (OSVERSIONINFOW *) = (LONG(WINAPI *)(OSVERSIONINFOW *))(void *)optional_function("ntdll.dll", "RtlGetVersion");
    OSVERSIONINFOW info = {.dwOSVersionInfoSize = sizeof(info)};

    if (running_on_wine() || !get_version || get_version(&info)) return (struct system_version){0, 0};
    return (struct system_version){info.dwMajorVersion, info.dwMinorVersion};
}

static bool next_alternative(const char **rest, const char **text, size_t *length)
{
    const char *end;

    if (!*rest) return false;
    *text = *rest;
    end = strstr(*rest, alternative_separator);
    *length = end ? (size_t)(end - *rest) : strlen(*rest);
    *rest = end ? end + strlen(alternative_separator) : NULL;
    return true;
}

static bool equals(const char *text, size_t length, const char *observed)
{
    return strlen(observed) == length && !memcmp(text, observed, length);
}

/* An older answer is "MAJOR.MINOR:answer" and counts on Windows up to that version. */
static bool is_older_answer(const char *older, const char *observed, struct system_version version)
{
    const char *text;
    size_t length;

    while (next_alternative(&older, &text, &length)) {
        char *after = NULL;
        unsigned long major = strtoul(text, &after, 10);
        unsigned long minor = *after == '.' ? strtoul(after + 1, &after, 10) : 0;
        size_t skip = (size_t)(after + 1 - text);
        bool applies = version.major && (version.major < major || (version.major == major && version.minor <= minor));

        if (applies && length > skip && equals(text + skip, length - skip, observed)) return true;
    }
    return false;
}

bool is_windows_answer(const struct conformance_case *item, const char *observed, struct system_version version)
{
    const char *rest = item->windows;
    const char *text;
    size_t length;

    while (next_alternative(&rest, &text, &length))
        if (equals(text, length, observed)) return true;
    return is_older_answer(item->older, observed, version);
}

/* Finds the last line that starts with ID and a tab, and copies its value. */
static bool find_observation(const char *observations, const char *id, char *value, size_t size)
{
    size_t id_length = strlen(id);
    bool found = false;

    for (const char *line = observations; *line;) {
        size_t length = strcspn(line, "\r\n");

        if (length > id_length && !memcmp(line, id, id_length) && line[id_length] == '\t') {
            snprintf(value, size, "%.*s", (int)(length - id_length - 1), line + id_length + 1);
            found = true;
        }
        line += length;
        line += strspn(line, "\r\n");
    }
    return found;
}

static const char *wine_answer_name(enum wine_answer answer)
{
    static const char *const names[] = {"same", "needs-helper", "differs", "differs-8"};

    return names[answer];
}

static void expected_text(const struct conformance_case *item, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s%s", item->windows, item->older ? " [up to " : "", item->older ? item->older : "",
             item->older ? "]" : "");
}

/* Whether the group ran, and if not, or if it did not reach all of its cases, why. REASON holds OBSERVED_MAX bytes. */
static bool read_reason(const char *observations, const char *ended, char *reason)
{
    if (ended)
        snprintf(reason, OBSERVED_MAX, "%s", ended);
    else if (find_observation(observations, "-", reason, OBSERVED_MAX))
        return false;
    else if (!find_observation(observations, "*", reason, OBSERVED_MAX))
        strcpy(reason, "the group skipped it");
    return true;
}

static const char *verdict_name(bool ran, bool reached, bool same)
{
    if (same) return "same";
    if (reached) return "differs";
    return ran ? "not reached" : "not run";
}

void report_group(FILE *report, const struct conformance_group *group, const char *observations, const char *ended,
                  const char *label, struct tally *tally)
{
    struct system_version version = system_version();
    char reason[OBSERVED_MAX];
    const bool ran = read_reason(observations, ended, reason);

    for (size_t i = 0; i < group->case_count; i++) {
        const struct conformance_case *item = &group->cases[i];
        char expected[OBSERVED_MAX];
        char observed[OBSERVED_MAX];
        bool reached = find_observation(observations, item->id, observed, sizeof(observed));
        bool same = reached && is_windows_answer(item, observed, version);

        if (!reached) snprintf(observed, sizeof(observed), "%s (%s)", verdict_name(ran, false, false), reason);
        expected_text(item, expected, sizeof(expected));
        fprintf(report, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", item->id, item->source, expected, observed,
                verdict_name(ran, reached, same), wine_answer_name(item->wine), ARCHITECTURE, label);
        tally->total += reached || ran;
        tally->skipped += !reached && !ran;
        tally->same += same;
    }
    fflush(report);
}
