# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# An nginx of the test's own, with certificates that the test makes: a server for each version of TLS, and such as nobody
# should talk to. Source it after postgres.sh, whose way with Debian's packages it shares.
# shellcheck disable=SC2154

https_pid=''

# find_nginx: sets nginx. Debian's package would start a server of the system's: unless it is installed, it is unpacked.
find_nginx() {
    local cached
    cached=$(cache_dir)/nginx
    for nginx in /usr/sbin/nginx "$cached/usr/sbin/nginx"; do
        [ ! -x "$nginx" ] || ! "$nginx" -v >/dev/null 2>&1 || return 0
    done
    # shellcheck disable=SC2046 # names of packages, to be split
    need_packages $(libraries_of nginx)
    unpack_package nginx "$cached"
}

# make_certificate NAME SUBJECT ISSUER [USE [KEY...]]: NAME.pem and NAME.key, by the authority ISSUER, for a server or
# what else USE says; KEY: openssl's words for the kind of key.
make_certificate() {
    local name=$1 subject=$2 issuer=$3 use=${4:-serverAuth} key=("${@:5}")
    [ "${#key[@]}" -gt 0 ] || key=(rsa:2048)
    openssl req -newkey "${key[@]}" -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$subject" 2>/dev/null
    openssl x509 -req -in "$name.csr" -CA "$issuer.pem" -CAkey "$issuer.key" -CAcreateserial -out "$name.pem" \
        -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=%s\n' "$subject" "$use") \
        -days 30 2>/dev/null
}

make_authority() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -subj "/CN=$1" -days 30 2>/dev/null
}

# make_pfx NAME: the same in NAME.pfx, as Wine reads it.
make_pfx() {
    openssl pkcs12 -export -in "$1.pem" -inkey "$1.key" -out "$1.pfx" -passout pass:https -macalg sha1 \
        -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES
}

