#!/bin/sh
# Every C program of the pages for plugin authors compiles as a plugin, without a warning, and exports one symbol.
set -eu
root=$1
cc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v dir="$work" '
    /^```c$/ { getline; inside = /^\/\* [a-z_]+\.c: /; n += inside } # a whole program says what it is
    /^```$/ { inside = 0 }
    inside { print > (dir "/program" n ".c") }
' "$root"/docs/plugin-authors/*.md
count=0
for program in "$work"/program*.c; do
    [ -s "$program" ] || { echo "the pages have no C programs"; exit 1; }
    "$cc" -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -Wl,-z,defs -I "$root/abi" \
        "$program" -o "$program.so"
    symbols=$(nm -D --defined-only "$program.so" | awk '{print $3}' | grep -v -e '^_' || true)
    [ "$symbols" = pawl_plugin_entry_v1 ] || { echo "$(head -n 1 "$program"): exports $symbols"; exit 1; }
    count=$((count + 1))
done
[ "$count" -ge 5 ] || { echo "found only $count programs"; exit 1; }
echo "$count programs compile"
