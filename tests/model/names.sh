#!/bin/sh
# The code and the model of the lease protocol name each other: every function that lease.pml stands for exists where it
# says, and every part that a comment in the code names ("Model: lease.pml, NAME") is in lease.pml.
set -eu
cd "$1"
model=tests/model/lease.pml
bad=0
named=$(grep -oE '[a-z_]+\.c, [a-z_]+\(\)' "$model" | tr -d ' ()' | sort -u)
for name in $named; do
    file=$(find plugins/store worker -name "${name%,*}")
    [ -n "$file" ] && grep -qE "(^|[^a-z_])${name#*,}\(" "$file" ||
        { echo "$model stands for ${name#*,}() of ${name%,*}, which is not there"; bad=1; }
done
followed=$(grep -rhoE 'Model: lease\.pml, [A-Za-z_]+( and [A-Za-z_]+)?' plugins/store worker --include='*.c' |
    sed 's/Model: lease.pml, //; s/ and /\n/' | sort -u)
for name in $followed; do
    grep -qE "^(inline |active proctype |proctype |#define )?$name(\(|:| |$)" "$model" ||
        { echo "the code follows $name of $model, which is not there"; bad=1; }
done
[ "$(printf '%s\n' "$named" | wc -l)" -ge 12 ] || { echo "$model names too few functions"; bad=1; }
[ "$(printf '%s\n' "$followed" | wc -l)" -ge 12 ] || { echo "the code names too little of $model"; bad=1; }
exit $bad
