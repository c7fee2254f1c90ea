#!/bin/sh
# saga_test.sh BUILD SOURCE: the program of examples/saga in three languages is one program: `pawl test` takes each through
# every crash and every order and finds nothing, and all of them leave the same trace.
set -eu
build=$1
source=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-saga-XXXXXX")
trap 'rm -rf "$work"' EXIT
count=0
for plugin in saga saga-cpp saga-rust; do
    [ -e "$build/plugins/$plugin.so" ] || { echo "saga_test: without $plugin"; continue; }
    for world in refused booked; do
        cp "$source/examples/saga/saga.test.yaml" "$work/refused.yaml"
        sed -e 's/- failure: {code: hotel.full.*/- result: "hotel 3"/' -e 's/^expect:.*/expect: {status: completed}/' \
            "$work/refused.yaml" >"$work/booked.yaml"
        "$build/host/cli/pawl" test "$build/plugins/$plugin.so" --effects "$work/$world.yaml" >"$work/$plugin.out" 2>&1 ||
            { cat "$work/$plugin.out"; echo "saga_test: $plugin, $world: something was found"; exit 1; }
        sed -e "s|$build/plugins/$plugin.so|FILE|" -e "s/, [0-9]* ms\$//" "$work/$plugin.out" >"$work/$plugin.$world"
        diff "$work/saga.$world" "$work/$plugin.$world" || { echo "saga_test: $plugin, $world: not what saga does"; exit 1; }
        grep -q "nothing found in [1-9]" "$work/$plugin.$world" || { cat "$work/$plugin.$world"; exit 1; }
    done
    count=$((count + 1))
done
echo "saga_test: one program in $count languages"
