# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What every script in tools/ shares: messages, Debian packages, Wine's files, throw-away prefixes, test counters.
# Source it under `set -euo pipefail`. Functions print results on standard output and messages on standard error.
#
# Variables a caller may set: COUNTERSIGN_LIBDIR (the folder that holds x86_64-windows, i386-windows and x86_64-unix),
# COUNTERSIGN_BUILD (the build tree), XDG_CACHE_HOME.

# ---- messages ----------------------------------------------------------------------------------------------------
# The first argument is a printf format and goes through gettext, so xgettext wants
#     --language=Shell --keyword=say --keyword=die --keyword=usage_error --keyword=progress --keyword=lacks
#     --keyword=translated

export TEXTDOMAIN=countersign
if [ -z "${TEXTDOMAINDIR-}" ] && [ -d '@localedir@' ]; then
    export TEXTDOMAINDIR='@localedir@'
fi
command -v gettext >/dev/null || gettext() { printf '%s' "$2"; }

# translated FORMAT ARGS...: the text in the user's language, without a line end.
translated() {
    local format
    format=$(gettext -- "$1")   # some begin with the name of an option
    shift
    # shellcheck disable=SC2059
    printf -- "$format" "$@"
}

# say FORMAT ARGS...: one line of result.
say() { translated "$@"; echo; }

# progress FORMAT ARGS...: one line that tells what a long step is doing.
progress() { { printf '== '; translated "$@"; echo; } >&2; }

# die FORMAT ARGS...: an error that ends the script with 1.
die() {
    { printf '%s: ' "${0##*/}"; translated "$@"; echo; } >&2
    exit 1
}

# usage_error FORMAT ARGS...: a call the script does not understand; ends it with 2.
usage_error() {
    { printf '%s: ' "${0##*/}"; translated "$@"; echo; translated 'See %s --help.' "${0##*/}"; echo; } >&2
    exit 2
}

# ---- test counters -----------------------------------------------------------------------------------------------

tests_passed=0 tests_failed=0 tests_skipped=0

# pass NAME
pass() { tests_passed=$((tests_passed + 1)); printf 'ok    %s\n' "$1"; }

# fail NAME REASON
fail() { tests_failed=$((tests_failed + 1)); printf 'FAIL  %s: %s\n' "$1" "${2-}"; }

# skip NAME REASON
skip() { tests_skipped=$((tests_skipped + 1)); printf 'skip  %s: %s\n' "$1" "${2:?a skip names its reason}"; }

# check NAME COMMAND...: passes when COMMAND succeeds; a failure shows what it printed.
check() {
    local name=$1 output status=0
    shift
    output=$("$@" 2>&1) || status=$?
    if [ "$status" -eq 0 ]; then
        pass "$name"
    else
        fail "$name" "exit code $status"
        printf '%s\n' "$output" | sed 's/^/      /'
    fi
}

# add_counts LINE: adds another script's `N passed, N failed, N skipped` to ours; false if LINE is no such line.
add_counts() {
    [[ $1 =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]] || return 1
    tests_passed=$((tests_passed + BASH_REMATCH[1]))
    tests_failed=$((tests_failed + BASH_REMATCH[2]))
    tests_skipped=$((tests_skipped + BASH_REMATCH[3]))
}

# summary: the last line of a test script, never translated (programs read it); false if anything failed or nothing ran.
summary() {
    printf '%d passed, %d failed, %d skipped\n' "$tests_passed" "$tests_failed" "$tests_skipped"
    [ "$tests_failed" -eq 0 ] && [ "$tests_passed" -gt 0 ]
}

# side_by_side COMMAND ITEM...: COMMAND ITEM for each, as many at a time as there are processors; false if one was.
side_by_side() {
    local item running=0 status=0
    for item in "${@:2}"; do
        [ "$running" -lt "$(nproc)" ] || { wait -n || status=1; running=$((running - 1)); }
        (trap - INT; "$1" "$item") & # a job that bash starts would outlive Ctrl-C
        running=$((running + 1))
    done
    for (( ; running > 0; running--)); do wait -n || status=1; done
    return "$status"
}

