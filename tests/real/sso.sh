# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# node-expose-sspi's own middleware, which acts as its clients. It wants the SID of each by its name, and of accounts
# Wine's LookupAccountName finds one, the Unix user's, whose domain is the machine (which Wine 8.0 passes over): so
# users and realms are called that here. Source it after world.sh and realm.sh.
# shellcheck disable=SC2034,SC2154

sso_password='Password of 20'

# sso_curl USERS CACHE: whom sso_server.js says that curl is, with an NTLM account of the file, or tickets of the
# cache: the code and the user.
sso_curl() {
    local body=$world/curl.json
    rm -f "$body"
    NTLM_USER_FILE=$1 KRB5CCNAME=$2 curl --silent --show-error --max-time 30 --noproxy '*' --negotiate --user : \
        --output "$body" --write-out '%{http_code} ' "http://localhost:$port/"
    sed -n 's/.*"user":{"domain":"\([^"]*\)","name":"\([^"]*\)".*"groups":\[[^]]*Everyone".*/\1\\\2/p' "$body"
}

# sso_machine: the machine's name, as NTLM says it.
sso_machine() { hostname | cut -d . -f 1 | cut -c 1-15 | tr '[:lower:]' '[:upper:]'; }

# sso_curl_ntlm PASSWORD: as the Unix user, whose account the file of gss-ntlmssp's has.
sso_curl_ntlm() {
    local -x KRB5_CONFIG=/dev/null
    printf '%s:%s:%s\n' "$(sso_machine)" "$(id -un)" "$1" >"$world/sso_users"
    sso_curl "$world/sso_users" FILE:/nonexistent/tickets
}

run_sso() {
    local server_pid port   # not those of the server that the other parts share
    progress 'a Windows server that acts as its clients, with NTLM'
    account_line "$(id -un)" "$sso_password" >>"$COUNTERSIGN_ACCOUNTS"
    start_server sso_server.js
    run_script sso.js "$port" NTLM "$(id -un)" "$sso_password"
    check 'sso.auth(), curl, NTLM: 200, the user and groups' is "200 $(sso_machine)\\$(id -un)" \
        sso_curl_ntlm "$sso_password"
    check 'sso.auth(), curl, NTLM, a wrong password: 401' is '401 ' sso_curl_ntlm wrong
    check 'the server ran to the end' stop_server
}

run_sso-kerberos() {
    local server_pid port cached_name realm_name realm_account_name=frank
    local world=$world/sso   # a realm of its own, which is called as the machine is
    cached_name=$(id -un) realm_name=$(sso_machine).TEST
    progress 'a Windows server that acts as its clients, with Kerberos'
    mkdir -p "$world"
    start_realm
    in_realm start_server sso_server.js
    in_realm run_script sso.js "$port" Kerberos "$cached_name" "password of $cached_name"
    check 'sso.auth(), curl, tickets: 200, the user and groups' is "200 $(sso_machine)\\$cached_name" \
        in_realm sso_curl /nonexistent/users "FILE:$world/realm/ccache"
    check 'sso.auth(), curl, no tickets: 401' is '401 ' in_realm sso_curl /nonexistent/users FILE:/nonexistent/tickets
    check 'the server ran to the end' stop_server
    stop_realm
}
