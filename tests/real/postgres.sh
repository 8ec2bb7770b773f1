# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A PostgreSQL server of the test's own, which takes nothing but connections that GSS-API encrypts and authenticates, and
# for the database template1 such as it authenticates alone: libpq for Windows does not encrypt.
# Source it after realm.sh.
# shellcheck disable=SC2154

# find_postgres: sets postgres_bin, the folder of the server's programs. Debian's package would make and start a server
# of the system's: unless it is installed already, it is unpacked, and only the libraries that it wants are installed.
find_postgres() {
    local cached name
    cached=$(cache_dir)/postgresql
    ! find_postgres_in '' "$cached" || return 0
    name=$(apt-cache depends postgresql | sed -n 's/^ *Depends: \(postgresql-[0-9]*\)$/\1/p')
    [ -n "$name" ] || die 'could not fetch the package %s' postgresql
    # shellcheck disable=SC2046 # names of packages, to be split
    need_packages $(libraries_of "$name")
    unpack_package "$name" "$cached"
    find_postgres_in "$cached" || die 'could not fetch the package %s' "$name"
}

# find_postgres_in ROOT...: an unpacked one may be older than the libraries, so it must still run.
find_postgres_in() {
    local root
    for root; do
        for postgres_bin in "$root"/usr/lib/postgresql/*/bin; do
            [ -x "$postgres_bin/initdb" ] && "$postgres_bin/postgres" --version >/dev/null 2>&1 && return
        done
    done
    return 1
}

# libraries_of PACKAGE: what it depends on, but for the compiler of queries, and for what manages a system's servers.
libraries_of() {
    apt-cache show "$1" | sed -n 's/^Depends: //p' | head -n 1 | tr ',' '\n' | sed 's/^ *//; s/[ (|:].*//' |
        grep -E '^(lib|tzdata)' | grep -v '^libllvm'
}

# set_postgres_user: sets as_postgres, the words before a command that is to run in the server's folder as its user. An
# array, so that $! is the command's.
set_postgres_user() {
    as_postgres=(env -C "$world/postgres")
    [ "$(id -u)" -ne 0 ] || as_postgres+=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
}

# copy_postgres: for root, whose cache is closed to the server's user.
copy_postgres() {
    local root=${postgres_bin%/usr/lib/postgresql/*}
    [ "$(id -u)" -eq 0 ] && [ -n "$root" ] || return 0
    cp -a "$root" "$world/postgres/package"
    chmod 755 "$world/postgres/package"
    postgres_bin=$world/postgres/package${postgres_bin#"$root"}
}

# settings DIR: what postgresql.conf gets.
settings() {
    cat <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
krb_server_keyfile = 'FILE:$1/keytab'
dynamic_shared_memory_type = mmap
fsync = off
jit = off
END
}

# make_database DIR NAME...: whose users have these names.
make_database() {
    local data=$1/data
    "${as_postgres[@]}" "$postgres_bin/initdb" --pgdata="$data" --username=postgres --auth=reject --no-sync \
        --no-locale --encoding=UTF8 &&
        printf 'create role %s login;\n' "${@:2}" |
        "${as_postgres[@]}" "$postgres_bin/postgres" --single -D "$data" postgres &&
        printf '%s all 127.0.0.1/32 gss include_realm=0 krb_realm=%s\n' 'hostgssenc postgres' "$realm_name" \
            'hostnogssenc template1' "$realm_name" >"$data/pg_hba.conf" &&
        settings "$1" >>"$data/postgresql.conf"
}

# start_postgres NAME...: for users of these names; sets postgres_pid and postgres_port.
start_postgres() {
    local dir=$world/postgres
    find_postgres
    rm -rf "$dir"
    mkdir "$dir"
    copy_postgres
    serve_realm "$dir" postgres/localhost
    set_realm_server "$dir"
    set_postgres_user
    if [ "$(id -u)" -eq 0 ]; then
        chmod 711 "$world"   # for the server's processes, which are not root's
        chown nobody "$dir" "$dir/keytab"
    fi
    if ! make_database "$dir" "$@" >"$dir/output" 2>&1; then
        cat "$dir/output" >&2
        die 'PostgreSQL could not make a database'
    fi
    for _ in {1..5}; do
        postgres_port=$((20000 + RANDOM % 10000))
        "${as_postgres[@]}" "${realm_server[@]}" "$postgres_bin/postgres" -D "$dir/data" -p "$postgres_port" \
            >>"$dir/log" 2>&1 </dev/null &
        postgres_pid=$!
        ! wait_for_postgres || return 0
    done
    cat "$dir/log" >&2
    die 'PostgreSQL did not start'
}

# wait_for_postgres: false if it ends instead, as it does if another has its port.
wait_for_postgres() {
    for _ in {1..300}; do
        kill -0 "$postgres_pid" 2>/dev/null || break
        ! grep -q 'ready to accept connections' "$world/postgres/log" || return 0
        sleep 0.1
    done
    stop_postgres
    return 1
}

# stop_postgres: at once, whoever is connected.
stop_postgres() {
    [ -n "${postgres_pid-}" ] || return 0
    kill -INT "$postgres_pid" 2>/dev/null || true
    wait "$postgres_pid" 2>/dev/null || true
    postgres_pid=
}

# postgres_said COUNT TEXT: whether so many lines of its log have TEXT.
postgres_said() {
    local count
    count=$(grep -cF "$2" "$world/postgres/log") || true
    [ "$count" -eq "$1" ] || { echo "$count lines, expected $1"; tail -n 40 "$world/postgres/log"; return 1; }
}
