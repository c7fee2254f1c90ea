#!/bin/sh
# rust_layout.sh PROGRAM GOLDEN: what Rust believes of the ABI's structs is what was released. A struct of Rust may know
# fewer members than the header does by now (the reader of a table sees its size), never others.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" >"$work/rust"
[ "$(wc -l <"$work/rust")" -ge 130 ] || { echo "the program prints only $(wc -l <"$work/rust") lines"; exit 1; }
grep ' at ' "$work/rust" >"$work/members"
if grep -vxFf "$2" "$work/members"; then
    echo "these members lie elsewhere, or are not in $2"
    exit 1
fi
# The first members of each struct, without a hole: so many of them, in the golden file's order.
for struct in $(sed -n 's/^\([a-z_]*\): .*/\1/p' "$work/rust"); do
    grep "^$struct\\." "$work/members" >"$work/known"
    grep "^$struct\\." "$2" | head -n "$(wc -l <"$work/known")" >"$work/released"
    cmp -s "$work/known" "$work/released" || { echo "$struct has a hole"; diff "$work/known" "$work/released"; exit 1; }
done
echo "$(wc -l <"$work/members") members lie where they were released"
