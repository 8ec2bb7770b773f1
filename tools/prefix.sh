# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# `countersign install` and `remove`: our DLLs in a prefix for good, and all of it undone.
#
# What install changes, and where remove finds what was there before:
# - files in system32 and syswow64: PREFIX/countersign/saved, and PREFIX/countersign/new names those that were not there
# - values of HKCU\Software\Wine\DllOverrides: PREFIX/countersign/overrides
# - WINEDLLPATH at login, see login.sh: the list of prefixes in our configuration folder
# Everything is recorded before it is changed, so remove also undoes an install that was cut short.

overrides_key='HKEY_CURRENT_USER\Software\Wine\DllOverrides'

# check_prefix PREFIX: dies unless it is a prefix we can serve.
check_prefix() {
    [ -e "$1/system.reg" ] || die 'there is no Wine prefix in %s (wineboot makes one)' "$1"
    ! grep -qm1 '^#arch=win32' "$1/system.reg" || die '%s is a 32-bit prefix; Countersign needs a 64-bit one' "$1"
}

# wine_in PREFIX ARGS...: the system's Wine, with nothing of ours, and no menu entries as by-products.
wine_in() {
    local prefix=$1
    shift
    env -u WINELOADER -u WINESERVER WINEDLLOVERRIDES=winemenubuilder.exe=d WINEPREFIX="$prefix" WINEDEBUG=-all \
        "$(wine_tool wine)" "$@"
}

# query_overrides PREFIX: the prefix's overrides, "NAME VALUE" a line, false if it has no such key.
query_overrides() {
    local output
    output=$(wine_in "$1" reg query "$overrides_key" 2>/dev/null | tr -d '\r') || return 1
    sed -n 's/^ *\([^ ]*\)  *REG_SZ *\(.*\)$/\1 \2/p' <<<"$output"
}

# install_prefix PREFIX
install_prefix() {
    local prefix=$1 state=$1/countersign lib sides side
    check_prefix "$prefix"
    lib=$(countersign_libdir)
    wow64_dir >/dev/null ||
        say 'For 64-bit programs only: Wine'\''s 32-bit files are missing ("%s fetch32", then again).' "${0##*/}"
    mkdir -p "$state"
    record_overrides "$prefix" "$state"
    if wow64_dir >/dev/null && [ ! -e "$prefix/drive_c/windows/syswow64/kernel32.dll" ]; then
        install_syswow64 "$prefix" "$state"
    fi
    sides=(x86_64:system32)
    [ ! -e "$prefix/drive_c/windows/syswow64/kernel32.dll" ] || sides+=(i386:syswow64)
    for side in "${sides[@]}"; do
        install_side "$prefix" "$state" "$lib/${side%:*}-windows" "${side#*:}"
    done
    set_overrides "$prefix"
    login_add "$prefix"
}

# record_overrides PREFIX STATE: the values that we are going to change, "NAME VALUE" or "NAME" where there was none.
record_overrides() {
    local name values
    [ ! -e "$2/overrides" ] || return 0
    if values=$(query_overrides "$1"); then
        for name in "${our_overrides[@]}"; do
            grep -im1 "^$name " <<<"$values" || echo "$name"
        done
    else
        echo 'no key'
    fi >"$2/overrides.part"
    mv "$2/overrides.part" "$2/overrides"
}

# install_syswow64 PREFIX STATE: links to Wine's i386 files where the prefix has none.
install_syswow64() {
    local windows=$1/drive_c/windows file
    [ -d "$windows/syswow64" ] || echo 'syswow64/' >>"$2/new"
    mkdir -p "$windows/syswow64"
    for file in "$(wow64_dir)"/i386-windows/*.*; do
        [ -e "$windows/syswow64/${file##*/}" ] || place_file "$1" "$2" "$file" "syswow64/${file##*/}" link
    done
    say 'Linked Wine'\''s 32-bit files into %s.' "$windows/syswow64"
}

