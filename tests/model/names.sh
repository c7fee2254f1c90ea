#!/bin/sh
# The code and the models name each other: every function that a model stands for exists where it says, and every part that
# a comment in the code names ("Model: lease.pml, NAME") is in that model or in what it includes.
set -eu
cd "$1"
models=tests/model
bad=0
named=$(cat "$models"/*.pml | grep -oE '[a-z_/]+\.c, [a-z_]+\(\)' | tr -d ' ()' | sort -u)
for name in $named; do
    file=$(find plugins/store worker -path "*/${name%,*}")
    [ -n "$file" ] && grep -qE "(^|[^a-z_])${name#*,}\(" "$file" ||
        { echo "a model stands for ${name#*,}() of ${name%,*}, which is not there"; bad=1; }
done
followed=$(grep -rhoE 'Model: [a-z]+\.pml, [A-Za-z_]+( and [A-Za-z_]+)?' plugins/store worker --include='*.c' |
    sed -E 's/Model: ([a-z]+\.pml), /\1:/; s/^([^:]*:)([^ ]*) and /\1\2\n\1/' | sort -u)
for name in $followed; do
    model=${name%:*}
    [ -f "$models/$model" ] || { echo "the code follows $model, which is not there"; bad=1; continue; }
    included=$(sed -n "s|^#include \"\(.*\)\"|$models/\1|p" "$models/$model")
    # shellcheck disable=SC2086
    grep -qE "^(inline |active proctype |proctype |#define )?${name#*:}(\(|:| |$)" "$models/$model" $included ||
        { echo "the code follows ${name#*:} of $model, which is not there"; bad=1; }
done
[ "$(printf '%s\n' "$named" | wc -l)" -ge 20 ] || { echo "the models name too few functions"; bad=1; }
[ "$(printf '%s\n' "$followed" | wc -l)" -ge 20 ] || { echo "the code names too little of the models"; bad=1; }
exit $bad
