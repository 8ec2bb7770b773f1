# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# `countersign run`: a program under Wine with our DLLs, in a prefix that nothing is written to.
#
# How: in the cache lies a shadow of the system's Wine, a tree of links with the same layout in which our DLLs stand in
# the place of Wine's. Wine's loader looks for everything relative to its own file and to ntdll.so (links resolved), so
# these two are copies, and whatever they start, child processes with an environment of their own included, is served
# from the shadow. Neither the registry nor system32 takes part; two things make that so:
# - Wine takes a DLL that its prefix knows as builtin from its own folder, so ours carry the builtin mark there.
# - A name that the prefix has no file for (our bridge) Wine would not find, but for 16-bit modules, whose names end
#   in 16: those it looks up in its own folder at once. So in the shadow countersign.dll is called countersign.d16.
# Tried with Wine 8.0 and 10.0, 64-bit and 32-bit programs.
# The other ways: WINEPATH changes the PATH that programs see and is lost when a program starts another with a PATH of
# its own; a file put into system32 for the time of the run stays behind after a crash.

# wine_loader: the loader itself, not the script that Debian has in front of it.
wine_loader() {
    local path
    for path in /usr/lib/wine/wine64 /opt/wine-*/bin/wine64 /opt/wine-*/bin/wine /usr/bin/wine64 /usr/bin/wine; do
        path=$(readlink -f "$path")
        if [ -x "$path" ] && [ "$(head -c 4 "$path" | tr -d '\0')" = $'\x7fELF' ]; then
            echo "$path"
            return
        fi
    done
    die 'Wine is not installed: no loader'
}

# wine_share: the folder with wine.inf and the nls files.
wine_share() {
    local dir
    dir=$(wine_dir)
    echo "${dir%/lib*}/share/wine"
}

# shadow_tree: makes the shadow if there is none for this Wine and these DLLs, and prints its path.
shadow_tree() {
    local lib loader dir wow64 shadow work
    lib=$(countersign_libdir)
    loader=$(wine_loader)
    dir=$(wine_dir)
    wow64=$(wow64_dir) || wow64=
    shadow=$(cache_dir)/shadow-$(wine_version)-$(shadow_key "$lib" "$loader" "$wow64")
    if [ ! -d "$shadow" ]; then
        mkdir -p "$(cache_dir)"
        find "$(cache_dir)" -maxdepth 1 -name 'shadow*' -mtime +30 -exec rm -rf {} +
        work=$(mktemp -d "$(cache_dir)/shadow.XXXXXX")
        shadow_wine "$work" "$loader" "$dir" "$wow64"
        shadow_modules "$work$dir" "$dir" "$lib"
        mv -T "$work" "$shadow" 2>/dev/null || rm -rf "$work"   # another run was faster
    fi
    touch "$shadow"
    echo "$shadow"
}

# shadow_key LIB LOADER WOW64: changes with everything the shadow is made from.
shadow_key() {
    { sha256sum "$1"/*/*.dll "$1"/*/*.so "$2"; echo "$3"; cat "$tools_dir/shadow.sh"; } | sha256sum | head -c 16
}

