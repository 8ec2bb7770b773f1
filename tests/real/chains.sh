# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Servers of OpenSSL's, each with a chain of certificates that has something about it, for a Windows client for which
# Schannel looks at them (RFC 5280 6.1; F3 of the classes of published faults). Source it after https.sh, whose way of
# finding ports it shares.
# shellcheck disable=SC2154

chain_pids=() chain_names=() chain_ports=() chain_wanted=()

declare -A chain_status=([ok]=0x00000000 [unknown]=0x80090327 [usage]=0x80090349 [expired]=0x80090328
                         [untrusted]=0x80090325 [principal]=0x80090322)

# new_key NAME KIND...: in openssl's words.
new_key() { openssl genpkey -out "$1.key" "${@:2}" 2>/dev/null; }

# new_root NAME: with its key there, signed by itself, also in DER.
new_root() {
    openssl req -x509 -key "$1.key" -subj "/CN=$1" -days 30 -out "$1.pem" -addext basicConstraints=critical,CA:TRUE \
        2>/dev/null
    openssl x509 -in "$1.pem" -outform DER -out "$1.der"
}

# sign NAME ISSUER EXTENSIONS [OPTION...]: NAME.pem, with the key NAME.key.
sign() {
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 20 -out "$1.pem" \
        -extfile <(printf '%b\n' "$3") "${@:4}" 2>/dev/null
}

# sign_expired NAME ISSUER EXTENSIONS: the same, of a month in the past.
sign_expired() {
    : >index.txt
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr" 2>/dev/null
    openssl ca -batch -notext -in "$1.csr" -cert "$2.pem" -keyfile "$2.key" -out "$1.pem" -startdate 20200101000000Z \
        -enddate 20200201000000Z -extfile <(printf '%b\n' "$3") -config <(printf '%s\n' '[ca]' default_ca=own '[own]' \
            database=index.txt rand_serial=yes new_certs_dir=. default_md=sha256 policy=any '[any]' \
            commonName=supplied) 2>/dev/null
}

# spoil NAME: changes a bit of its signature.
spoil() {
    openssl x509 -in "$1.pem" -outform DER | /usr/bin/python3 -c 'import sys
der = bytearray(sys.stdin.buffer.read())
der[-5] ^= 1
sys.stdout.buffer.write(der)' >"$1.spoilt"
    openssl x509 -inform DER -in "$1.spoilt" -out "$1.pem"
}

# certify NAME ISSUER HOW: NAME.pem. HOW: lines of extensions ("@ca", "@san"), then what is about its signature.
certify() {
    local extensions=${3%%/*} options=() word
    for word in $(tr / ' ' <<<"${3#"$extensions"}"); do
        case $word in
            pss) options+=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32) ;;
            md5 | sha1 | sha384 | sha512) options+=("-$word") ;;
        esac
    done
    extensions=${extensions//@ca/basicConstraints=critical,CA:TRUE}
    extensions=${extensions//@san/subjectAltName=DNS:server.test}
    case $3 in
        */old*) sign_expired "$1" "$2" "$extensions" ;;
        *) sign "$1" "$2" "$extensions" "${options[@]}" ;;
    esac
    [[ $3 != */spoilt* ]] || spoil "$1"
}

# serve WANTED CASE LEAF AUTHORITY...: a server with LEAF's certificate and key, and the authorities' certificates.
serve() {
    local name folder=$world/chains/$2 chain=()
    mkdir "$folder"
    cp "$3.pem" "$folder/leaf.pem"
    cp "$3.key" "$folder/leaf.key"
    for name in "${@:4}"; do
        cat "$name.pem" >>"$folder/chain.pem"
        chain=(-cert_chain "$folder/chain.pem")
    done
    free_https_port >/dev/null
    openssl s_server -accept "127.0.0.1:$https_last" -cert "$folder/leaf.pem" -key "$folder/leaf.key" \
        "${chain[@]}" -cipher DEFAULT@SECLEVEL=0 -quiet >"$folder/log" 2>&1 </dev/null &
    chain_pids+=("$!") chain_names+=("$2") chain_ports+=("$https_last") chain_wanted+=("$1")
}

