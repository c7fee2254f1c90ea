#!/bin/sh
# The README shows examples/hello/hello.c: the very same text.
set -eu
shown=$(mktemp)
trap 'rm -f "$shown"' EXIT
sed -n '/^```c$/,/^```$/p' "$1/README.md" | sed '1d;$d' >"$shown"
[ -s "$shown" ] || { echo "README.md shows no C code"; exit 1; }
diff -u "$1/examples/hello/hello.c" "$shown"
