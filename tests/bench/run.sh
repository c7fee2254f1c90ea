#!/bin/sh
# run.sh BUILD-DIR [--quick] [--rounds N] [--json] [--out FILE]: all benchmarks beside a raw fdatasync loop and the bare
# group commit of the store, in one run on one device: absolute times are the device's, ratios are Pawl's. Lines of JSON go
# to stderr as they come and a table to stdout; with --json the lines go to stdout and there is no table. A benchmark that
# fails does not end the run: its rows stay empty, and the exit code says so.
#   run.sh --report FILE...     the table of lines that --out has saved (medians over all rounds in them)
#   PAWL_BENCH_DIR              where data goes while it runs: the device that is measured (default: TMPDIR or /tmp)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
usage() { echo "run.sh: $1 (wanted: BUILD-DIR [--quick] [--rounds N] [--json] [--out FILE], or --report FILE...)" >&2; exit 2; }

[ $# -gt 0 ] || usage "nothing to run"
if [ "$1" = --report ]; then
    shift
    [ $# -gt 0 ] || usage "nothing to report"
    exec awk -f "$here/numbers.awk" -f "$here/table.awk" "$@"
fi
for made in host/cli/pawl plugins/pawl-bench.so tests/bench/registry_bench tests/bench/peers/fdatasync_loop tests/bench/isolate_bench; do
    [ -e "$1/$made" ] || usage "$1 has no $made: ./dev bench builds it"
done
build=$(cd "$1" && pwd)
shift
quick=
json=
out=
rounds=1
while [ $# -gt 0 ]; do
    case "$1" in
    --quick) quick=yes ;;
    --json) json=yes ;;
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

dir=$(mktemp -d "${PAWL_BENCH_DIR:-${TMPDIR:-/tmp}}/pawl-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
pawl="$build/host/cli/pawl"
failed=
n() { if [ -n "$quick" ]; then echo "$2"; else echo "$1"; fi; }

# run LABEL COMMAND...: what it prints is kept under the label, each line of JSON behind a tab. Data goes to $dir/work.
run() {
    label=$1
    shift
    rm -rf "$dir/work"
    if ! "$@" > "$dir/said" || [ ! -s "$dir/said" ]; then
        failed="$failed $label"
        echo "run.sh: $label failed: $*" >&2
        return 0
    fi
    if [ -n "$json" ]; then cat "$dir/said"; else cat "$dir/said" >&2; fi
    sed "s/^/$label	/" "$dir/said" >> "$dir/lines"
}
device() { run "device.$1" "$build/tests/bench/peers/fdatasync_loop" "$dir" append 100 "$(n 2 0.2)"; }
steps() { # steps LABEL CONCURRENCY STEPS PROCESSES
    run "$1" "$pawl" bench steps --concurrency "$2" --steps "$3" --processes "$4" --dir "$dir/work"
}
connected() { # connected LABEL CONCURRENCY PROCESSES
    run "$1" sh "$here/connected.sh" "$build" "$dir/work" --concurrency "$2" --steps 10 --processes "$3"
}

round() {
    device before
    run registry "$build/tests/bench/registry_bench" "$dir/work" "$(n 2 0.2)"
    steps one 1 1 "$(n 2000 100)"
    steps c1 1 10 "$(n 500 50)"
    steps c16 16 10 "$(n 10000 300)"
    steps c64 64 10 "$(n 20000 300)"
    connected socket64 64 "$(n 20000 640)" # next to what it is compared with
    steps c256 256 10 "$(n 20000 500)"
    device between
    connected socket1 1 "$(n 300 10)"
    run signal "$pawl" bench signal --processes "$(n 2000 100)" --concurrency 1 --dir "$dir/work"
    run start "$pawl" bench start --processes "$(n 100000 1000)" --concurrency 64 --dir "$dir/work"
    run sleep "$pawl" bench sleep --processes "$(n 10000 500)" --seconds 3 --dir "$dir/work"
    run recover "$pawl" bench recover --processes "$(n 2000 500)" --dir "$dir/work"
    run recover.sleeping "$pawl" bench recover --processes "$(n 2000 500)" --sleeping "$(n 100000 1000)" --dir "$dir/work"
    run long "$pawl" bench long --steps "$(n 10000 1000)" --dir "$dir/work"
    run idle "$pawl" bench idle --seconds "$(n 10 1)" --dir "$dir/work"
    run idle.serve sh "$here/idle_serve.sh" "$build" "$dir/work" "$(n 10 1)"
    run isolated "$build/tests/bench/isolate_bench" "$build/tests/bench/isolate-echo.so" "$(n 20000 200)"
    device after
}

: > "$dir/lines"
i=0
while [ "$i" -lt "$rounds" ]; do
    round
    i=$((i + 1))
done
[ -z "$out" ] || cat "$dir/lines" >> "$out"
if [ -z "$json" ]; then
    awk -f "$here/numbers.awk" -f "$here/table.awk" "$dir/lines"
    [ -z "$quick" ] || echo "Small numbers: this shows that everything runs, not how fast it is."
fi
[ -z "$failed" ] || { echo "run.sh: failed:$failed" >&2; exit 1; }
