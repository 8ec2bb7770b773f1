# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# countersign install, status and remove: what a new login then uses, what status says of every state, and that remove
# leaves nothing behind.

prefix=$HOME/.wine
installed_line='^Countersign is installed in this prefix, and active from the next login on\.$'
broken_line='^Countersign is installed in this prefix, but not active\.$'
absent_line='^Countersign is not installed in this prefix\.$'

plain() { from_login "$wine" "$@" 2>/dev/null; }

# whose ARCH: the first words of what a program says that is started by plain wine from a new login.
whose() { plain "probe-$1.exe" | tr -d '\r' | cut -d, -f1; }

# ---- the way there and back ----------------------------------------------------------------------------------------

picture_home >"$work/home-before"
expect 'status without a prefix' 1 "no Wine prefix in $prefix" "$countersign" status
expect 'install without a prefix' 1 "no Wine prefix in $prefix" "$countersign" install
same 'install without a prefix: makes nothing' "$work/home-before" <(picture_home)
check 'install without a prefix: makes no prefix' test ! -e "$prefix"

make_prefix "$prefix"
printf 'export MINE=1' >"$HOME/.profile"   # no line end: remove must not add one
chmod 640 "$HOME/.profile"
WINEPREFIX=$prefix "$wine" reg add 'HKCU\Software\Wine\DllOverrides' /v secur32 /d native,builtin /f >/dev/null
WINEPREFIX=$prefix "$wine" reg add 'HKCU\Software\Wine\DllOverrides' /v other /d builtin /f >/dev/null
WINEPREFIX=$prefix "$wine" "$work/probe-x86_64.exe" >/dev/null
picture "$prefix" before

expect 'status before install' 1 "$absent_line" "$countersign" status
check 'status before install: names the variable that is missing' grep -q 'WINEDLLPATH is not set' "$work/out"
check 'status before install: where our DLLs are' grep -qF "$(countersign_libdir)" "$work/out"
expect 'remove before install' 1 'is not installed' "$countersign" remove
check 'before install: Wine'\''s secur32 (64 bits)' test "$(whose x86_64)" = "secur32: Wine's"
before_i386=$(whose i386) || true   # nothing where Wine runs no 32-bit programs
check 'before install: not ours (32 bits)' test "$before_i386" != 'secur32: ours'

expect 'install' 0 'WINEDLLPATH=.* for new logins, in .*/\.profile and .*/environment\.d/50-countersign\.conf' \
    "$countersign" install
for word in system32 syswow64 DllOverrides 'next login'; do
    check "install: says what it did: $word" grep -q "$word" "$work/out"
done
expect 'status after install, in the old login' 1 "$installed_line" "$countersign" status
expect 'status after install, in a new login' 0 '^Countersign is active in this prefix\.$' \
    from_login "$countersign" status
check 'status: the Unix half that was found' grep -qE '^Unix half: .*/x86_64-unix/countersign\.so$' "$work/out"
for arch in $(windows_arches); do
    check "a new login uses ours ($arch)" test "$(whose "$arch")" = 'secur32: ours'
    expect "a child of a program uses ours ($arch)" 0 '^secur32: ours, .* NTLM' \
        from_login "$wine" probe-x86_64.exe start "probe-$arch.exe"
done
has_package() { grep -q 'packages:.* NTLM' <<<"$(plain "probe-$1.exe")"; }
check 'the Unix half works from a new login (64 bits)' has_package x86_64
if runs_32_bit; then
    check 'the Unix half works from a new login (32 bits)' has_package i386
fi
check 'the login keeps what else it set' test "$(from_login bash -c 'echo "$MINE"')" = 1
check 'environment.d has the variable' grep -q "^WINEDLLPATH=.*$(countersign_libdir)" \
    "$HOME/.config/environment.d/50-countersign.conf"
expect 'run in a prefix with an install' 0 '^secur32: ours' "$countersign" run probe-x86_64.exe

picture "$prefix" installed
check 'a second install' "$countersign" install
picture "$prefix" twice
unchanged 'a second install changes nothing' installed twice

# ---- states between ------------------------------------------------------------------------------------------------

# broken NAME PATTERN: status in a new login says "not active", and why.
broken() {
    expect "status, $1" 1 "$2" from_login "$countersign" status
    check "status, $1: not active" grep -q "$3" "$work/out"
}