# matching PATTERN NAME...: those of the names that PATTERN matches, a line each; false if there is none. Tests are
# selected by it.
matching() {
    local pattern=$1 name status=1
    shift
    for name; do
        # shellcheck disable=SC2053
        [[ $name == $pattern ]] || continue
        echo "$name"
        status=0
    done
    return "$status"
}

# ---- Debian packages ---------------------------------------------------------------------------------------------

# packages PURPOSE...: the Debian packages for build, wine, tests, realm, fuzz, bench, interop or real.
packages() {
    local purpose
    for purpose; do
        case $purpose in
            build) echo autoconf automake gcc libc6-dev make gettext pkgconf gcc-mingw-w64-x86-64 gcc-mingw-w64-i686 \
                        wine64-tools libgnutls28-dev nettle-dev heimdal-multidev libunistring-dev zlib1g-dev ;;
            wine) echo wine wine64 ;;
            tests) echo libcmocka-dev zip git ;;
            # The KDC itself is unpacked (tools/realm).
            realm) echo heimdal-clients libkdc2-heimdal libhdb9-heimdal libcap-ng0 ;;
            fuzz) echo clang libclang-rt-dev llvm ;;
            bench) echo gss-ntlmssp krb5-multidev "$(first_known libwinpr2-dev libwinpr3-dev)" ;;
            interop)
                # The domain controller itself is unpacked (tests/interop/ad_world).
                echo python3-gssapi gss-ntlmssp winbind samba-common-bin iproute2 krb5-multidev heimdal-clients \
                    python3-samba python3-dnspython samba-ad-provision samba-dsdb-modules libfaketime \
                    openssl gnutls-bin libnss3-tools botan ;;
            # A Node.js from elsewhere brings npm along and conflicts with Debian's. PostgreSQL's server is unpacked
            # (tests/real/postgres.sh).
            real)
                echo apache2-bin libapache2-mod-auth-gssapi gss-ntlmssp krb5-multidev python3 openssl
                command -v npm >/dev/null || echo npm
                ;;
            *) die 'no list of packages for "%s"' "$purpose" ;;
        esac
    done
}

# first_known NAME...: the first of these packages that apt knows, or else the first: names that differ by release.
first_known() {
    local name
    for name; do
        if apt-cache show "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "$1"
}

# missing_packages NAME...: those that are not installed.
missing_packages() {
    local name
    for name; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

# as_root COMMAND...
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die 'this needs root or sudo: %s' "$*"
    fi
}

# need_packages NAME...: installs those that are missing. With COUNTERSIGN_NO_INSTALL set it only complains.
need_packages() {
    local missing log
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    [ -z "${COUNTERSIGN_NO_INSTALL-}" ] || die 'missing Debian packages: %s' "${missing[*]}"
    command -v apt-get >/dev/null || die 'missing, and there is no apt-get to install them: %s' "${missing[*]}"
    log=$(mktemp)
    if [ -z "${apt_updated-}" ]; then
        progress 'reading the lists of packages'
        as_root apt-get -q update >"$log" 2>&1 || tail -n 3 "$log" >&2
        apt_updated=1
    fi
    progress 'installing %s' "${missing[*]}"
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}" \
            >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die 'apt-get could not install: %s' "${missing[*]}"
    fi
    rm -f "$log"
}

