# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes exports_table.h for callall.c:
#     awk -f table.awk dlls/secur32/unsupported.tsv tests/data/exports.tsv > exports_table.h
# One line a name, with its i386 argument bytes (-1: unknown) and, where the work is still to come, what it returns.

BEGIN {
    FS = "\t"
    print "/* Made by table.awk. */"
    print "static const struct export exports[] = {"
    # ntsecpkg.h: SpLsaModeInitializeFn, SpUserModeInitializeFn, SpInstanceInitFn
    bytes["SpLsaModeInitialize"] = 16
    bytes["SpUserModeInitialize"] = 16
    bytes["SpInstanceInit"] = 12
    # Windows's Negotiate has no DLL of its own to be in the list, which has not Kerberos's either
    for (entry in bytes) {
        add("negotiate.dll", entry, bytes[entry])
        add("kerberos.dll", entry, bytes[entry])
    }
}

# add(DLL, NAME, BYTES): a line of the table.
function add(dll_name, export, argument_bytes)
{
    seen[dll_name, export] = ++count
    dll[count] = dll_name
    name[count] = export
    known[count] = argument_bytes
}

/^#/ { next }

FILENAME ~ /unsupported\.tsv$/ {
    refusal[$1] = $3
    next
}

$1 == "msv1_0.dll" && !($5 in bytes) { next }

# tests/exports/compare: those that ours lacks
$1 == "schannel.dll" && $5 ~ /^Ssl/ { next }

{
    if (!(($1, $5) in seen))
        add($1, $5, $5 in bytes ? bytes[$5] : -1)
    if ($9 != "")
        known[seen[$1, $5]] = $9
}

END {
    for (i = 1; i <= count; i++) {
        status = name[i] in refusal ? refusal[name[i]] : "-"
        printf "    { \"%s\", \"%s\", %d, ", dll[i], name[i], known[i]
        if (status == "-")
            print "ANYTHING, 0 },"
        else
            printf "%s, %s },\n", status ~ /^ERROR_/ ? "LAST_ERROR" : "STATUS", status
    }
    print "};"
}
