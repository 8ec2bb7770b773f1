# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests of tools/countersign share: a home of their own with Wine prefixes in it, pictures of these to compare,
# and calls whose exit code and output are looked at. Source it after lib.sh; $here, $build and $work are set.

countersign=$here/../../tools/countersign
wine=$(wine_tool wine)

# make_world: a private home; of the real one only what is expensive to make again, by links.
make_world() {
    local real template wow64
    real=$(cache_dir)
    template=$(prefix_template)
    wow64=$(wow64_files)
    mkdir -p "$work/home" "$work/cache/countersign"
    ln -s "$template" "$work/cache/countersign/"
    [ "${wow64%/*}" != "$real" ] || ln -s "$wow64" "$work/cache/countersign/"
    export HOME=$work/home XDG_CACHE_HOME=$work/cache SHELL=/bin/bash LC_ALL=C WINEDEBUG=-all COUNTERSIGN_BUILD=$build
    unset XDG_CONFIG_HOME WINEPREFIX WINEDLLPATH WINEDLLOVERRIDES WINELOADER WINESERVER DISPLAY WAYLAND_DISPLAY
    # Wine writes menu entries when it gets round to it; what is compared must not depend on when.
    export WINEDLLOVERRIDES='winemenubuilder.exe=d'
    unset COUNTERSIGN_LIBDIR COUNTERSIGN_ACCOUNTS COUNTERSIGN_TRACE TEXTDOMAINDIR LANGUAGE BASH_ENV
    build_probe
    cd "$work" || exit
}

build_probe() {
    local arch
    for arch in x86_64 i686; do
        "$arch-w64-mingw32-gcc" -std=gnu11 -O2 -Wall -Wextra -Wshadow -DSECURITY_WIN32 -s "$here/probe.c" \
            -o "$work/probe-${arch/i6/i3}.exe" -lsecur32
    done
}

drop_world() {
    local prefix
    for prefix in "$work"/home/.wine "$work"/prefixes/*; do
        drop_prefix "$prefix"
    done
    rm -rf "$work"
}

# settle PREFIX: ends the prefix's server, so that the registry is in its files.
settle() {
    WINEPREFIX=$1 "$(wine_tool wineserver)" -k || true
    WINEPREFIX=$1 "$(wine_tool wineserver)" -w
}

# ---- calls ---------------------------------------------------------------------------------------------------------

# run_command COMMAND...: runs it; $code is its exit code, $work/out and $work/err what it printed.
run_command() {
    code=0
    "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
    sed -i 's/\r$//' "$work/out" "$work/err"
}

# expect NAME CODE PATTERN COMMAND...: passes if COMMAND ends with CODE and a line of what it prints matches PATTERN.
expect() {
    local name=$1 wanted=$2 pattern=$3
    shift 3
    run_command "$@"
    if [ "$code" -ne "$wanted" ]; then
        fail "$name" "exit code $code, not $wanted"
    elif ! grep -qE -- "$pattern" "$work/out" "$work/err"; then
        fail "$name" "no line matches '$pattern'"
    else
        pass "$name"
        return
    fi
    sed 's/^/      /' "$work/out" "$work/err"
}

# same NAME FILE FILE
same() { check "$1" diff "$2" "$3"; }

# from_login COMMAND...: in a login shell that inherits nothing but what a login gives.
from_login() {
    env -i HOME="$HOME" USER="$(id -un)" SHELL=/bin/bash LC_ALL=C WINEDEBUG=-all XDG_CACHE_HOME="$XDG_CACHE_HOME" \
        WINEDLLOVERRIDES="$WINEDLLOVERRIDES" \
        COUNTERSIGN_BUILD="$build" timeout 120 bash -lc 'cd "$1" && shift && exec "$@"' bash "$work" "$@"
}

# ---- pictures ------------------------------------------------------------------------------------------------------

# picture_tree [CONDITION...]: every file below this folder with its sum, and everything with its mode, links with where
# they lead.
picture_tree() {
    { find . "$@" -type f -exec sha256sum {} + && find . "$@" -printf '%p %m %l\n'; } | LC_ALL=C sort
}

# picture_files DIR: but for the registry, and what a running wineserver leaves (Debian's names the folder of its socket).
picture_files() { (cd "$1" && picture_tree ! -name wineserver ! -name '*.reg'); }

# picture_registry PREFIX: keys and values, without the times at which they were written. Wine installs its drivers anew
# at each start, and may be ended in the middle of it.
picture_registry() {
    local hive
    for hive in system user userdef; do
        sed -e '/^#time=/d' -e 's/^\(\[.*\]\) [0-9]*$/\1/' "$1/$hive.reg" |
            awk '/^\[/ { drivers = /\\\\(Control\\\\(Class|DeviceClasses)|Enum|WineDbg)(\\\\|\])/ } !drivers'
    done
}

# picture PREFIX NAME: what PREFIX holds, and the home beside ~/.wine, into $work/NAME.files and $work/NAME.registry.
picture() {
    settle "$1"
    { picture_files "$1"; picture_home; } >"$work/$2.files"
    picture_registry "$1" >"$work/$2.registry"
}

picture_home() { (cd "$HOME" && picture_tree ! -path ./.wine ! -path './.wine/*'); }

# unchanged NAME BEFORE AFTER
unchanged() {
    same "$1: the same files" "$work/$2.files" "$work/$3.files"
    same "$1: the same registry" "$work/$2.registry" "$work/$3.registry"
}
