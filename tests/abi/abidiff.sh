#!/bin/sh
# Compares today's ABI structs with the released ones. Usage: abidiff.sh RELEASED.abi SUPPRESSIONS ANCHOR.so
# Exit code 77 (skipped) when abigail-tools is not installed.
set -u
command -v abidiff >/dev/null || exit 77
report=$(abidiff --no-added-syms --suppressions "$2" "$1" "$3")
code=$?
echo "$report"
[ $code = 0 ]
