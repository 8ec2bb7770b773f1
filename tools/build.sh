# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Building from a checkout, for the tools that do it first: the packages, configure, make. Source it after lib.sh.

source_dir=$(cd "$tools_dir/.." && pwd)
: "${COUNTERSIGN_BUILD:=$source_dir/build}"
export COUNTERSIGN_BUILD

# run_step LOG COMMAND...: runs it with its output in LOG; on failure shows the end of that and ends the script.
run_step() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 30 "$log" >&2
    die '"%s" failed; all it printed is in %s' "$*" "$log"
}

# configure_tree: makes configure, unless it is newer than what it is made from, and a build tree, unless there is one.
configure_tree() {
    mkdir -p "$COUNTERSIGN_BUILD"
    if [ ! -e "$source_dir/configure" ] || [ "$source_dir/configure.ac" -nt "$source_dir/configure" ] ||
            [ "$source_dir/Makefile.am" -nt "$source_dir/Makefile.in" ]; then
        (cd "$source_dir" && run_step "$COUNTERSIGN_BUILD/autoreconf.log" autoreconf -fi)
    fi
    if [ ! -e "$COUNTERSIGN_BUILD/Makefile" ]; then
        (cd "$COUNTERSIGN_BUILD" && run_step configure.log "$source_dir/configure")
    fi
}

# build_tree TARGET...: everything from nothing, as far as it is not there.
build_tree() {
    # shellcheck disable=SC2046 # names of packages, to be split
    need_packages $(packages build tests)
    progress 'building in %s' "$COUNTERSIGN_BUILD"
    configure_tree
    run_step "$COUNTERSIGN_BUILD/make.log" make -C "$COUNTERSIGN_BUILD" -j"$(nproc)" "$@"
    ! grep -n 'warning:' "$COUNTERSIGN_BUILD/make.log" >&2 || progress 'the compiler warned (above)'
}
