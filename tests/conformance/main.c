/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The conformance program: runs each group in a child process of itself, so that a crash or a hang costs that group
 * only, and writes one line a case. It needs nothing but Windows.
 */
#include "groups.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_MILLISECONDS 180000

static const struct conformance_group *const groups[] = {
    &packages_group,
    &logon_group,
    &names_group,
    &tables_group,
    &identity_group,
    &credentials_group,
    &negotiate_message_group,
    &challenge_group,
    &authenticate_group,
    &loopback_group,
    &flags_group,
    &unprotected_group,
    &signing_group,
    &sealing_group,
    &export_group,
    &impersonation_group,
    &spnego_package_group,
    &spnego_exchange_group,
    &spnego_attributes_group,
    &spnego_messages_group,
    &spnego_sealing_group,
    &spnego_lsa_group,
    &kerberos_package_group,
    &kerberos_exchange_group,
    &kerberos_flags_group,
    &kerberos_attributes_group,
    &kerberos_messages_group,
    &kerberos_wire_group,
    &kerberos_negotiate_group,
    &kerberos_user_to_user_group,
    &kerberos_export_group,
    &kerberos_impersonation_group,
    &schannel_credentials_group,
    &schannel_handshake_group,
    &schannel_exchange_group,
    &schannel_attributes_group,
    &schannel_material_group,
    &schannel_verify_group,
    &schannel_names_group,
    &schannel_trust_group,
    &schannel_revocation_group,
    &schannel_default_group,
    &schannel_stapled_group,
    &schannel_issuers_group,
    &schannel_cng_group,
    &schannel_ecdsa_group,
    &schannel_records_group,
    &schannel_control_group,
    &schannel_datagrams_group,
    &schannel_srtp_group,
    &schannel_extensions_group,
    &zero_handles_group,
    &invalid_handles_group,
    &deleted_handles_group,
};

struct options {
    const char *output; /* NULL: standard output */
    const char *label;
    char **names; /* the groups asked for */
    int name_count;
};

static const char usage[] =
    "usage: conformance [--output FILE] [--label NAME] [--list] [GROUP ...]\n"
    "Compares this system's SSPI with Windows. Writes one line a case, separated by tabs: case, source, expected,\n"
    "observed, verdict, what Wine's own DLLs are known to answer, architecture, label.\n"
    "  --output FILE  write there instead of to standard output\n"
    "  --label NAME   the last column (default: windows or wine, whichever this is)\n"
    "  --list         print the groups\n"
    "Exit status: 0 every case is as on Windows, 1 some are not, 2 wrong usage.\n";

