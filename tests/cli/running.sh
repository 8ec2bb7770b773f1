# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# countersign run: programs of both architectures and their children have our DLLs, their exit codes come through, and
# the prefix is afterwards what it was.

prefix=$work/prefixes/run
make_prefix "$prefix"
WINEPREFIX=$prefix "$wine" "$work/probe-x86_64.exe" >/dev/null   # Wine itself writes into a new prefix
picture "$prefix" before

# plain PROGRAM...: with the system's Wine and the same prefix.
plain() { WINEPREFIX=$prefix timeout 60 "$wine" "$@" 2>/dev/null; }

# has_ours NAME BITS COMMAND...
has_ours() {
    if [ "$2" = 32 ] && ! runs_32_bit; then
        skip_without_32_bit "$1"
    else
        expect "$1" 0 "^secur32: ours, $2 bits, packages:.* NTLM" "${@:3}"
    fi
}

check 'without run: the prefix has Wine'\''s secur32' grep -q "^secur32: Wine's, 64 bits" <(plain probe-x86_64.exe)
has_ours 'a 64-bit program' 64 "$countersign" run --prefix "$prefix" probe-x86_64.exe
check 'nothing on standard error' test ! -s "$work/err"
check 'standard output is the program'\''s own' test "$(wc -l <"$work/out")" -eq 1
has_ours 'a 32-bit program' 32 "$countersign" run --prefix="$prefix" probe-i386.exe
has_ours 'the prefix from WINEPREFIX' 64 env WINEPREFIX="$prefix" "$countersign" run probe-x86_64.exe
has_ours 'a relative --prefix' 64 "$countersign" run --prefix "prefixes/run" probe-x86_64.exe
for child in $(windows_arches); do
    bits=64
    [ "$child" = x86_64 ] || bits=32
    for parent in $(windows_arches); do
        has_ours "a $child child of a $parent program" "$bits" \
            "$countersign" run --prefix "$prefix" "probe-$parent.exe" start "probe-$child.exe"
    done
done
has_ours 'a grandchild through cmd.exe' 32 "$countersign" run --prefix "$prefix" cmd.exe /c probe-i386.exe
for code_given in 0 1 7 255; do
    for arch in $(windows_arches); do
        run_command "$countersign" run --prefix "$prefix" "probe-$arch.exe" exit "$code_given"
        check "exit code $code_given ($arch)" test "$code" -eq "$code_given"
    done
done
last=probe-$(windows_arches | tail -n 1).exe
run_command "$countersign" run --prefix "$prefix" probe-x86_64.exe start "$last exit 9"
check 'the exit code of a child' test "$code" -eq 9
expect 'options after the program are its own' 2 '^usage: probe' \
    "$countersign" run --prefix "$prefix" probe-x86_64.exe --help

expect 'a path that leads nowhere' 1 "there is no program $work/no-such-program.exe" \
    "$countersign" run --prefix "$prefix" "$work/no-such-program.exe"
run_command "$countersign" run --prefix "$prefix" no-such-program.exe   # it could be in Wine's search path
check 'a name that Wine does not find' test "$code" -ne 0
expect 'a Windows path' 0 '^secur32: ours' "$countersign" run --prefix "$prefix" "Z:${work//\//\\}\\probe-x86_64.exe"
expect 'a prefix that names other native DLLs' 0 '^secur32: ours' env WINEDLLOVERRIDES='secur32=n;winemenubuilder.exe=d' \
    "$countersign" run --prefix "$prefix" probe-x86_64.exe

# converse ARCH: a client and a server that authenticate each other by the loopback logon, both started by run.
converse() {
    local server status=0
    rm -f port
    export COUNTERSIGN_LOOPBACK_SECRET=$work/secret
    timeout 60 "$countersign" run --prefix "$prefix" "$build/samples/$1/server.exe" port >server.txt 2>&1 &
    server=$!
    for _ in {1..300}; do
        [ ! -s port ] || break
        sleep 0.1
    done
    timeout 60 "$countersign" run --prefix "$prefix" "$build/samples/$1/client.exe" "$(tr -d '\r\n' <port)" || status=$?
    [ "$status" -eq 0 ] || kill "$server"
    wait "$server" || status=$?
    cat server.txt
    [ "$status" -eq 0 ] && grep -q 'refuses the message: SEC_E_MESSAGE_ALTERED' server.txt
}

for arch in $(windows_arches); do
    check "client and server log on and talk ($arch)" converse "$arch"
done
picture "$prefix" after
unchanged 'after all these runs' before after

# Programs that need more than a prefix of 64-bit Wine has.
rm -rf "$prefix/drive_c/windows/syswow64"
has_ours 'a 32-bit program in a prefix without syswow64' 32 "$countersign" run --prefix "$prefix" probe-i386.exe
check 'a 32-bit program in a prefix without syswow64: none is made' test ! -e "$prefix/drive_c/windows/syswow64"
settle "$prefix"
if [ -e "$(wine_dir)/i386-windows/ntdll.dll" ]; then
    pass 'Wine has its 32-bit files itself: none to miss'
else
    expect 'a 32-bit program without Wine'\''s 32-bit files' 1 'fetch32' env XDG_CACHE_HOME="$work/empty" \
        "$countersign" run --prefix "$prefix" probe-i386.exe
fi
expect 'our DLLs are not there' 1 'our DLLs were not found' env COUNTERSIGN_LIBDIR="$work/nowhere" \
    "$countersign" run --prefix "$prefix" probe-x86_64.exe

# A prefix that is not there is made, by the system's Wine: what is in it is Wine's.
fresh=$work/prefixes/fresh
has_ours 'a prefix that run has to make' 64 env WINEDLLOVERRIDES=winemenubuilder.exe=d \
    "$countersign" run --prefix "$fresh" probe-x86_64.exe
check 'a prefix that run has to make: its secur32 is Wine'\''s' \
    cmp "$(wine_dir)/x86_64-windows/secur32.dll" "$fresh/drive_c/windows/system32/secur32.dll"
check 'a prefix that run has to make: nothing of the bridge' test ! -e "$fresh/drive_c/windows/system32/countersign.dll"
settle "$fresh"
check 'a prefix that run has to make: no overrides' bash -c "! grep -qi '\"secur32\"' '$fresh/user.reg'"
drop_prefix "$fresh"
drop_prefix "$prefix"
