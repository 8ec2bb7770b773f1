# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# An Apache of the test's own with mod_auth_gssapi and one mechanism: NTLM, by MIT's SPNEGO over gss-ntlmssp, or MIT's
# Kerberos, which takes SPNEGO around it too. Source it after realm.sh.
# shellcheck disable=SC2154

# For commands with no realm, ticket or key, whose SPNEGO then has NTLM alone to offer. An array, so that $! is theirs.
without_kerberos=(env KRB5_CONFIG=/dev/null KRB5CCNAME=FILE:/nonexistent/tickets KRB5_KTNAME=FILE:/nonexistent/keys)

# apache_configuration DIR PORT MECHANISM [CERTIFICATE]: the header of an answer says who has logged on. With
# CERTIFICATE, the path of a .pem and a .key without their ends, it speaks TLS.
apache_configuration() {
    local module modules=/usr/lib/apache2/modules
    for module in mpm_event authn_core authz_core authz_user auth_gssapi headers; do
        printf 'LoadModule %s_module %s/mod_%s.so\n' "$module" "$modules" "$module"
    done
    [ -z "${4-}" ] || printf 'LoadModule ssl_module %s/mod_ssl.so\nSSLEngine on\nSSLSessionCache none\n' "$modules"
    [ -z "${4-}" ] || printf 'SSLCertificateFile %s.pem\nSSLCertificateKeyFile %s.key\n' "$4" "$4"
    [ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n'
    cat <<END
ServerRoot "$1"
ServerName localhost
Listen 127.0.0.1:$2
PidFile "$1/pid"
DefaultRuntimeDir "$1"
ErrorLog "$1/log"
KeepAlive On
DocumentRoot "$1/pages"
<Directory "$1/pages">
    AuthType GSSAPI
    AuthName test
    GssapiAllowedMech $3
    GssapiConnectionBound On
    Require valid-user
    Header set X-User "expr=%{REMOTE_USER}"
</Directory>
END
}

# start_apache MECHANISM [CERTIFICATE]: ntlmssp, for the account, or krb5, in the realm; sets apache_pid and apache_port.
start_apache() {
    local dir=$world/apache server
    mkdir -p "$dir/pages"
    echo '{}' >"$dir/pages/index.html"
    if [ "$1" = krb5 ]; then
        serve_realm "$dir" HTTP/localhost
        set_realm_server "$dir"
        server=("${realm_server[@]}")
    else
        (umask 077; printf '%s:%s:%s\n' "$apache_domain" "$account_name" "$account_password" >"$dir/users")
        server=("${without_kerberos[@]}" NTLM_USER_FILE="$dir/users")
    fi
    if [ "$(id -u)" -eq 0 ]; then
        chmod 711 "$world"   # for Apache's processes, which are not root's
        chown -R www-data "$dir"
    fi
    for _ in {1..5}; do
        apache_port=$((20000 + RANDOM % 10000))
        apache_configuration "$dir" "$apache_port" "$1" "${2-}" >"$dir/conf"
        "${server[@]}" /usr/sbin/apache2 -f "$dir/conf" -D FOREGROUND >"$dir/output" 2>&1 </dev/null &
        apache_pid=$!
        ! wait_for_apache || return 0
    done
    cat "$dir/output" "$dir/log" >&2
    die 'Apache did not start'
}

# wait_for_apache: false if it ends instead, as it does if another has its port.
wait_for_apache() {
    for _ in {1..100}; do
        kill -0 "$apache_pid" 2>/dev/null || return 1
        if [ -s "$world/apache/pid" ] && (: <>"/dev/tcp/127.0.0.1/$apache_port") 2>/dev/null; then
            return 0
        fi
        sleep 0.1
    done
    stop_apache
    return 1
}

stop_apache() {
    [ -n "${apache_pid-}" ] || return 0
    kill "$apache_pid" 2>/dev/null || true
    wait "$apache_pid" 2>/dev/null || true
    apache_pid=
}