# unpack_package NAME DIR: fetches a Debian package and unpacks it into DIR, in place of what is there; nothing of it is
# installed, so that no server of it starts.
unpack_package() {
    local work
    mkdir -p "$(cache_dir)"
    work=$(mktemp -d "$(cache_dir)/fetch.XXXXXX")
    progress 'fetching the package %s' "$1"
    if ! (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$1" && dpkg-deb -x "$1"_*.deb . && rm "$1"_*.deb) \
            >"$work.log" 2>&1; then
        tail -n 5 "$work.log" >&2
        rm -rf "$work" "$work.log"
        die 'could not fetch the package %s' "$1"
    fi
    rm -rf "$2" "$work.log"
    mv -T "$work" "$2"
}

# ---- where things are --------------------------------------------------------------------------------------------

# cache_dir: our folder for what can be made again.
cache_dir() { echo "${XDG_CACHE_HOME:-${HOME:?}/.cache}/countersign"; }

# wine_tool NAME: the path of wine, wineserver, wineboot, winebuild ... (Debian has some as NAME-stable only).
wine_tool() {
    local path
    for path in "$1" "$1-stable" "/usr/lib/wine/$1" "/opt/wine-stable/bin/$1"; do
        command -v "$path" && return
    done
    die 'Wine is not installed: no %s' "$1"
}

# wine_dir: Wine's own folder of DLLs, the one that holds x86_64-windows and x86_64-unix.
wine_dir() {
    local dir
    for dir in /usr/lib/x86_64-linux-gnu/wine /usr/lib64/wine /usr/lib/wine /opt/wine-*/lib{64,}/wine; do
        if [ -e "$dir/x86_64-unix/ntdll.so" ]; then
            echo "$dir"
            return
        fi
    done
    die 'Wine is not installed: no folder with x86_64-unix/ntdll.so'
}

# wine_version: Debian's version of Wine, or what wine itself says; fit for a file name.
wine_version() {
    local version
    version=$(dpkg-query -W -f '${Version}' libwine 2>/dev/null) || version=$("$(wine_tool wine)" --version)
    echo "${version//[^A-Za-z0-9.+~-]/_}"
}

# ---- Wine's 32-bit half ------------------------------------------------------------------------------------------

# wow64_dir: the folder whose i386-windows holds Wine's i386 PE files; false if there is none yet.
# A Wine that carries them itself (package wine32, or WineHQ's build) needs no other.
wow64_dir() {
    local dir
    for dir in "$(wine_dir)" "$(cache_dir)/wow64-$(wine_version)"; do
        if [ -e "$dir/i386-windows/ntdll.dll" ]; then
            echo "$dir"
            return
        fi
    done
    return 1
}

# wow64_files: fetches Wine's i386 PE files if need be and prints the folder that holds i386-windows.
# The package is unpacked, never installed (multiarch would conflict with others), with lists of packages of its own,
# so that neither root nor a change to dpkg's architectures is needed.
wow64_files() {
    local dir work
    wow64_dir && return
    dir=$(cache_dir)/wow64-$(wine_version)
    mkdir -p "$(cache_dir)"
    work=$(mktemp -d "$(cache_dir)/fetch.XXXXXX")
    if ! (cd "$work" && fetch_i386_libwine && strip_debug_sections i386-windows/*.*); then
        rm -rf "$work"
        die 'could not fetch the package libwine:i386 %s' "$(wine_version)"
    fi
    mkdir -p "$dir"
    mv -T "$work/i386-windows" "$dir/i386-windows" 2>/dev/null || true   # another run was faster
    # Wine takes a module's Unix half from beside the folder that it has the module from: ws2_32 fails without.
    ln -sfn "$(wine_dir)/x86_64-unix" "$dir/x86_64-unix"
    rm -rf "$work"
    wow64_dir
}

# fetch_i386_libwine: libwine:i386 of the installed version into ./i386-windows.
fetch_i386_libwine() {
    local options=(-q -o APT::Architectures::=amd64 -o APT::Architectures::=i386 -o APT::Sandbox::User=root
                   -o "Dir::State::lists=$PWD/lists" -o "Dir::Cache=$PWD/cache")
    mkdir -p lists/partial cache/archives/partial
    progress 'fetching Wine'\''s 32-bit files (95 MB, once)'
    # One source that is out of order must not matter if the package can be had from another.
    apt-get "${options[@]}" update >apt.log 2>&1 || true
    apt-get "${options[@]}" download "libwine:i386=$(dpkg-query -W -f '${Version}' libwine)" >>apt.log 2>&1 ||
        { tail -n 5 apt.log >&2; return 1; }
    dpkg-deb --fsys-tarfile libwine_*_i386.deb |
        tar -x --strip-components=5 --wildcards './usr/lib/i386-linux-gnu/wine/i386-windows/*' || return
    rm -rf libwine_*_i386.deb lists cache
}

# strip_debug_sections FILES...: two thirds of the size; the mark "Wine builtin DLL" in the DOS header stays.
strip_debug_sections() {
    local file
    command -v i686-w64-mingw32-strip >/dev/null || return 0
    for file; do
        i686-w64-mingw32-strip -g "$file" 2>/dev/null || true   # resources only, nothing to strip
    done
}

# runs_32_bit: whether the kernel runs 32-bit code, which Wine's 32-bit half is. A program that does nothing but end tells.
runs_32_bit() {
    local program status=0
    mkdir -p "$(cache_dir)"
    program=$(mktemp "$(cache_dir)/bits.XXXXXX")
    # An ELF header, one for the program, and: mov eax, 1; xor ebx, ebx; int 0x80
    {
        printf '\x7fELF\x01\x01\x01'
        head -c 9 /dev/zero
        printf '\x02\0\x03\0\x01\0\0\0\x54\x80\x04\x08\x34\0\0\0\0\0\0\0\0\0\0\0\x34\0\x20\0\x01\0\0\0\0\0\0\0'
        printf '\x01\0\0\0\0\0\0\0\0\x80\x04\x08\0\x80\x04\x08\x5d\0\0\0\x5d\0\0\0\x05\0\0\0\0\x10\0\0'
        printf '\xb8\x01\0\0\0\x31\xdb\xcd\x80'
    } >"$program"
    chmod 700 "$program"
    "$program" 2>/dev/null || status=1
    rm -f "$program"
    return "$status"
}

# windows_arches: the architectures whose Windows programs this machine runs, a line each.
windows_arches() {
    echo x86_64
    ! runs_32_bit || echo i386
}

# skip_without_32_bit NAME: counts what is left out where there are no 32-bit programs.
skip_without_32_bit() { runs_32_bit || skip "$1" 'the kernel of this machine runs no 32-bit programs'; }

# ---- prefixes ----------------------------------------------------------------------------------------------------

# Our modules that stand in the place of Wine's. The others (the bridge) have names that Wine does not know.
our_overrides=(secur32 sspicli security msv1_0 kerberos schannel)

# prefix_template: makes, once per version of Wine, the prefix that make_prefix copies, and prints its path.
# Windows 10, no menu entries, no links into the user's home.
prefix_template() {
    local template work
    template=$(cache_dir)/prefix-$(wine_version)
    if [ ! -d "$template" ]; then
        mkdir -p "$(cache_dir)"
        work=$(mktemp -d "$(cache_dir)/prefix.XXXXXX")
        progress 'making a Wine prefix (%s, once)' "$(wine_version)"
        if ! boot_prefix "$work/prefix" "$work" >"$work/log" 2>&1; then
            tail -n 20 "$work/log" >&2
            rm -rf "$work"
            die 'wineboot failed'
        fi
        link_wine_files "$work/prefix/drive_c/windows"
        mv -T "$work/prefix" "$template" 2>/dev/null || true   # another run was faster
        rm -rf "$work"
    fi
    echo "$template"
}

# boot_prefix DIR HOME
boot_prefix() (
    unset DISPLAY WAYLAND_DISPLAY WINEDLLPATH WINELOADER WINESERVER
    export HOME=$2 WINEPREFIX=$1 WINEDEBUG=-all WINEARCH=win64
    export WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d'
    "$(wine_tool wineboot)" -i
    "$(wine_tool wine)" winecfg -v win10
    "$(wine_tool wineserver)" -w
    rm -f "$WINEPREFIX/wineserver"   # Debian: names the folder of this prefix's server
    find "$WINEPREFIX/drive_c/users" -type l -exec sh -c 'rm "$1" && mkdir "$1"' - {} \;   # Documents and the like
    [ -e "$WINEPREFIX/system.reg" ]
)

# link_wine_files DIR: replaces wineboot's copies of Wine's own files by links (650 MB), but for those that we override:
# who copies a file over one of these must not write into the system's Wine.
link_wine_files() {
    local file own name
    own=$(wine_dir)/x86_64-windows
    while read -r file; do
        name=${file##*/}
        [[ " ${our_overrides[*]/%/.dll} " != *" $name "* ]] || continue
        if [ -f "$own/$name" ] && cmp -s "$file" "$own/$name"; then
            ln -sf "$own/$name" "$file"
        fi
    done < <(find "$1" -type f)
}

# make_prefix DIR: a fresh prefix with Wine's own DLLs in DIR, for 32-bit programs too if wow64_files was called before.
# Tests remove it by drop_prefix.
make_prefix() {
    local template wow64
    template=$(prefix_template)
    mkdir -p "$1"
    cp -a "$template/." "$1/"
    if wow64=$(wow64_dir); then
        fill_syswow64 "$wow64/i386-windows" "$1/drive_c/windows/syswow64"
    fi
}

# fill_syswow64 FROM TO: links to Wine's i386 files, which wineboot leaves out without a 32-bit Wine; ours as copies.
fill_syswow64() {
    local name
    mkdir -p "$2"
    cp -sn "$1"/*.* "$2/"
    for name in "${our_overrides[@]/%/.dll}"; do
        cp --remove-destination "$1/$name" "$2/$name"
    done
}

override_names() { local IFS=,; echo "${our_overrides[*]}"; }

# our_modules LIBDIR: the names of all our DLLs there, the bridge included.
our_modules() {
    local file
    for file in "$1"/x86_64-windows/*.dll; do
        basename "$file" .dll
    done
}

# add_dlls DIR: puts our DLLs into a throw-away prefix; prefix_env then decides whose are used.
add_dlls() {
    local lib windows=$1/drive_c/windows
    lib=$(countersign_libdir)
    cp --remove-destination "$lib"/x86_64-windows/*.dll "$windows/system32/"
    [ ! -e "$windows/syswow64/kernel32.dll" ] ||
        cp --remove-destination "$lib"/i386-windows/*.dll "$windows/syswow64/"
}

# prefix_env DIR [ours|wine]: sets the environment for Windows programs in prefix DIR, with our DLLs or Wine's own.
prefix_env() {
    local order=n
    unset DISPLAY WAYLAND_DISPLAY WINELOADER WINESERVER
    export WINEPREFIX=$1 WINEDEBUG=${WINEDEBUG:--all} WINEDLLPATH
    if [ "${2-ours}" = ours ]; then
        WINEDLLPATH=$(dll_path)
    else
        order=b
        WINEDLLPATH=$(wow64_dir) || WINEDLLPATH=
    fi
    WINEDLLOVERRIDES="$(override_names)=$order;mscoree,mshtml=;winemenubuilder.exe=d"
    export WINEDLLOVERRIDES
}

# drop_prefix DIR: ends what still runs in the prefix, and removes it.
drop_prefix() {
    [ -d "$1/drive_c" ] || return 0
    WINEPREFIX=$1 "$(wine_tool wineserver)" -k 2>/dev/null || true
    WINEPREFIX=$1 "$(wine_tool wineserver)" -w 2>/dev/null || true
    rm -rf "$1"
}

# countersign_libdir: where our DLLs are: COUNTERSIGN_LIBDIR, or else the build tree, or else where they were installed.
countersign_libdir() {
    local dir
    for dir in "${COUNTERSIGN_LIBDIR-}" "${COUNTERSIGN_BUILD:-$tools_dir/../build}/lib/countersign" \
               '@libdir@/countersign' "$tools_dir/../lib/countersign" "$tools_dir/../../lib/countersign"; do
        if [ -e "$dir/x86_64-windows/countersign.dll" ]; then
            (cd "$dir" && pwd)
            return
        fi
        [ -z "${COUNTERSIGN_LIBDIR-}" ] || break
    done
    die 'our DLLs were not found (COUNTERSIGN_LIBDIR names their folder; build them with make)'
}

# dll_path: WINEDLLPATH for our DLLs. Wine takes an i386-windows folder of its own from there as well.
dll_path() {
    local wow64
    wow64=$(wow64_dir) && [ "$wow64" != "$(wine_dir)" ] && printf '%s:' "$wow64"
    countersign_libdir
}

tools_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