# shadow_wine ROOT LOADER DIR WOW64: links to the system's Wine at the same paths below ROOT.
shadow_wine() {
    local root=$1 loader=$2 dir=$3 wow64=$4 sub
    mkdir -p "$root${loader%/*}" "$root$dir"/{x86_64-unix,x86_64-windows,i386-windows} "$root$(dirname "$(wine_share)")"
    ln -s "$(wine_share)" "$root$(wine_share)"
    cp -s "${loader%/*}"/wine* "$root${loader%/*}/"
    # Not the 32-bit loader: it would look for a 32-bit Unix half, which we have none of.
    [ "${loader##*/}" = wine ] || rm -f "$root${loader%/*}/wine"
    cp --remove-destination "$loader" "$root$loader"
    for sub in x86_64-unix x86_64-windows; do
        find "$dir/$sub" -maxdepth 1 -name '*.*' ! -name '*.a' ! -name '*.def' -exec cp -s -t "$root$dir/$sub" {} +
    done
    cp --remove-destination "$dir/x86_64-unix/ntdll.so" "$root$dir/x86_64-unix/ntdll.so"
    [ -z "$wow64" ] || cp -s "$wow64"/i386-windows/*.* "$root$dir/i386-windows/"
}

# shadow_modules TO DIR LIB: our DLLs, marked as builtin, and their Unix half, in the place of Wine's.
shadow_modules() {
    local to=$1 dir=$2 lib=$3 module arch new=()
    for module in $(our_modules "$lib"); do
        [ -e "$dir/x86_64-windows/$module.dll" ] || new+=("$module")
    done
    for module in $(our_modules "$lib"); do
        rm -f "$to/x86_64-unix/$module.so"
        [ ! -e "$lib/x86_64-unix/$module.so" ] || cp "$lib/x86_64-unix/$module.so" "$to/x86_64-unix/"
        for arch in x86_64-windows i386-windows; do
            cp --remove-destination "$lib/$arch/$module.dll" "$to/$arch/"
            mark_builtin "$to/$arch/$module.dll"
            rename_imports "$to/$arch/$module.dll" "${new[@]}"
        done
    done
    for module in "${new[@]}"; do
        for arch in x86_64-windows i386-windows; do
            mv "$to/$arch/$module.dll" "$to/$arch/$module.d16"
        done
    done
}

# mark_builtin FILE: what `winebuild --builtin` does, without a need for Wine's development tools: the mark goes
# between the DOS header and the PE header.
mark_builtin() {
    [ "$(od -An -tu4 -j60 -N4 "$1")" -ge 96 ] || die '%s has no room for the mark of a builtin DLL' "$1"
    printf 'Wine builtin DLL\0' | dd of="$1" bs=1 seek=64 conv=notrunc status=none
}

# rename_imports FILE MODULES...: every mention of MODULE.dll becomes MODULE.d16, in ASCII (imports) and in UTF-16.
rename_imports() {
    local file=$1 module edits=()
    shift
    for module; do
        edits+=(-e "s/\\b$module\\.dll/$module.d16/g" -e "s/$(utf16_pattern "$module")\\.\\x00d\\x00l\\x00l/$(
            utf16_pattern "$module").\\x00d\\x001\\x006/g")
    done
    LC_ALL=C sed -i "${edits[@]}" "$file"
}

utf16_pattern() { sed 's/./&\\x00/g' <<<"$1"; }

# settle_prefix PREFIX: has the system's own Wine create or update the prefix where it is due, for Wine started from the
# shadow would do so with our files.
settle_prefix() {
    local stamp='' action=-u
    [ ! -e "$1/.update-timestamp" ] || stamp=$(tr -d '\r\n' <"$1/.update-timestamp")
    if [ "$stamp" != disable ] && [ "$stamp" != "$(stat -L -c %Y "$(wine_share)/wine.inf")" ]; then
        progress 'letting Wine bring the prefix %s up to date' "$1"
        [ -e "$1/system.reg" ] || action=-i
        WINEPREFIX=$1 WINEDEBUG=-all "$(wine_tool wineboot)" "$action" >&2
    fi
}

# is_i386 FILE: whether FILE is a 32-bit Windows program.
is_i386() {
    local header
    [ -f "$1" ] || return 1
    header=$(od -An -tu4 -j60 -N4 "$1") || return 1
    [ -n "$header" ] && [ "$(od -An -tx2 -j$((header + 4)) -N2 "$1" | tr -d ' ')" = 014c ]
}

# prepare_i386 PREFIX: for a 32-bit program. A prefix made without 32-bit Wine has nothing in syswow64, and Wine looks
# there first, except while it makes a prefix.
prepare_i386() {
    wow64_dir >/dev/null ||
        die 'a 32-bit program: Wine'\''s 32-bit files are missing ("%s fetch32" fetches them)' "${0##*/}"
    [ -e "$1/drive_c/windows/syswow64/kernel32.dll" ] || export WINEBOOTSTRAPMODE=1
}

# check_program PROGRAM: dies if it is a Unix path that leads nowhere, which Wine's message would not name. Other names
# Wine looks up.
check_program() {
    case $1 in
        [A-Za-z]:* | *\\*) ;;
        */*) [ -e "$1" ] || die 'there is no program %s' "$1" ;;
    esac
}

# run_program PREFIX PROGRAM ARGS...
run_program() {
    local prefix=$1 shadow loader
    shift
    check_program "$1"
    settle_prefix "$prefix"
    ! is_i386 "$1" || prepare_i386 "$prefix"
    shadow=$(shadow_tree)
    loader=$shadow$(wine_loader)
    unset WINESERVER
    # The prefix may name native DLLs of these names, ours by `install` or others.
    exec env WINEPREFIX="$prefix" WINELOADER="$loader" WINEDEBUG="${WINEDEBUG-fixme-all,err-environ}" \
        WINEDLLOVERRIDES="${WINEDLLOVERRIDES:+$WINEDLLOVERRIDES;}$(override_names)=b" "$loader" "$@"
}
