# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# libcurl and libpq as they are built for Windows, over Schannel and SSPI: sentry-cli, which has a libcurl inside, and
# the DLLs that come with PostgreSQL for Windows. Source it after https.sh and postgres.sh.
# shellcheck disable=SC2154

# The last of each that runs on Wine 8.0, which lacks what later ones import (bcryptprimitives.dll, or a function of
# ntdll's).
sentry_package=@sentry/cli-win32-x64@2.31.0
libraries_package=@embedded-postgres/windows-x64@15.18.0-beta.17

fetch_sentry() { sentry_cli=$(fetch_programs "$sentry_package")/@sentry/cli-win32-x64/bin/sentry-cli.exe; }

# fetch_libraries: sets libraries, the folder of the DLLs, as Windows programs name it.
fetch_libraries() {
    libraries=Z:$(fetch_programs "$libraries_package")/@embedded-postgres/windows-x64/native/bin
    libraries=${libraries//\//\\}
}

# A file of certificates that the environment names would be taken in place of the prefix's stores.
without_certificate_files() (
    unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE
    "$@"
)

# sentry_says PORT TEXT: what sentry-cli prints of the server there has TEXT.
sentry_says() {
    local output
    output=$(without_certificate_files wine_run "$sentry_cli" --url "https://localhost:$1" --auth-token x info 2>&1) ||
        true
    [[ $output == *"$2"* ]] || { printf '%s\n' "$output"; return 1; }
}

# libcurl_gets URL [WORD]: what libcurl_get prints.
libcurl_gets() {
    without_certificate_files wine_run "$build/tests/real/x86_64/libcurl_get.exe" "$libraries" "$@" | tr -d '\r'
}

# libcurl_refuses PORT TEXT [WORD]: it ends with an error whose text has TEXT.
libcurl_refuses() {
    local line
    line=$(libcurl_gets "https://localhost:$1/big" "${@:3}")
    [[ $line == 'error '*"$2"* ]] || { echo "got \"$line\""; return 1; }
}

# windows_build: which build of Windows the prefix's programs see.
windows_build() {
    sed -n '/^"CurrentBuildNumber"=/{s/.*="\([0-9]*\)".*/\1/p;q}' "$WINEPREFIX/system.reg"
}

# become_windows NUMBER: another build.
become_windows() {
    local key='HKLM\Software\Microsoft\Windows NT\CurrentVersion'
    wine_run reg add "$key" /v CurrentBuild /d "$1" /f && wine_run reg add "$key" /v CurrentBuildNumber /d "$1" /f
}

# On Windows 10 libcurl names TLS 1.2 at most, and from 11 on TLS 1.3 in SCH_CREDENTIALS.
run_libcurl_clients() {
    local build_before
    build_before=$(windows_build)
    fetch_sentry
    fetch_libraries
    mkdir -p "$world/https/files/api/0"
    echo '{"version":"0","user":{"id":"1","email":"erin@example.test"},"auth":{"scopes":["org:read"]}}' \
        >"$world/https/files/api/0/index.json"
    check 'sentry-cli, TLS 1.2 alone' sentry_says "$https_12" erin@example.test
    check 'sentry-cli, an unknown issuer' sentry_says "$https_unknown" SEC_E_UNTRUSTED_ROOT
    check 'sentry-cli, a certificate for another name' sentry_says "$https_elsewhere" SEC_E_WRONG_PRINCIPAL
    check 'the prefix becomes Windows 11' become_windows 22000
    check 'sentry-cli on Windows 11, TLS 1.3 alone' sentry_says "$https_13" erin@example.test
    check 'libcurl on Windows 11, TLS 1.3 alone, 8 MB' is "$(whole)" libcurl_gets "https://localhost:$https_13/big"
    check 'libcurl on Windows 11, TLS 1.2 alone, 8 MB' is "$(whole)" libcurl_gets "https://localhost:$https_12/big"
    check 'libcurl, an unknown issuer' libcurl_refuses "$https_unknown" SEC_E_UNTRUSTED_ROOT
    check 'libcurl, a certificate for another name' libcurl_refuses "$https_elsewhere" SEC_E_WRONG_PRINCIPAL
    # As on Windows, where libcurl wants to know and a certificate names no list.
    check 'libcurl, whether a certificate is revoked' libcurl_refuses "$https_13" CRYPT_E_NO_REVOCATION_CHECK revocation
    check 'and what it was before' become_windows "$build_before"
}

run_libcurl-kerberos-negotiate() {
    progress 'libcurl for Windows against Apache in a Kerberos realm, with Negotiate'
    start_realm
    start_apache krb5
    fetch_libraries
    check 'libcurl, Negotiate, with tickets: 200 and the user' is "200 $cached_name@$realm_name" \
        in_realm libcurl_gets "http://localhost:$apache_port/index.html" :
    check 'libcurl, Negotiate, a password: 200 and the user' is "200 $realm_account_name@$realm_name" \
        in_realm libcurl_gets "http://localhost:$apache_port/index.html" \
        "$realm_name\\$realm_account_name:$realm_account_password"
    check 'libcurl, Negotiate, a wrong password: 401' is '401 ' \
        in_realm libcurl_gets "http://localhost:$apache_port/index.html" "$realm_name\\$realm_account_name:wrong"
    stop_apache
}

# libpq_logs_on ROLE: what libpq_logon prints.
libpq_logs_on() {
    wine_run "$build/tests/real/x86_64/libpq_logon.exe" "$libraries" "$postgres_port" "$1" | tr -d '\r' |
        grep -E '^(session|error) '
}

# libpq_refused ROLE TEXT: it is not let in, and says TEXT.
libpq_refused() {
    local line
    line=$(libpq_logs_on "$1")
    [[ $line == 'error '*"$2"* ]] || { echo "got \"$line\""; return 1; }
}

run_libpq-kerberos() {
    progress 'libpq for Windows against PostgreSQL in a Kerberos realm'
    start_realm
    fetch_libraries
    start_postgres "$cached_name" "$realm_account_name"
    check 'libpq, with tickets: the user' is "session $cached_name" in_realm libpq_logs_on "$cached_name"
    check "libpq, as another user than the tickets'" in_realm libpq_refused "$realm_account_name" \
        "GSSAPI authentication failed for user \"$realm_account_name\""
    check 'PostgreSQL said whose tickets they were' postgres_said 1 \
        "provided user name ($realm_account_name) and authenticated user name ($cached_name) do not match"
    check 'libpq, without tickets' libpq_refused "$cached_name" 'SSPI error 8009030e'
    stop_postgres
}

# start_windows_postgres: PostgreSQL for Windows, which knows its clients by SSPI alone; sets postgres_port. Its own
# postgres.exe refuses to run with an administrator's token, and pg_ctl.exe takes that away. initdb takes most of a
# minute on Wine.
start_windows_postgres() {
    local dir=$world/windows_postgres
    mkdir -p "$dir"
    if ! timeout --kill-after=5 300 "${utf8_wine[@]}" "$libraries\\initdb.exe" -D "Z:$dir/data" -U "$(id -un)" \
            --auth=reject --no-sync --no-locale --encoding=UTF8 >"$dir/output" 2>&1 </dev/null; then
        cat "$dir/output" >&2
        die 'PostgreSQL could not make a database'
    fi
    postgres_port=$((20000 + RANDOM % 10000))
    echo 'host all all 127.0.0.1/32 sspi include_realm=0' >"$dir/data/pg_hba.conf"
    printf '%s\n' "port = $postgres_port" "listen_addresses = '127.0.0.1'" 'fsync = off' >>"$dir/data/postgresql.conf"
    wine_run "$libraries\\pg_ctl.exe" -D "Z:$dir/data" -l "Z:$dir/log" -W start >"$dir/output"
    for _ in {1..300}; do
        ! grep -qs 'ready to accept connections' "$dir/log" || return 0
        sleep 0.1
    done
    cat "$dir/output" "$dir/log" >&2
    die 'PostgreSQL did not start'
}

stop_windows_postgres() {
    wine_run "$libraries\\pg_ctl.exe" -D "Z:$world/windows_postgres/data" -m fast stop >/dev/null
}

run_libpq() {
    local name
    name=$(id -un)
    progress 'libpq for Windows against PostgreSQL for Windows, as one user'
    fetch_libraries
    start_windows_postgres
    check 'libpq, default credentials: the user' is "session $name" libpq_logs_on "$name"
    check 'libpq, default credentials, as another user' libpq_refused nobody \
        'SSPI authentication failed for user "nobody"'
    check 'PostgreSQL for Windows said who it was' grep -F \
        "provided user name (nobody) and authenticated user name ($name) do not match" "$world/windows_postgres/log"
    check 'PostgreSQL for Windows ran to the end' stop_windows_postgres
}
