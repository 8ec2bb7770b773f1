# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A realm of the tests' own, by tools/realm: a user whose tickets are in a cache, one with a password, and services on
# localhost. Source it after world.sh.
# shellcheck disable=SC2034,SC2154

cached_name=erin
realm_account_name=frank
realm_account_password='Password of 19'
realm_name=EXAMPLE.TEST
realm_services=(HTTP/localhost postgres/localhost test/localhost)

realm() { "${tools_dir:?}/realm" --dir "$world/realm" "$@"; }

# in_realm COMMAND...: with the realm, the cache and the keytab of all services.
in_realm() {
    local -x KRB5_CONFIG=$world/realm/krb5.conf KRB5_KTNAME=FILE:$world/realm/keytab
    local -x KRB5CCNAME=FILE:$world/realm/ccache COUNTERSIGN_REPLAY_CACHE=$world/replays
    "$@"
}

# start_realm: unless it runs.
start_realm() {
    local service
    [ ! -e "$world/realm/port" ] || return 0
    realm start --realm "$realm_name" --until $$ >/dev/null
    realm add-user "$cached_name" <<<"password of $cached_name"
    realm add-user "$realm_account_name" <<<"$realm_account_password"
    for service in "${realm_services[@]}"; do
        realm add-service "$service"
    done
    realm kadmin add --use-defaults --random-key gone/localhost   # a service whose key is in no keytab
    in_realm kinit.heimdal --password-file=STDIN "$cached_name" <<<"password of $cached_name" >/dev/null
}

stop_realm() {
    [ ! -e "$world/realm/port" ] || realm stop --remove >/dev/null
}

# serve_realm DIR SERVICE: krb5.conf and that service's keytab in DIR, for a server that is another user's.
serve_realm() {
    rm -f "$1/keytab"
    cp "$world/realm/krb5.conf" "$1/krb5.conf"
    realm kadmin ext_keytab --keytab="FILE:$1/keytab" "$2"
}

# set_realm_server DIR: sets realm_server, the words before the command of such a server, over MIT's GSS-API. An array,
# so that $! is the server.
set_realm_server() {
    realm_server=(env "KRB5_CONFIG=$1/krb5.conf" "KRB5_KTNAME=FILE:$1/keytab" "KRB5RCACHENAME=file2:$1/replays"
                  KRB5CCNAME=FILE:/nonexistent/tickets)
}
