#!/bin/sh
# Every test that docs/acceptance.md names exists, and every id of the catalogue stands there once.
set -eu
cd "$1"
list=docs/acceptance.md
bad=0
for name in $(grep -oE '`test_[A-Za-z0-9_]+`' "$list" | tr -d '`' | sort -u); do
    grep -rqE "(^|[^A-Za-z0-9_])$name\\(" tests --include='*.c' || { echo "$list names $name, which is no test"; bad=1; }
done
twice=$(grep -oE '^\| [A-Z][0-9][0-9] \|' "$list" | sort | uniq -d)
[ -z "$twice" ] || { echo "$list has twice: $twice"; bad=1; }
[ "$(grep -cE '^\| [A-Z][0-9][0-9] \|' "$list")" -ge 140 ] || { echo "$list has lost ids"; bad=1; }
exit $bad
