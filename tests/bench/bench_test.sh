#!/bin/sh
# bench_test.sh BUILD-DIR: every benchmark runs, small, and its line has what is promised. Judges counts, never times.
set -eu
build=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/pawl-bench-test.XXXXXX")
trap 'rm -rf "$dir"' EXIT
pawl="$build/host/cli/pawl"

# check NAME PROCESSES STEPS LINE: the keys are there, the counts are right, the numbers are possible.
check() {
    for key in processes_per_s steps_per_s p50_ms p99_ms rss_bytes rss_peak_bytes cpu_s cpu_us_per_step; do
        case "$4" in
        *"\"$key\":"[0-9]*) ;;
        *) echo "$1: no \"$key\" in $4" >&2; exit 1 ;;
        esac
    done
    case "$4" in
    *"\"processes\":$2,"*) ;;
    *) echo "$1: wanted $2 processes: $4" >&2; exit 1 ;;
    esac
    case "$4" in
    *"\"steps\":$3,"*) ;;
    *) echo "$1: wanted $3 steps: $4" >&2; exit 1 ;;
    esac
    case "$4" in
    *'"fdatasync_per_s":0.0'* | *'_per_s":0.0,'* | *'"rss_bytes":0,'*) echo "$1: nothing happened: $4" >&2; exit 1 ;;
    *'"fdatasync_per_s":'*) ;;
    *) echo "$1: flushes were not counted: $4" >&2; exit 1 ;;
    esac
    echo "$4"
}

line=$("$pawl" bench steps --concurrency 4 --steps 3 --processes 20 --dir "$dir/steps")
check steps 20 3 "$line"
line=$("$pawl" bench start --concurrency 4 --processes 20 --dir "$dir/start" | sed 's/"steps_per_s":0.0/"steps_per_s":0/')
check start 20 0 "$line"
line=$("$pawl" bench sleep --concurrency 4 --processes 20 --dir "$dir/sleep")
check sleep 20 1 "$line"
line=$("$pawl" bench signal --concurrency 4 --processes 20 --dir "$dir/signal")
check signal 20 1 "$line"
line=$(sh "$(dirname "$0")/connected.sh" "$build" "$dir/connected" --concurrency 8 --steps 3 --processes 200)
check connected 200 3 "$line"
