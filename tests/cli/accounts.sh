# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# countersign account: the file that it keeps, and what it refuses.

accounts=$HOME/.config/countersign/accounts

# add NAME PASSWORD
add() { printf '%s\n' "$2" | "$countersign" account add --password-stdin "$1"; }

# refuse_add NAME PATTERN ACCOUNT PASSWORD: ends with 1 and a line that matches PATTERN.
refuse_add() { expect "$1" 1 "$2" bash -c 'add "$@"' add "$3" "$4"; }

export countersign
export -f add

# hash_of NAME: the fourth field of its line.
hash_of() { sed -n "s/^$1:[0-9]*:[X]*:\([0-9A-F]*\):.*/\1/p" "$accounts"; }

names() { "$countersign" account list | paste -sd ' '; }

mode_of() { stat -c %a "$1"; }

check 'list without a file' "$countersign" account list
check 'list without a file: prints nothing' test -z "$(names)"
expect 'remove without a file' 1 'no account file' "$countersign" account remove alice
check 'neither makes the file' test ! -e "$accounts"

check 'add' add alice Password
check 'add: the file has mode 0600' test "$(mode_of "$accounts")" = 600
check 'add: its folder has mode 0700' test "$(mode_of "${accounts%/*}")" = 700
# NTOWFv1("Password") is MS-NLMP 4.2.2.1.2; the other hashes here were made by `openssl dgst -md4` of the UTF-16LE.
check 'add: the NT hash of MS-NLMP' test "$(hash_of alice)" = A4F49C406510BDCAB6824EE7C30FD852
check 'add: a line of smbpasswd(5), without an LM hash' \
    grep -qE '^alice:[0-9]+:X{32}:[0-9A-F]{32}:\[U          \]:LCT-[0-9A-F]{8}:$' "$accounts"
check 'add: no password in the file' test "$(grep -c Password "$accounts")" -eq 0
check 'add another' add 'Bób Müller' 'pässwörd €'
check 'list' test "$(names)" = 'alice Bób Müller'

check 'a password beyond ASCII' test "$(hash_of 'Bób Müller')" = 184EFD7DDE8EBDBDD9869D2F4CEF8AB6

check 'add the same name: a new password' add alice 'Correct Horse 9'
check 'add the same name: one line' test "$(grep -c '^alice:' "$accounts")" -eq 1
check 'add the same name: the new hash' test "$(hash_of alice)" = FB7B484FB84832B31216E435013F7F10
check 'add the same name in capitals: a new password' add ALICE Password
check 'add the same name in capitals: one line' test "$(grep -ic '^alice:' "$accounts")" -eq 1
check 'add keeps mode 0600' test "$(mode_of "$accounts")" = 600

expect 'remove an unknown account' 1 'no account carol' "$countersign" account remove carol
check 'remove, whatever its case' "$countersign" account remove aLiCe
check 'list after remove' test "$(names)" = 'Bób Müller'
check 'remove keeps mode 0600' test "$(mode_of "$accounts")" = 600
check 'no other file is left in the folder' test "$(ls "${accounts%/*}")" = accounts

# A file that others may have read or changed is no file of secrets.
sum=$(sha256sum "$accounts")
for mode in 640 604 660 644 700; do
    chmod "$mode" "$accounts"
    expect "list, mode $mode" 1 "mode $mode and must have 600" "$countersign" account list
    refuse_add "add, mode $mode" "mode $mode and must have 600" mallory secret
    expect "remove, mode $mode" 1 "mode $mode and must have 600" "$countersign" account remove 'Bób Müller'
done
chmod 600 "$accounts"
check 'a refused call changes nothing' test "$(sha256sum "$accounts")" = "$sum"

for name in 'a:b' '#comment' 'DOMAIN\user' 'user@realm' 'a/b' 'a"b' 'a*b' $'a\nb' $'a\tb'; do
    refuse_add "add a bad name: $(printf %q "$name")" 'cannot be the name' "$name" secret
done
refuse_add 'add with an empty password' 'password is empty' carol ''
refuse_add 'add with two lines' 'one line' carol $'one\ntwo'
expect 'add with no input at all' 1 'password is empty' "$countersign" account add --password-stdin carol
refuse_add 'add with bytes that are no UTF-8' 'UTF-8' carol $'\xff\xfe'
expect 'add without a terminal' 1 'use --password-stdin' "$countersign" account add carol
check 'a failed add leaves the file as it was' test "$(sha256sum "$accounts")" = "$sum"

# type_when PATTERN TEXT: waits until the terminal shows PATTERN, and types TEXT.
type_when() {
    for _ in {1..100}; do
        ! grep -q "$1" "$work/terminal" || break
        sleep 0.1
    done
    printf '%s\n' "$2"
}

# on_terminal NAME FIRST SECOND: account add with a terminal, which script(1) lends, and two passwords typed there.
on_terminal() {
    : >"$work/terminal"
    { type_when 'Password for' "$2"; type_when 'Once more' "$3"; } |
        timeout 30 script -qefc "$countersign account add $1" "$work/terminal" >/dev/null
}

check 'add on a terminal' on_terminal dave Secret Secret
check 'add on a terminal: the hash' test "$(hash_of dave)" = F077CA4B7D73486A45E75DCDD74CD5BD
check 'add on a terminal: no echo' test "$(grep -c Secret "$work/terminal")" -eq 0
status=0
on_terminal erin one two || status=$?
check 'add on a terminal: two that differ' test "$status" -eq 1
check 'add on a terminal: two that differ, and it says so' grep -q 'the two are not the same' "$work/terminal"
check 'add on a terminal: two that differ, nothing added' test -z "$(hash_of erin)"

COUNTERSIGN_ACCOUNTS=$work/elsewhere add frank secret >/dev/null
check 'COUNTERSIGN_ACCOUNTS names the file' grep -q '^frank:' "$work/elsewhere"
ln -s "$work/elsewhere" "$work/link"
COUNTERSIGN_ACCOUNTS=$work/link add grace secret >/dev/null
check 'a link to the file stays one' test -L "$work/link"
check 'a link to the file: the file has both' test "$(grep -c '^[fg]ra' "$work/elsewhere")" -eq 2
rm -r "$HOME/.config"