# install_side PREFIX STATE FROM FOLDER
install_side() {
    local module
    for module in $(our_modules "$3"/..); do
        place_file "$1" "$2" "$3/$module.dll" "$4/$module.dll" copy
    done
    say 'Put %s into %s.' "$(our_modules "$3"/.. | sed 's/$/.dll/' | paste -sd ' ')" "$1/drive_c/windows/$4"
}

# place_file PREFIX STATE FROM NAME link|copy: NAME is relative to windows. What was there is saved the first time.
place_file() {
    local target=$1/drive_c/windows/$4 saved=$2/saved/$4
    if [ ! -e "$saved" ] && [ ! -L "$saved" ] && ! grep -qxsF "$4" "$2/new"; then
        if [ -e "$target" ] || [ -L "$target" ]; then
            mkdir -p "$(dirname "$saved")"
            cp -a "$target" "$saved.part"
            mv -T "$saved.part" "$saved"
        else
            echo "$4" >>"$2/new"
        fi
    fi
    if [ "$5" = link ]; then
        ln -sfT "$3" "$target"
    else
        cp --remove-destination "$3" "$target"
    fi
}

# set_overrides PREFIX: ours, and only ours, for these names: a program must not fall back to Wine's without a word.
set_overrides() {
    local name
    for name in "${our_overrides[@]}"; do
        wine_in "$1" reg add "$overrides_key" /v "$name" /t REG_SZ /d native /f >/dev/null ||
            die 'cannot write %s in the registry of %s' "$overrides_key" "$1"
    done
    say 'Set %s to "native" in %s.' "${our_overrides[*]}" "$overrides_key"
}

# remove_prefix PREFIX
remove_prefix() {
    local prefix=$1 state=$1/countersign
    if [ -e "$state" ]; then
        check_prefix "$prefix"
        [ ! -e "$state/overrides" ] || restore_overrides "$prefix" "$state/overrides"
        restore_files "$prefix" "$state"
        rm -rf "$state"
        say 'Restored the files of %s.' "$prefix/drive_c/windows"
    elif ! login_lists "$prefix"; then
        die 'Countersign is not installed in %s' "$prefix"
    fi
    login_remove "$prefix"
}

# restore_overrides PREFIX RECORD
restore_overrides() {
    local name value
    if [ "$(cat "$2")" = 'no key' ]; then
        query_overrides "$1" >/dev/null && remove_our_values "$1"
    else
        while read -r name value; do
            if [ -n "$value" ]; then
                wine_in "$1" reg add "$overrides_key" /v "$name" /t REG_SZ /d "$value" /f >/dev/null
            else
                wine_in "$1" reg delete "$overrides_key" /v "$name" /f >/dev/null 2>&1 || true   # never set
            fi
        done <"$2"
    fi
    say 'Restored %s.' "$overrides_key"
}

# remove_our_values PREFIX: where the key was ours to make, it goes too, unless somebody put more into it.
remove_our_values() {
    local name
    for name in "${our_overrides[@]}"; do
        wine_in "$1" reg delete "$overrides_key" /v "$name" /f >/dev/null 2>&1 || true
    done
    [ -n "$(query_overrides "$1")" ] || wine_in "$1" reg delete "$overrides_key" /f >/dev/null
}

# restore_files PREFIX STATE
restore_files() {
    local windows=$1/drive_c/windows name
    if [ -e "$2/new" ]; then
        while read -r name; do
            [ "${name%/}" != "$name" ] || rm -f "$windows/$name"
        done <"$2/new"
        ! grep -qx 'syswow64/' "$2/new" || rmdir --ignore-fail-on-non-empty "$windows/syswow64"
    fi
    [ -d "$2/saved" ] || return 0
    (cd "$2/saved" && find . ! -type d ! -name '*.part' -printf '%P\n') | while read -r name; do
        mv -fT "$2/saved/$name" "$windows/$name"
    done
}