# What a client is to say, of what, the authority's certificate and the server's.
chain_cases='
ok        good                      @ca                                              @san
unknown   spoilt                    @ca                                              @san/spoilt
unknown   authority-spoilt          @ca/spoilt                                       @san
expired   expired                   @ca                                              @san/old
expired   authority-expired         @ca/old                                          @san
unknown   authority-is-none         basicConstraints=critical,CA:FALSE               @san
unknown   authority-says-nothing    subjectKeyIdentifier=hash                        @san
ok        authority-of-the-last     @ca,pathlen:0                                    @san
usage     key-not-for-certificates  @ca\nkeyUsage=critical,digitalSignature          @san
usage     key-for-lists             @ca                                              @san\nkeyUsage=critical,cRLSign
unknown   md5                       @ca                                              @san/md5
unknown   authority-md5             @ca/md5                                          @san
ok        sha1                      @ca                                              @san/sha1
ok        sha384                    @ca                                              @san/sha384
ok        sha512                    @ca                                              @san/sha512
ok        pss                       @ca/pss                                          @san/pss
unknown   pss-spoilt                @ca/pss                                          @san/pss/spoilt
unknown   pss-authority-spoilt      @ca/pss/spoilt                                   @san/pss
ok        names-permitted           @ca\nnameConstraints=permitted;DNS:server.test   @san
unknown   names-of-others-permitted @ca\nnameConstraints=permitted;DNS:other.test    @san
unknown   names-excluded            @ca\nnameConstraints=excluded;DNS:server.test    @san
usage     authority-for-clients     @ca\nextendedKeyUsage=clientAuth                 @san
ok        authority-for-servers     @ca\nextendedKeyUsage=serverAuth                 @san
ok        for-everything            @ca\nextendedKeyUsage=anyExtendedKeyUsage        @san\nextendedKeyUsage=anyExtendedKeyUsage
usage     for-code                  @ca                                              @san\nextendedKeyUsage=codeSigning
unknown   critical                  @ca                                              @san\n1.2.3.4.5=critical,ASN1:NULL
unknown   authority-critical        @ca\n1.2.3.4.5=critical,ASN1:NULL                @san
principal of-another                @ca                                              subjectAltName=DNS:other.test
principal under-another             @ca                                              subjectAltName=DNS:a.server.test
'

# start_chains: a server for each of them, and for longer and shorter chains.
start_chains() {
    local wanted name authority leaf
    while read -r wanted name authority leaf; do
        [ -n "$name" ] || continue
        certify int root "$authority"
        certify leaf int "$leaf"
        serve "$wanted" "$name" leaf int
    done <<<"$chain_cases"
    certify int root @ca,pathlen:0
    certify leaf int @san
    serve untrusted authority-left-out leaf
    certify other leaf @san
    serve unknown by-another-server other leaf int
    certify other int @ca
    certify leaf other @san
    serve unknown path-too-long leaf other int
    serve_named_by_common_name
    serve_forged
}

# A name that the constraints are about need not stand where names of hosts do.
serve_named_by_common_name() {
    local constraints
    cp leaf.key server.test.key
    certify int root @ca
    certify server.test int subjectKeyIdentifier=hash
    serve ok common-name server.test int
    for constraints in 'permitted;DNS:other.test' 'excluded;DNS:server.test'; do
        certify int root "@ca\\nnameConstraints=$constraints"
        certify server.test int subjectKeyIdentifier=hash
        serve unknown "common-name-${constraints%%;*}" server.test int
        certify server.test int subjectAltName=email:a@server.test
        serve unknown "common-name-and-mail-${constraints%%;*}" server.test int
    done
}

