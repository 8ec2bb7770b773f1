# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# `countersign account`: the local account file, by which our acceptor checks who logs on. One account a line, in the
# form of smbpasswd(5): NAME:UID:LM hash (never kept):NT hash:[U          ]:LCT-seconds:

accounts_file() { echo "${COUNTERSIGN_ACCOUNTS:-${XDG_CONFIG_HOME:-${HOME:?}/.config}/countersign/accounts}"; }

# account add|list|remove ...
account() {
    local action=${1-}
    [ "$#" -eq 0 ] || shift
    case $action in
        add) account_add "$@" ;;
        list) [ "$#" -eq 0 ] || usage_error 'account list takes no argument'; account_list ;;
        remove) [ "$#" -eq 1 ] || usage_error 'account remove takes one name'; account_remove "$1" ;;
        '') usage_error 'account: add, list or remove?' ;;
        *) usage_error 'account: unknown action "%s"' "$action" ;;
    esac
}

# account_add [--password-stdin] NAME
account_add() {
    local from_stdin='' name='' argument password hash file
    for argument; do
        case $argument in
            --password-stdin) from_stdin=1 ;;
            -*) usage_error 'account add: unknown option "%s"' "$argument" ;;
            *) [ -z "$name" ] || usage_error 'account add takes one name; a password is never an argument'
               name=$argument ;;
        esac
    done
    check_account_name "$name"
    file=$(accounts_file)
    prepare_accounts_file "$file"
    if [ -n "$from_stdin" ]; then
        hash=$("$(nthash_program)") || exit 1
    else
        password=$(ask_password "$name") || exit 1
        hash=$(printf '%s' "$password" | "$(nthash_program)") || exit 1
    fi
    [[ $hash =~ ^[0-9A-F]{32}$ ]] || die 'no hash was made of the password'
    { lines_without "$name" "$file"
      printf '%s:%d:%s:%s:[U          ]:LCT-%08X:\n' "$name" "$(id -u)" XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX "$hash" \
          "$(date +%s)"; } | replace_accounts_file "$file"
    say 'Account %s is in %s.' "$name" "$file"
}

account_list() {
    local file
    file=$(accounts_file)
    [ -e "$file" ] || return 0
    check_accounts_file "$file"
    sed -n 's/^\([^#:][^:]*\):.*/\1/p' "$file"
}

# account_remove NAME
account_remove() {
    local file
    file=$(accounts_file)
    check_account_name "$1"
    [ -e "$file" ] || die 'there is no account file %s' "$file"
    check_accounts_file "$file"
    [ "$(lines_without "$1" "$file" | wc -l)" -lt "$(wc -l <"$file")" ] || die 'no account %s in %s' "$1" "$file"
    lines_without "$1" "$file" | replace_accounts_file "$file"
    say 'Account %s is removed from %s.' "$1" "$file"
}

# check_account_name NAME: dies unless NAME can be a user name in the file and in Windows.
check_account_name() {
    [ -n "$1" ] || usage_error 'the name of the account is missing'
    case $1 in
        \#* | *[[:cntrl:]:\"/\\\[\]\;\|=,+*?\<\>@]*) die '"%s" cannot be the name of an account' "$1" ;;
    esac
}

# check_accounts_file FILE: dies if others may have read or changed it.
check_accounts_file() {
    local mode
    mode=$(stat -L -c %a "$1")
    [ "$mode" = 600 ] ||
        die '%s has mode %s and must have 600, for a hash is as good as the password' "$1" "$mode"
    [ -O "$1" ] || die '%s belongs to somebody else' "$1"
}

# prepare_accounts_file FILE: its folder (mode 0700 if it is ours to make), and an empty file if there is none.
prepare_accounts_file() {
    if [ -e "$1" ]; then
        check_accounts_file "$1"
    else
        [ -d "$(dirname "$1")" ] || (umask 077; mkdir -p "$(dirname "$1")")
        (umask 077; : >"$1")
    fi
}

# lines_without NAME FILE: FILE but for the account NAME (Windows's names know no case).
lines_without() {
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        [ "${line%%:*}" != "$line" ] && [ "$(lower "${line%%:*}")" = "$(lower "$1")" ] || printf '%s\n' "$line"
    done <"$2"
}

lower() { printf '%s' "${1,,}"; }

# replace_accounts_file FILE: standard input becomes FILE in one step; a reader sees the old or the new one.
replace_accounts_file() {
    local file new
    file=$(readlink -f "$1")
    new=$(mktemp "$file.XXXXXX")   # mktemp makes it 0600
    if ! cat >"$new"; then
        rm -f "$new"
        die 'cannot write %s' "$new"
    fi
    mv "$new" "$file"
}

# ask_password NAME: asks twice on the terminal, without echo; prints the password.
ask_password() {
    local first second
    [ -t 0 ] || die 'standard input is no terminal; use --password-stdin'
    IFS= read -rsp "$(translated 'Password for %s: ' "$1")" first && echo >&2
    IFS= read -rsp "$(translated 'Once more: ')" second && echo >&2
    [ "$first" = "$second" ] || die 'the two are not the same'
    printf '%s' "$first"
}

# nthash_program: the program that makes an NT hash of a password.
nthash_program() {
    local dir
    for dir in "${COUNTERSIGN_BUILD:-$tools_dir/../build}" '@pkglibexecdir@' "$tools_dir/../../libexec/countersign"; do
        if [ -x "$dir/countersign-nthash" ]; then
            echo "$dir/countersign-nthash"
            return
        fi
    done
    die 'the program countersign-nthash was not found (build it with make)'
}