# server_block NAME PORT PROTOCOL [DIRECTIVE...]: with the certificate of that name.
server_block() {
    printf 'server {\n listen 127.0.0.1:%d ssl;\n ssl_certificate %s.pem;\n ssl_certificate_key %s.key;\n' \
        "$2" "$1" "$1"
    [ $# -lt 4 ] || printf ' %s;\n' "${@:4}"
    printf ' ssl_protocols %s;\n root files;\n location = /suite { return 200 "$ssl_cipher"; }\n}\n' "$3"
}

# free_https_port: beyond those that were given before.
free_https_port() {
    while :; do
        https_last=$((https_last + 1))
        (exec 3<>"/dev/tcp/127.0.0.1/$https_last") 2>/dev/null || break
    done
    echo "$https_last"
}

# start_https: sets https_13, https_12, https_unknown, https_elsewhere, https_asks12, https_asks13, the ports.
start_https() {
    local name asks=('ssl_verify_client on' 'ssl_client_certificate trusted.pem')
    https_last=$((30000 + RANDOM % 5000))
    mkdir -p "$world/https/files"
    cd "$world/https" || exit
    find_nginx
    make_authority trusted
    make_authority unknown
    make_certificate good localhost trusted
    make_certificate stranger localhost unknown
    make_certificate elsewhere other.example trusted
    make_certificate curve localhost trusted serverAuth ec -pkeyopt ec_paramgen_curve:P-384
    make_certificate visitor visitor.example trusted clientAuth
    make_certificate intruder visitor.example unknown clientAuth
    make_pfx visitor
    make_pfx intruder
    openssl x509 -in trusted.pem -outform DER -out trusted.der
    head -c 8388608 /dev/urandom >files/big
    for name in 13 12 unknown asks12 asks13 elsewhere; do
        free_https_port >/dev/null
        printf -v "https_$name" '%s' "$https_last"
    done
    {
        echo 'daemon off; pid nginx.pid; error_log error.log; worker_processes 1;'
        [ "$(id -u)" -ne 0 ] || echo 'user root;'
        printf 'events {}\nhttp {\n access_log off; default_type text/plain;\n'
        printf ' index index.json; types { application/json json; }\n'
        printf ' %s_temp_path %s;\n' client_body b proxy p fastcgi f uwsgi u scgi s
        server_block good "$https_13" TLSv1.3
        server_block good "$https_12" TLSv1.2
        server_block stranger "$https_unknown" 'TLSv1.2 TLSv1.3'
        server_block curve "$https_asks12" TLSv1.2 "${asks[@]}"
        server_block curve "$https_asks13" TLSv1.3 "${asks[@]}"
        server_block elsewhere "$https_elsewhere" 'TLSv1.2 TLSv1.3'
        echo '}'
    } >nginx.conf
    "$nginx" -p "$PWD" -e error.log -c nginx.conf </dev/null >nginx.out 2>&1 &
    https_pid=$!
    cd "$OLDPWD" || exit
    for _ in {1..100}; do
        ! (exec 3<>"/dev/tcp/127.0.0.1/$https_elsewhere") 2>/dev/null || return 0
        sleep 0.05
    done
    cat "$world/https/nginx.out" "$world/https/error.log" >&2
    die 'nginx did not start'
}

stop_https() {
    [ -n "$https_pid" ] || return 0
    kill "$https_pid" 2>/dev/null || true
    wait "$https_pid" 2>/dev/null || true
    https_pid=''
}

# gets CLIENT HOST PORT [CERTIFICATE]: what https_get prints.
gets() {
    local folder="Z:${world//\//\\}\\https"
    wine_run "$build/tests/real/$arch/https_get.exe" "$1" "$2" "$3" /big ${4+"$folder\\$4.pfx"} | tr -d '\r'
}

# refuses CLIENT HOST PORT: it ends with an error, and nothing was fetched.
refuses() {
    local line
    line=$(gets "$@")
    [[ $line == 'error '* ]] || { echo "got \"$line\""; return 1; }
}

# whole: what a client is to print of the file.
whole() {
    /usr/bin/python3 -c 'import sys, zlib
data = open(sys.argv[1], "rb").read()
print(200, len(data), f"{zlib.adler32(data):08x}")' "$world/https/files/big"
}

run_https_clients() {
    local client
    for client in winhttp wininet; do
        check "$client, TLS 1.3 alone, 8 MB ($arch)" is "$(whole)" gets "$client" localhost "$https_13"
        check "$client, TLS 1.2 alone, 8 MB ($arch)" is "$(whole)" gets "$client" localhost "$https_12"
        check "$client, an unknown issuer ($arch)" refuses "$client" localhost "$https_unknown"
        check "$client, a certificate for another name ($arch)" refuses "$client" localhost "$https_elsewhere"
    done
}

# The servers' own keys are of ECDSA, P-384. Wine's WinHTTP goes no further once it is told that a certificate is wanted
# (SEC_I_INCOMPLETE_CREDENTIALS), which it is for one from nobody that the server names, too.
run_client_certificates() {
    local version port
    for version in 12 13; do
        port=https_asks$version
        check "winhttp, a client's certificate, TLS 1.${version#1} ($arch)" is "$(whole)" gets winhttp localhost \
            "${!port}" visitor
        check "winhttp, no client's certificate, TLS 1.${version#1} ($arch)" refuses winhttp localhost "${!port}"
        check "winhttp, one of an unknown issuer, TLS 1.${version#1} ($arch)" refuses winhttp localhost \
            "${!port}" intruder
    done
}

# On Windows both leave it to their programs; Wine's look at the server's certificate once the handshake is through, so
# that anybody would be shown the user's.
run_own_certificates() {
    local client version port
    check "a certificate of the user's own ($arch)" wine_run "$build/tests/real/$arch/https_get.exe" own \
        "Z:${world//\//\\}\\https\\visitor.pfx"
    for client in winhttp wininet; do
        for version in 12 13; do
            port=https_asks$version
            check "$client shows none of the user's unasked, TLS 1.${version#1} ($arch)" refuses "$client" localhost \
                "${!port}"
        done
    done
}

# suite_name NAME: what https_get prints of it.
suite_name() { /usr/bin/python3 -c 'import sys, zlib
name = sys.argv[1].encode()
print(200, len(name), f"{zlib.adler32(name):08x}")' "$1"; }

# agreed PORT: the suite that nginx tells, in its own words for TLS 1.2.
agreed() { wine_run "$build/tests/real/$arch/https_get.exe" winhttp localhost "$1" /suite | tr -d '\r'; }

registry() { wine_run reg "$@" >/dev/null; }

# What an administrator says of cipher suites, in the order of the group policy, and of single algorithms.
run_suite_order() {
    local policy='HKLM\Software\Policies\Microsoft\Cryptography\Configuration\SSL\00010002'
    local ciphers='HKLM\System\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Ciphers\AES 256/256'
    local some=TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    check "the usual suite, TLS 1.3 ($arch)" is "$(suite_name TLS_AES_256_GCM_SHA384)" agreed "$https_13"
    check "the usual suite, TLS 1.2 ($arch)" is "$(suite_name ECDHE-RSA-AES256-GCM-SHA384)" agreed "$https_12"
    check "an algorithm is taken away ($arch)" registry add "$ciphers" /v Enabled /t REG_DWORD /d 0 /f
    check "what is left of it, TLS 1.3 ($arch)" is "$(suite_name TLS_AES_128_GCM_SHA256)" agreed "$https_13"
    check "the algorithm is back ($arch)" registry delete "$ciphers" /f
    check "a list of suites ($arch)" registry add "$policy" /v Functions /d "$some" /f
    check "the list's suite, TLS 1.3 ($arch)" is "$(suite_name TLS_AES_128_GCM_SHA256)" agreed "$https_13"
    check "the list's suite, TLS 1.2 ($arch)" is "$(suite_name ECDHE-RSA-AES128-GCM-SHA256)" agreed "$https_12"
    check "a list without TLS 1.3 ($arch)" registry add "$policy" /v Functions /d "${some#*,}" /f
    check "no suite of TLS 1.3 is no TLS 1.3 ($arch)" refuses winhttp localhost "$https_13"
    check "ChaCha20, which is off otherwise ($arch)" registry add "$policy" /v Functions \
        /d TLS_CHACHA20_POLY1305_SHA256 /f
    check "ChaCha20, TLS 1.3 ($arch)" is "$(suite_name TLS_CHACHA20_POLY1305_SHA256)" agreed "$https_13"
    check "no list any more ($arch)" registry delete "$policy" /f
    check "the usual suite again ($arch)" is "$(suite_name TLS_AES_256_GCM_SHA384)" agreed "$https_13"
}

run_https() {
    local arch
    progress 'HTTPS by WinHTTP, WinINet and libcurl from nginx'
    start_https
    for arch in $(windows_arches); do
        for client in winhttp wininet; do
            check "$client, before the root is trusted ($arch)" refuses "$client" localhost "$https_13"
        done
        check "the root becomes one of the user's ($arch)" wine_run "$build/tests/real/$arch/https_get.exe" root \
            "Z:${world//\//\\}\\https\\trusted.der"
        run_https_clients
        run_client_certificates
        run_own_certificates
        run_suite_order
        run_libcurl_clients   # there are none of 32 bits
        break   # the store is the same for both
    done
    ! runs_32_bit || { arch=i386; run_https_clients; run_client_certificates; }
    skip_without_32_bit 'https: i386'
    stop_https
}

# Debian 12's mod_auth_gssapi (1.6.4) knows no GssapiChannelBound and compares no channel bindings, so that besides
# Apache there is a server of the program's own.
run_https-negotiate() {
    local arch
    progress 'Negotiate with channel bindings over HTTPS'
    start_realm
    mkdir -p "$world/bound"
    (cd "$world/bound" && make_authority root && make_certificate apache localhost root)
    start_apache krb5 "$world/bound/apache"
    for arch in $(windows_arches); do
        in_realm run_cases "$arch" wine_run "$build/tests/real/$arch/https_logon.exe" "$apache_port" \
            "$cached_name@$realm_name"
    done
    skip_without_32_bit 'https-negotiate: i386'
    stop_apache
}