# Everybody knows what the root's certificate says; its key nobody has.
serve_forged() {
    mkdir forged
    new_key forged/root -algorithm RSA -pkeyopt rsa_keygen_bits:2048
    cp int.key leaf.key forged
    (
        cd forged
        openssl req -x509 -key root.key -subj /CN=root -days 30 -out root.pem -addext \
            basicConstraints=critical,CA:TRUE -set_serial "0x$(openssl x509 -in ../root.pem -noout -serial | sed 's/.*=//')" \
            2>/dev/null
        certify int root @ca
        certify leaf int @san
    )
    serve untrusted root-forged forged/leaf forged/int forged/root
    serve untrusted root-forged-itself forged/root
}

# serve_by NAME KIND...: a server whose authority and root, of that name, have keys of that kind.
serve_by() {
    new_key "$1" "${@:2}"
    new_root "$1"
    new_key int "${@:2}"
    certify int "$1" @ca
    certify leaf int @san
    serve ok "by-$1" leaf int
    curve_ports[$1]=$https_last
    unset 'chain_names[-1]' 'chain_ports[-1]' 'chain_wanted[-1]'
}

# wait_for_chains: until each server answers.
wait_for_chains() {
    local port
    for port in "${chain_ports[@]}" "${curve_ports[@]}"; do
        for _ in {1..100}; do
            ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue 2
            sleep 0.1
        done
        die 'no server on port %s' "$port"
    done
}

stop_chains() {
    local pid
    for pid in "${chain_pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    chain_pids=()
}

windows_path() { printf '%s' "Z:${1//\//\\}"; }

# verified ROOT PORT...: what the client says of each.
verified() {
    wine_run "$build/tests/real/$arch/tls_verify.exe" "$(windows_path "$PWD/$1.der")" server.test "${@:2}" | tr -d '\r'
}

# says ALLOW|DISALLOW WHERE: of the first chain's authority, which that store of untrusted certificates then has or not.
says() { wine_run "$build/tests/real/$arch/tls_verify.exe" "$@" "$(windows_path "$PWD/int.der")"; }

run_cases_of_chains() {
    local i found where
    mapfile -t found < <(verified root "${chain_ports[@]}")
    for i in "${!chain_names[@]}"; do
        check "chain: ${chain_names[i]} ($arch)" is "${chain_status[${chain_wanted[i]}]}" echo "${found[i]-}"
    done
    openssl x509 -in good/chain.pem -outform DER -out int.der
    for where in user machine user-policy machine-policy; do
        check "an authority is not to be trusted, $where ($arch)" says disallow "$where"
        check "chain: what it has signed, $where ($arch)" is "${chain_status[unknown]}" verified root "${chain_ports[0]}"
        check "it may be trusted again, $where ($arch)" says allow "$where"
    done
    check "chain: what it has signed, at last ($arch)" is "${chain_status[ok]}" verified root "${chain_ports[0]}"
}

# Wine 8.0's crypt32 verifies no signature of the last two.
run_cases_of_curves() {
    local name
    for name in P-256 P-384 P-521 ed25519; do
        check "chain: by $name ($arch)" is "${chain_status[ok]}" verified "$name" "${curve_ports[$name]}"
    done
}

run_chains() {
    local arch name
    local -A curve_ports=()
    progress 'chains of certificates, looked at by Schannel'
    mkdir -p "$world/chains"
    cd "$world/chains" || exit
    https_last=$((20000 + RANDOM % 9000))
    for name in root int leaf other; do new_key "$name" -algorithm RSA -pkeyopt rsa_keygen_bits:2048; done
    new_root root
    start_chains
    for name in P-256 P-384 P-521; do serve_by "$name" -algorithm EC -pkeyopt "ec_paramgen_curve:$name"; done
    serve_by ed25519 -algorithm ed25519
    wait_for_chains
    for arch in $(windows_arches); do
        run_cases_of_chains
        run_cases_of_curves
    done
    skip_without_32_bit 'chains: i386'
    stop_chains
    cd "$OLDPWD" || exit
}
