# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A world of a test's own, for servers that know fixed places and ports: private mounts, a network that is loopback
# alone, and processes that end with the command. The machine's own services, accounts and files are out of reach. Who
# sources it defines set_up DIR, which makes the world from inside; everything below DIR is private.

# hide DIR PLACE: a folder of DIR in the place of one of the machine's.
hide() {
    mkdir -p "$1"
    mount --bind "$1" "$2"
}

# inside DIR COMMAND...: what runs in the namespaces. What set_up prints is shown if it fails.
inside() {
    local dir=$1
    shift
    set_up "$dir" >"$dir/messages" 2>&1 || { cat "$dir/messages" >&2; exit 1; }
    exec "$@"
}

# end_world: for traps.
end_world() {
    [ -z "${world-}" ] || kill -KILL "$world" 2>/dev/null || true
    rm -rf "$world_dir"
}

# in_world SELF COMMAND...: runs the command; SELF is the script that calls inside for --inside. Ends with its exit code.
in_world() {
    local self=$1 status=0
    shift
    world_dir=$(mktemp -d)
    # unshare itself ignores the signals that end a script; with it, --kill-child ends all that runs in the world.
    trap end_world EXIT
    trap 'exit 143' TERM
    trap 'exit 130' INT
    unshare --mount --net --pid --fork --kill-child --mount-proc "$self" --inside "$world_dir" "$@" &
    world=$!
    wait "$world" || status=$?
    world=
    exit "$status"
}
