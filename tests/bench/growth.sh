#!/bin/sh
# growth.sh BUILD-DIR [--million] [--quick] [--rounds N] [--out DIR]: what the work of a store costs when 10^2 to 10^5 other
# processes are in it (10^6 with --million), asleep: for each size a store of its own is filled; then every round goes over
# all stores, so that a slow moment of the machine meets all of them. DIR gets growth.tsv and, from plot.sh, the plots;
# without --out the table goes to stdout alone. The sleepers sleep for an hour: a run must be shorter.
#   PAWL_BENCH_DIR    where data goes while it runs: the device that is measured (default: TMPDIR or /tmp)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
usage() { echo "growth.sh: $1 (wanted: BUILD-DIR [--million] [--quick] [--rounds N] [--out DIR])" >&2; exit 2; }

[ $# -gt 0 ] || usage "no build directory"
for made in host/cli/pawl tests/bench/peers/fdatasync_loop; do
    [ -e "$1/$made" ] || usage "$1 has no $made: ./dev bench builds it"
done
build=$(cd "$1" && pwd)
shift
sizes="100 1000 10000 100000"
processes=20000
rounds=3
out=
while [ $# -gt 0 ]; do
    case "$1" in
    --million) sizes="$sizes 1000000" ;;
    --quick)
        sizes="100 1000 10000"
        processes=300
        rounds=1
        ;;
    --rounds | --out)
        [ $# -gt 1 ] || usage "$1 lacks its value"
        if [ "$1" = --out ]; then out=$2; else rounds=$2; fi
        shift
        ;;
    *) usage "unknown option $1" ;;
    esac
    shift
done
case "$rounds" in "" | 0 | *[!0-9]*) usage "--rounds is \"$rounds\", not a number from 1" ;; esac
if [ -n "$out" ]; then # what would be missed only at the end
    mkdir -p "$out"
    command -v gnuplot > /dev/null || { echo "growth.sh: gnuplot is missing: apt install gnuplot-nox" >&2; exit 2; }
fi

dir=$(mktemp -d "${PAWL_BENCH_DIR:-${TMPDIR:-/tmp}}/pawl-growth.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
pawl="$build/host/cli/pawl"

# keep SIZE COMMAND...: what it prints, shown and kept
keep() {
    size=$1
    shift
    "$@" > "$dir/said" || { echo "growth.sh: failed with $size processes in the store: $*" >&2; exit 1; }
    cat "$dir/said" >&2
    sed "s/^/$size	/" "$dir/said" >> "$dir/lines"
}

for n in $sizes; do
    keep "$n" "$pawl" bench start --processes "$n" --concurrency 256 --dir "$dir/$n"
    keep "$n" printf '{"bench":"store","store_bytes":%d}\n' "$(($(du -sk "$dir/$n" | cut -f 1) * 1024))"
done
i=0
while [ "$i" -lt "$rounds" ]; do
    for n in $sizes; do
        keep "$n" "$build/tests/bench/peers/fdatasync_loop" "$dir" append 100 0.5
        keep "$n" "$pawl" bench steps --concurrency 64 --steps 10 --processes "$processes" --dir "$dir/$n"
    done
    i=$((i + 1))
done

table() { awk -f "$here/numbers.awk" -f "$here/growth.awk" "$dir/lines"; }
if [ -z "$out" ]; then
    table
else
    table > "$out/growth.tsv"
    cat "$out/growth.tsv"
    sh "$here/plot.sh" "$out/growth.tsv" "$out"
fi
