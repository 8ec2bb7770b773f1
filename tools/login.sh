# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The Unix half of our bridge for a plain `wine PROGRAM.exe`: Wine looks for it in its own folder and in WINEDLLPATH and
# nowhere else (not beside the DLL, not where a link leads), so an installed prefix needs that variable from login on.
# It is set for login shells, in the file that the user's shell reads, and for systemd's user sessions, in
# environment.d. Both serve all prefixes and go with the last one.

config_dir() { echo "${XDG_CONFIG_HOME:-${HOME:?}/.config}"; }
prefix_list() { echo "$(config_dir)/countersign/prefixes"; }
environment_file() { echo "$(config_dir)/environment.d/50-countersign.conf"; }

login_begin='# countersign: begin (made by "countersign install"; "countersign remove" takes it away)'
login_end='# countersign: end'

# login_profile: the file that a login shell of this user reads.
login_profile() {
    local name
    case ${SHELL-} in
        */zsh) echo "${ZDOTDIR:-$HOME}/.zprofile"; return ;;
    esac
    for name in .bash_profile .bash_login; do
        if [ -e "$HOME/$name" ]; then
            echo "$HOME/$name"
            return
        fi
    done
    echo "$HOME/.profile"
}

# login_files: all files that may carry our lines.
login_files() { printf '%s\n' "$HOME"/.{profile,bash_profile,bash_login} "${ZDOTDIR:-$HOME}/.zprofile"; }

# login_lists PREFIX: whether it is one of the prefixes we are installed in.
login_lists() { grep -qxsF "$(readlink -f "$1")" "$(prefix_list)"; }

# login_add PREFIX: the variable for new logins; tells what it wrote.
login_add() {
    local path list
    path=$(dll_path)
    case $path in
        *[!A-Za-z0-9/:._+~@%,-]*) die 'the path %s has characters that a login file cannot carry safely' "$path" ;;
    esac
    list=$(prefix_list)
    [ -d "${list%/*}" ] || (umask 077; mkdir -p "${list%/*}")
    login_lists "$1" || readlink -f "$1" >>"$list"
    write_profile_lines "$(login_profile)" "$path"
    mkdir -p "$(dirname "$(environment_file)")"
    # shellcheck disable=SC2016
    printf 'WINEDLLPATH=%s${WINEDLLPATH:+:$WINEDLLPATH}\n' "$path" >"$(environment_file)"
    say 'Set WINEDLLPATH=%s for new logins, in %s and %s.' "$path" "$(login_profile)" "$(environment_file)"
    say 'From the next login on, plain "wine PROGRAM.exe" uses Countersign in %s.' "$1"
}

# write_profile_lines FILE WINEDLLPATH: the first of our lines notes what delete_profile_lines needs to know.
write_profile_lines() {
    local note=
    delete_profile_lines "$1"
    if [ ! -e "$1" ]; then
        note=' (new file)'
    elif [ -s "$1" ] && [ -n "$(tail -c 1 "$1")" ]; then
        note=' (line end added)'
        echo >>"$1"
    fi
    # shellcheck disable=SC2016
    printf '%s\n' "$login_begin$note" 'case ":${WINEDLLPATH-}:" in' "    *:$2:*) ;;" \
        "    *) export WINEDLLPATH=\"$2"'${WINEDLLPATH:+:$WINEDLLPATH}" ;;' 'esac' "$login_end" >>"$1"
}

# delete_profile_lines FILE: takes our lines out. Written into the same file, which keeps its mode, owner and links.
delete_profile_lines() {
    local first last rest
    first=$(grep -sF "$login_begin" "$1") || return 0
    last=$(tail -n 1 "$1")
    rest=$(mktemp "${TMPDIR:-/tmp}/countersign.XXXXXX")
    awk -v begin="$login_begin" -v end="$login_end" \
        'index($0, begin) == 1 { inside = 1 } !inside { print } $0 == end { inside = 0 }' "$1" >"$rest"
    case $first in
        *'(line end added)') [ "$last" != "$login_end" ] || truncate -s -1 "$rest" ;;
    esac
    cat "$rest" >"$1"
    rm -f "$rest"
    case $first in
        *'(new file)') [ -s "$1" ] || rm -f "$1" ;;
    esac
}

# login_remove PREFIX: forgets the prefix; with the last one the variable goes. The list goes last of all: by it a
# remove that was cut short can be called again.
login_remove() {
    local list file rest=''
    list=$(prefix_list)
    if [ -e "$list" ]; then
        rest=$(grep -vxF "$(readlink -f "$1")" "$list") || true
    fi
    if [ -n "$rest" ]; then
        printf '%s\n' "$rest" >"$list.new"
        mv "$list.new" "$list"
        return
    fi
    while read -r file; do
        delete_profile_lines "$file"
    done < <(login_files)
    rm -f "$(environment_file)" "$list"
    rmdir "$(dirname "$(environment_file)")" "$(dirname "$list")" "$(config_dir)" 2>/dev/null || true   # if empty
    say 'Took WINEDLLPATH out of the login files.'
}
