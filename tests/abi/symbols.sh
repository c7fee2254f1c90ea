#!/bin/sh
# What binaries let others see. Usage:
#   symbols.sh plugins DIRECTORY   each .so in it exports its entry and nothing else; there is at least one
#   symbols.sh library FILE        the shared library exports pawl_ names only
#   symbols.sh archive FILE        so does every external name of the static library, which all land in the embedder's
#                                  program; but for weak instances of C++ templates, of which a program keeps one
#   symbols.sh program FILE        the program exports nothing that a plugin could pick up by accident
set -u
failed=0

complain() {
    echo "$1"
    failed=1
}

exported() {
    nm -D --defined-only --no-demangle "$1" | awk '$2 != "A" { print $NF }' | sed 's/@.*//' | sort -u
}

[ -e "$2" ] || complain "$2 is not there"

case $1 in
plugins)
    count=0
    for plugin in "$2"/*.so; do
        [ -e "$plugin" ] || continue
        count=$((count + 1))
        names=$(exported "$plugin" | tr '\n' ' ')
        [ "$names" = "pawl_plugin_entry_v1 " ] || complain "$plugin exports: $names"
    done
    [ $count -gt 0 ] || complain "there is no plugin in $2"
    echo "$count plugins"
    ;;
library)
    names=$(exported "$2")
    [ -n "$names" ] || complain "$2 exports nothing"
    for name in $(echo "$names" | grep -v '^pawl_'); do
        complain "$2 exports $name"
    done
    ;;
archive)
    names=$(nm -A --extern-only --defined-only --no-demangle "$2" |
        awk '!($(NF - 1) ~ /^[WVu]$/ && $NF ~ /^(_Z|DW\.ref\.)/) { print $1, $NF }' | sed 's/^.*a://')
    [ -n "$names" ] || complain "$2 defines nothing"
    stray=$(echo "$names" | grep -v -E " (pawl_|__odr_asan|__asan_|__tsan_|__ubsan_)" || true)
    [ -z "$stray" ] || complain "$2 defines names without the prefix pawl_:
$stray"
    ;;
program)
    # what the C start-up files put there is not ours
    names=$(exported "$2" | grep -v -x -e '_IO_stdin_used' -e 'environ' -e '__environ' -e '_environ' \
        -e 'stdin' -e 'stdout' -e 'stderr' -e 'optarg' -e 'optind' -e 'opterr' -e 'optopt' -e '__progname' \
        -e 'program_invocation_name' -e 'program_invocation_short_name' || true)
    for name in $names; do
        complain "$2 exports $name"
    done
    ;;
*)
    complain "unknown: $1"
    ;;
esac
exit $failed
