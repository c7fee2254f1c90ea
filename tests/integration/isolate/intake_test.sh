#!/bin/sh
# intake_test.sh BUILD-DIR SOURCE-DIR: the intake example with its three connectors in processes of their own, while its
# worker is killed: nothing is lost or repeated, and no process of a plugin outlives the demo.
set -eu
build=$1
source=$2
[ -x "$build/examples/intake/intake_demo" ] || { echo "the example is not built"; exit 77; }
place=$(mktemp -d "${TMPDIR:-/tmp}/pawl-isolate.XXXXXX")
trap 'rm -rf "$place"' EXIT INT TERM
mkdir "$place/files"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "file $i of some words" > "$place/files/$i.txt"; done

# A guest has the demo's data directory in its arguments: nothing else on this machine has, but for a grep for just that.
guests() { cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -c "pawl-plugin-hos[t] $place" || true; }

PAWL_DEMO_DIR="$place/demo" PAWL_DEMO_ISOLATED=1 sh "$source/examples/intake/run.sh" "$build" "$place/files" \
    > "$place/said" 2>&1 || { cat "$place/said"; exit 1; }
grep -q 'isolation: process' "$place/demo/intake.yaml" || { echo "nothing was isolated"; exit 1; }
grep -qE '12 processes, .* 0 lost, 0 repeated' "$place/said" || { cat "$place/said"; exit 1; }
for i in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(guests)" = 0 ] && exit 0
    sleep 1 # they die with their host, which the demo has just ended
done
echo "processes of plugins are left behind"
exit 1
