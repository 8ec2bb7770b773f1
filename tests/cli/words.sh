# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Help texts, and what is not understood: 0 and 2, each on its own stream.

# helps NAME COMMAND...: --help goes to standard output, says how to call it, and ends with 0.
helps() {
    local name=$1
    shift
    expect "$name --help" 0 '^Usage: ' "$@" --help
    check "$name --help: nothing on standard error" test ! -s "$work/err"
}

# refuses NAME PATTERN COMMAND...: 2, a line that matches PATTERN, a hint, and nothing on standard output.
refuses() {
    local name=$1
    expect "$name" 2 "$2" "${@:3}"
    check "$name: nothing on standard output" test ! -s "$work/out"
    check "$name: points to --help" grep -q -- '--help' "$work/err"
}

picture_home >"$work/home-before"
for tool in countersign demo check bench fuzz conformance fresh realm; do
    helps "$tool" "$here/../../tools/$tool"
    refuses "$tool --no-such-option" 'no-such-option' "$here/../../tools/$tool" --no-such-option
done
helps tokendump "$build/tokendump"
refuses 'tokendump --no-such-option' 'no-such-option' "$build/tokendump" --no-such-option

expect 'countersign -h' 0 '^Usage: countersign ' "$countersign" -h
expect 'countersign help' 0 '^Usage: countersign ' "$countersign" help
refuses 'countersign without a command' 'a command is missing' "$countersign"
refuses 'unknown command' '"walk"' "$countersign" walk
refuses 'run without a program' 'a program is missing' "$countersign" run
refuses 'run --prefix without a folder' '--prefix' "$countersign" run --prefix
refuses 'run with an empty --prefix' '--prefix' "$countersign" run --prefix '' x.exe
for command in run install remove status; do
    refuses "$command --no-such-option" 'no-such-option' "$countersign" "$command" --no-such-option
done
for command in install remove status fetch32; do
    refuses "$command with an argument too many" '"extra"' "$countersign" "$command" extra
done
refuses 'account without an action' 'add, list or remove' "$countersign" account
refuses 'account with an unknown action' '"rename"' "$countersign" account rename
refuses 'account list with an argument' 'list' "$countersign" account list alice
refuses 'account remove without a name' 'remove' "$countersign" account remove
refuses 'account add without a name' 'name' "$countersign" account add
refuses 'account add with a password as argument' 'never an argument' "$countersign" account add alice secret
refuses 'account add --no-such-option' 'no-such-option' "$countersign" account add --no-such-option alice

# every_word: the man page names every command and option of the help text.
every_word() {
    local word text missing=()
    text=$(sed -e 's/\\-/-/g' "$here/../../man/countersign.1")
    for word in run install remove status fetch32 'account add' 'account list' 'account remove' --prefix \
                --password-stdin --help; do
        grep -qF -- "$word" "$work/help" && grep -qF -- "$word" <<<"$text" || missing+=("$word")
    done
    [ "${#missing[@]}" -eq 0 ] || { printf 'not in both: %s\n' "${missing[@]}"; return 1; }
}

"$countersign" --help >"$work/help"
check 'help text and man page have the same words' every_word
same 'nothing of all this wrote into the home folder' "$work/home-before" <(picture_home)