/* Ends a child with the exception's code, which its parent wants, and no dialog, debugger or report. */
static LONG WINAPI end_with_code(EXCEPTION_POINTERS *exception)
{
    TerminateProcess(GetCurrentProcess(), exception->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

DWORD run_child(const char *program, const char *arguments, DWORD milliseconds)
{
    char command[3 * MAX_PATH];
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    DWORD code = WAIT_TIMEOUT;

    snprintf(command, sizeof(command), "\"%s\" %s", program, arguments);
    if (!CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) return GetLastError();
    if (WaitForSingleObject(process.hProcess, milliseconds) == WAIT_OBJECT_0)
        GetExitCodeProcess(process.hProcess, &code);
    else
        TerminateProcess(process.hProcess, WAIT_TIMEOUT);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return code;
}

static const struct conformance_group *find_group(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        if (!strcmp(groups[i]->name, name)) return groups[i];
    return NULL;
}

/* Child process: observe one group. */
static int observe_group(const char *program, const char *name, const char *path)
{
    struct conformance_run run = {.group = find_group(name), .program = program};

    if (!run.group || !(run.observations = fopen(path, "w"))) return 2;
    if (!(run.seen = calloc(run.group->case_count, sizeof(bool)))) return 2;
    run.group->run(&run);
    free(run.seen);
    return fclose(run.observations) ? 2 : 0;
}

/* Child process: one call that should not return. */
static int raise_call(const char *id)
{
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        for (size_t j = 0; j < groups[i]->raising_count; j++)
            if (!strcmp(groups[i]->raising[j].id, id)) {
                groups[i]->raising[j].call();
                return 0;
            }
    return 2;
}

/* The whole file as text; empty when it cannot be read. The caller frees it. */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 1 << 20;
    char *text = calloc(1, capacity);
    size_t length;

    if (file && text) {
        length = fread(text, 1, capacity - 1, file);
        text[length] = 0;
    }
    if (file) fclose(file);
    return text;
}

/* NULL for a child that ran to its end. TEXT holds SIZE bytes. */
static const char *describe_end(DWORD code, char *text, size_t size)
{
    if (!code) return NULL;
    if (code == WAIT_TIMEOUT)
        snprintf(text, size, "the group did not end");
    else
        snprintf(text, size, "the group ended with 0x%08lx", code);
    return text;
}

static void run_group(FILE *report, const char *program, const struct conformance_group *group, const char *label,
                      struct tally *tally)
{
    char folder[MAX_PATH], path[MAX_PATH], arguments[2 * MAX_PATH], text[64];
    const char *ended;
    char *observations;

    GetTempPathA(sizeof(folder), folder);
    GetTempFileNameA(folder, "sec", 0, path);
    snprintf(arguments, sizeof(arguments), "--observe %s \"%s\"", group->name, path);
    ended = describe_end(run_child(program, arguments, GROUP_MILLISECONDS), text, sizeof(text));
    observations = read_text(path);
    report_group(report, group, observations ? observations : "", ended, label, tally);
    free(observations);
    DeleteFileA(path);
}

static bool is_wanted(const struct options *options, const char *name)
{
    for (int i = 0; i < options->name_count; i++)
        if (!strcmp(options->names[i], name)) return true;
    return !options->name_count;
}

static int run_all(const char *program, const struct options *options)
{
    FILE *report = options->output ? fopen(options->output, "w") : stdout;
    const char *label = options->label ? options->label : running_on_wine() ? "wine" : "windows";
    struct tally tally = {0};

    if (!report) {
        fprintf(stderr, "conformance: cannot write %s\n", options->output);
        return 2;
    }
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        if (is_wanted(options, groups[i]->name)) run_group(report, program, groups[i], label, &tally);
    if (options->output && fclose(report)) return 2;
    fprintf(stderr, "%s %u of %u, %u not run\n", label, tally.same, tally.total, tally.skipped);
    return tally.same == tally.total ? 0 : 1;
}

static int list_groups(void)
{
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        printf("%s\t%u cases\n", groups[i]->name, (unsigned)groups[i]->case_count);
    return 0;
}

static int wrong_usage(void)
{
    fputs(usage, stderr);
    return 2;
}

static bool groups_exist(const struct options *options)
{
    for (int i = 0; i < options->name_count; i++)
        if (!find_group(options->names[i])) {
            fprintf(stderr, "conformance: no group %s\n", options->names[i]);
            return false;
        }
    return true;
}

static int parse_and_run(const char *program, int count, char **arguments)
{
    struct options options = {0};
    int i = 0;

    for (; i < count && arguments[i][0] == '-'; i++) {
        if (!strcmp(arguments[i], "--list")) return list_groups();
        if (!strcmp(arguments[i], "--output") && i + 1 < count)
            options.output = arguments[++i];
        else if (!strcmp(arguments[i], "--label") && i + 1 < count)
            options.label = arguments[++i];
        else
            return wrong_usage();
    }
    options.names = arguments + i;
    options.name_count = count - i;
    return groups_exist(&options) ? run_all(program, &options) : 2;
}

int main(int argc, char **argv)
{
    char program[MAX_PATH];

    GetModuleFileNameA(NULL, program, sizeof(program));
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    SetUnhandledExceptionFilter(end_with_code);
    if (argc == 4 && !strcmp(argv[1], "--observe")) return observe_group(program, argv[2], argv[3]);
    if (argc == 3 && !strcmp(argv[1], "--raise")) return raise_call(argv[2]);
    return parse_and_run(program, argc - 1, argv + 1);
}
