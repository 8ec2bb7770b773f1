/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Kerberos realm of the test's own.
 */
#include "realm.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/countersign-realm-XXXXXX";
static int watcher = -1; /* to the process that watches over the KDC; -1: none */

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
    char command[2048];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    if (size < (int)sizeof command && system(command) == 0) return;
    fprintf(stderr, "tests/support/realm: failed: %s\n", command);
    abort();
}

const char *realm_path(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void point(const char *variable, const char *prefix, const char *name)
{
    char value[160];
    snprintf(value, sizeof value, "%s%s", prefix, realm_path(name));
    setenv(variable, value, 1);
}

/* The KDC is nobody's child: a process that sees this one end, however it does, ends the KDC after it. */
static void start_watcher(void)
{
    int ends[2];
    char byte;
    if (pipe2(ends, O_CLOEXEC)) abort();
    const pid_t child = fork();
    if (child < 0) abort();
    if (child) {
        close(ends[0]);
        watcher = ends[1];
        return;
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) == 0) realm_end();
    _exit(0);
}

void realm_start(const char *options)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (!mkdtemp(folder)) abort();
    start_watcher();
    run("'" TOOLS "/realm' --dir %s/realm start --until %d %s >/dev/null", folder, (int)getpid(), options);
    point("KRB5_CONFIG", "", "realm/krb5.conf");
    point("KRB5CCNAME", "FILE:", "realm/ccache");
    point("KRB5_KTNAME", "FILE:", "realm/keytab");
    point("COUNTERSIGN_REPLAY_CACHE", "", "replays");
}

void realm_start_peopled(const char *options)
{
    realm_start(options);
    realm_add_user("user", "Password");
    realm_add_service("HTTP/server.example.test");
}

struct pair_setup realm_setup(void)
{
    return (struct pair_setup){
        .user = "user",
        .domain = "EXAMPLE.TEST",
        .password = "Password",
        .target = "HTTP/server.example.test",
        .client_request = ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT,
        .server_request = ASC_REQ_CONFIDENTIALITY,
    };
}

struct pair_setup realm_setup_user_to_user(void)
{
    struct pair_setup setup = realm_setup();
    setup.target = "peer@EXAMPLE.TEST";
    setup.server_user = "peer";
    setup.server_domain = "EXAMPLE.TEST";
    setup.server_password = "Secret";
    setup.client_request |= ISC_REQ_USE_SESSION_KEY;
    return setup;
}

static bool has_other(void)
{
    return !access(realm_path("other/port"), F_OK);
}

void realm_end(void)
{
    if (watcher >= 0 && (write(watcher, "", 1) != 1 || close(watcher))) abort();
    watcher = -1;
    if (has_other()) run("'" TOOLS "/realm' --dir %s/other stop --remove >/dev/null", folder);
    run("'" TOOLS "/realm' --dir %s/realm stop --remove >/dev/null && rm -r %s", folder, folder);
}

/* The key that both KDCs have for users of FROM who come to TO. */
static void trust(const char *from, const char *to)
{
    const char *const folders[] = {"realm", "other"};
    for (int i = 0; i < 2; i++)
        run("'" TOOLS "/realm' --dir %s/%s kadmin add --use-defaults --password=Trust krbtgt/%s@%s >/dev/null", folder,
            folders[i], to, from);
}

void realm_start_other(void)
{
    run("'" TOOLS "/realm' --dir %s/other start --realm OTHER.TEST --until %d >/dev/null", folder, (int)getpid());
    trust("EXAMPLE.TEST", "OTHER.TEST");
    trust("OTHER.TEST", "EXAMPLE.TEST");
    run("printf '[realms]\\n    OTHER.TEST = {\\n        kdc = 127.0.0.1:%%s\\n    }\\n' \"$(cat %s/other/port)\" "
        ">>\"$KRB5_CONFIG\"",
        folder);
}

void realm_other_add_user(const char *name, const char *password)
{
    run("printf '%%s\\n' '%s' | '" TOOLS "/realm' --dir %s/other add-user '%s'", password, folder, name);
}

void realm_other_add_service(const char *name)
{
    run("'" TOOLS "/realm' --dir %s/other add-service %s", folder, name);
}

void realm_other_pause(void)
{
    run("'" TOOLS "/realm' --dir %s/other stop >/dev/null", folder);
}

void realm_pause(void)
{
    run("'" TOOLS "/realm' --dir %s/realm stop >/dev/null", folder);
}

void realm_resume(void)
{
    run("'" TOOLS "/realm' --dir %s/realm start --until %d >/dev/null", folder, (int)getpid());
}

void realm_add_user(const char *name, const char *password)
{
    run("printf '%%s\\n' '%s' | '" TOOLS "/realm' --dir %s/realm add-user '%s'", password, folder, name);
}

void realm_add_service(const char *arguments)
{
    run("'" TOOLS "/realm' --dir %s/realm add-service %s", folder, arguments);
}

void realm_kadmin(const char *arguments)
{
    run("'" TOOLS "/realm' --dir %s/realm kadmin %s >/dev/null", folder, arguments);
}

void realm_configure(const char *lines)
{
    FILE *file = fopen(getenv("KRB5_CONFIG"), "a");
    if (!file || fputs(lines, file) < 0 || fclose(file)) abort();
}

static void kinit(const char *user, const char *password, const char *option)
{
    run("printf '%%s\\n' '%s' | kinit.heimdal --password-file=STDIN %s '%s' >/dev/null", password, option, user);
}

void realm_kinit(const char *user, const char *password)
{
    kinit(user, password, "--forwardable");
}

void realm_kinit_unforwardable(const char *user, const char *password)
{
    kinit(user, password, "--no-forwardable");
}

void realm_kdestroy(void)
{
    unlink(realm_path("realm/ccache"));
}
