# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# An install or a remove that is killed, by a signal that nobody can catch, in the middle of each of its steps: remove
# then restores what was there before.

prefix=$HOME/.wine
make_prefix "$prefix"
printf 'export MINE=1\n' >"$HOME/.profile"
rm "$prefix/drive_c/windows/system32/sspicli.dll"
WINEPREFIX=$prefix "$wine" reg add 'HKCU\Software\Wine\DllOverrides' /v secur32 /d native,builtin /f >/dev/null
WINEPREFIX=$prefix "$wine" "$work/probe-x86_64.exe" >/dev/null
picture "$prefix" before

# Bash reads this at the start of a script: it kills the script before the COUNTERSIGN_KILL_AT'th command that matches
# COUNTERSIGN_KILL_BEFORE.
cat >"$work/kill.sh" <<'END'
if [ -n "${COUNTERSIGN_KILL_BEFORE-}" ]; then
    kill_matching() {
        # shellcheck disable=SC2053
        [[ $1 != $COUNTERSIGN_KILL_BEFORE ]] || ((--COUNTERSIGN_KILL_AT)) || kill -KILL $$
    }
    set -o functrace
    trap 'kill_matching "$BASH_COMMAND"' DEBUG
fi
END

# killed COMMAND PATTERN NUMBER: runs countersign COMMAND, killed before its NUMBER'th shell command like PATTERN.
killed() {
    local status=0
    BASH_ENV=$work/kill.sh COUNTERSIGN_KILL_BEFORE=$2 COUNTERSIGN_KILL_AT=$3 "$countersign" "$1" >/dev/null 2>&1 ||
        status=$?
    [ "$status" -eq 137 ]
}

# restores NAME: remove makes everything as it was.
restores() {
    check "$1: remove" "$countersign" remove
    picture "$prefix" after
    unchanged "$1, then remove" before after
}

# install_killed NAME PATTERN NUMBER
install_killed() {
    check "install killed $1" killed install "$2" "$3"
    restores "install killed $1"
}

# remove_killed NAME PATTERN NUMBER: of a whole install.
remove_killed() {
    "$countersign" install >/dev/null
    check "remove killed $1" killed remove "$2" "$3"
    restores "remove killed $1"
}

install_killed 'before it records the overrides' 'mv "$2/overrides.part"*' 1
install_killed 'while it saves a file' 'mv -T "$saved.part"*' 2
install_killed 'before it puts a file in place' 'cp --remove-destination*' 3
install_killed 'between two overrides' 'wine_in "$1" reg add*' 3
install_killed 'before it writes the login file' 'write_profile_lines*' 1
install_killed 'before it writes environment.d' "printf 'WINEDLLPATH*" 1
remove_killed 'between two overrides' 'wine_in "$1" reg *' 2
remove_killed 'between two files' 'mv -fT*' 2
remove_killed 'before it forgets the prefix' 'login_remove*' 1
remove_killed 'before it takes out the login lines' 'delete_profile_lines*' 1

# Killed, and then installed again: as if nothing had happened.
check 'install killed between two files' killed install 'cp --remove-destination*' 4
check 'install again' "$countersign" install
expect 'install again: active' 0 '^Countersign is active' from_login "$countersign" status
restores 'install killed, installed again'
drop_prefix "$prefix"