system32=$prefix/drive_c/windows/system32
cp "$(wine_dir)/x86_64-windows/secur32.dll" "$system32/secur32.dll"
broken 'one of our DLLs was overwritten' '^system32: .*not ours.*: secur32\.dll$' "$broken_line"
rm "$system32/countersign.dll"
broken 'another is gone' '^system32: .*: countersign\.dll secur32\.dll$' "$broken_line"
"$countersign" install >/dev/null
WINEPREFIX=$prefix "$wine" reg delete 'HKCU\Software\Wine\DllOverrides' /v sspicli /f >/dev/null
broken 'an override is gone' '^Overrides: .*not set in the registry for sspicli$' "$broken_line"
"$countersign" install >/dev/null
expect 'status, WINEDLLPATH leads elsewhere' 1 "no x86_64-unix/countersign.so in WINEDLLPATH=$work" \
    env WINEDLLPATH="$work" "$countersign" status
check 'status, WINEDLLPATH leads elsewhere: not active' grep -q "$broken_line" "$work/out"
mv "$HOME/.config/environment.d/50-countersign.conf" "$work/conf"
broken 'the login file is gone' '^Login: .*does not set WINEDLLPATH' "$broken_line"
mv "$work/conf" "$HOME/.config/environment.d/50-countersign.conf"
cp -r "$(countersign_libdir)" "$work/lib"
rm "$work/lib/x86_64-unix/countersign.so" "$work/lib/i386-windows/msv1_0.dll"
expect 'status, files of ours are missing' 1 'without i386-windows/msv1_0\.dll x86_64-unix/countersign\.so' \
    env COUNTERSIGN_LIBDIR="$work/lib" "$countersign" status
expect 'status, none of our files' 1 'our DLLs were not found' env COUNTERSIGN_LIBDIR="$work/none" "$countersign" status
echo secret | "$countersign" account add --password-stdin alice >/dev/null
expect 'status: the accounts' 0 '^Accounts: .*/accounts \(1, mode 600\)$' from_login "$countersign" status
chmod 644 "$HOME/.config/countersign/accounts"
expect 'status: accounts that others can read' 0 'mode 644 and must have 600' from_login "$countersign" status
rm "$HOME/.config/countersign/accounts"
expect 'status after repairs' 0 '^Countersign is active' from_login "$countersign" status

# ---- two prefixes, and back ----------------------------------------------------------------------------------------

second=$work/prefixes/second
make_prefix "$second"
WINEPREFIX=$second "$wine" "$work/probe-x86_64.exe" >/dev/null
rm -rf "$second/drive_c/windows/syswow64"
rm "$second/drive_c/windows/system32/sspicli.dll"
picture "$second" second-before
check 'install into a second prefix, without syswow64' "$countersign" install --prefix "$second"
expect 'status of the second' 0 '^Countersign is active' from_login "$countersign" status --prefix "$second"
if runs_32_bit; then
    expect 'a 32-bit program in the second' 0 '^secur32: ours' \
        from_login env WINEPREFIX="$second" "$wine" probe-i386.exe
fi
check 'remove from the second' "$countersign" remove --prefix "$second"
picture "$second" second-after
unchanged 'remove from the second' second-before second-after
drop_prefix "$second"
expect 'the first is still active' 0 '^Countersign is active' from_login "$countersign" status

expect 'remove' 0 'Took WINEDLLPATH out' "$countersign" remove
picture "$prefix" after
unchanged 'remove' before after
expect 'status after remove' 1 "$absent_line" from_login "$countersign" status
check "after remove: Wine's secur32 (64 bits)" test "$(whose x86_64)" = "secur32: Wine's"
check 'after remove: what there was before (32 bits)' test "$(whose i386)" = "$before_i386"
expect 'remove once more' 1 'is not installed' "$countersign" remove
sed -i 's/^#arch=win64/#arch=win32/' "$prefix/system.reg"
expect 'install into a 32-bit prefix' 1 'is a 32-bit prefix' "$countersign" install
check 'install into a 32-bit prefix: leaves nothing' test ! -e "$prefix/countersign"
drop_prefix "$prefix"
rm -f "$HOME/.profile"
skip_without_32_bit 'install: 32-bit programs'
