/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The native benchmark: `main NAME...` prints the rows of each NAME, tab-separated. tools/bench makes the table.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(const char *name);
} benchmarks[] = {
    {"ntlm-seal", bench_messages},
    {"ntlm-unseal", bench_messages},
    {"ntlm-sign", bench_messages},
    {"ntlm-verify", bench_messages},
    {"ntlm-handshake", bench_handshake},
    {"context-memory", bench_context_memory},
    {"native-call", bench_native_call},
    {"negotiate-handshake", bench_handshake},
    {"negotiate-seal", bench_messages},
    {"kerberos-handshake", bench_handshake},
    {"kerberos-seal", bench_messages},
    {"kerberos-unseal", bench_messages},
    {"kerberos-sign", bench_messages},
    {"kerberos-verify", bench_messages},
    {"kerberos-two-contexts", bench_two_contexts},
    {"schannel-encrypt-12-128", bench_messages},
    {"schannel-decrypt-12-128", bench_messages},
    {"schannel-encrypt-12-256", bench_messages},
    {"schannel-decrypt-12-256", bench_messages},
    {"schannel-encrypt-13-128", bench_messages},
    {"schannel-decrypt-13-128", bench_messages},
    {"schannel-encrypt-13-256", bench_messages},
    {"schannel-decrypt-13-256", bench_messages},
    {"schannel-handshake-12", bench_handshake},
    {"schannel-handshake-13", bench_handshake},
    {"schannel-resume-12", bench_handshake},
    {"schannel-resume-13", bench_handshake},
};

static bool run(const char *name)
{
    for (size_t i = 0; i < sizeof benchmarks / sizeof *benchmarks; i++)
        if (!strcmp(name, benchmarks[i].name)) {
            benchmarks[i].run(name);
            return true;
        }
    fprintf(stderr, "bench: no benchmark \"%s\"\n", name);
    return false;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!run(argv[i])) return 2;
    return 0;
}
