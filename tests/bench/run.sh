#!/bin/sh
# run.sh BUILD-DIR [--quick]: all benchmarks, one JSON line each, beside a raw fdatasync loop of the same run: compare as ratios.
set -eu
build=$1
shift
dir=$(mktemp -d "${PAWL_BENCH_DIR:-${TMPDIR:-/tmp}}/pawl-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT INT TERM
pawl="$build/host/cli/pawl"
quick=${PAWL_BENCH_QUICK:-}
case "${1:-}" in
"") ;;
--quick) quick=yes ;;
*) echo "run.sh: unknown option $1 (wanted: --quick)" >&2; exit 2 ;;
esac
n() { if [ -n "$quick" ]; then echo "$2"; else echo "$1"; fi; }

"$build/tests/bench/registry_bench" "$dir/registry"
"$pawl" bench steps --concurrency 1 --steps 1 --processes "$(n 1000 100)" --dir "$dir/one"
"$pawl" bench steps --concurrency 1 --steps 10 --processes "$(n 300 50)" --dir "$dir/ten"
for c in 16 64 256; do
    "$pawl" bench steps --concurrency "$c" --steps 10 --processes "$(n 5000 300)" --dir "$dir/c$c"
done
for c in 1 64; do
    sh "$(dirname "$0")/connected.sh" "$build" "$dir/socket$c" --concurrency "$c" --processes "$(n $((c * 150)) $((c * 10)))"
done
"$pawl" bench start --processes "$(n 50000 1000)" --dir "$dir/start"
"$pawl" bench sleep --processes "$(n 10000 500)" --concurrency 1000 --dir "$dir/sleep"
"$pawl" bench signal --processes "$(n 1000 100)" --dir "$dir/signal"
