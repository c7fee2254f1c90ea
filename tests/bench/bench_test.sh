#!/bin/sh
# bench_test.sh BUILD-DIR: every benchmark runs, small, and its line has what is promised. Judges counts, never times.
set -eu
build=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/pawl-bench-test.XXXXXX")
trap 'rm -rf "$dir"' EXIT
pawl="$build/host/cli/pawl"
usage="rss_bytes rss_peak_bytes cpu_s bytes_written fdatasync_per_s"

fail() { echo "$1" >&2; exit 1; }

# run NAME COMMAND...: its line becomes $line.
run() {
    name=$1
    shift
    line=$("$@") || fail "$name failed"
    echo "$line"
    case "$line" in
    "{"*'"bench":'*"}") ;;
    *) fail "$name: not one line of JSON: $line" ;;
    esac
}
bench() { run "$1" "$pawl" bench "$@"; }

# value KEY: its number, or nothing.
value() { printf '%s\n' "$line" | sed -n "s/.*\"$1\":\([-0-9.e+]*\).*/\1/p"; }

# has KEY...: each is there. (Bytes written cannot be read everywhere.)
has() {
    for key in "$@"; do
        [ "$key" = bytes_written ] && [ ! -r /proc/self/io ] && continue
        [ -n "$(value "$key")" ] || fail "$name: no \"$key\" in $line"
    done
}

# is KEY NUMBER: exactly. above KEY NUMBER: more than that.
is() { awk -v v="$(value "$1")" -v w="$2" 'BEGIN { exit !(v != "" && v + 0 == w + 0) }' || fail "$name: \"$1\" is not $2: $line"; }
above() { awk -v v="$(value "$1")" -v w="$2" 'BEGIN { exit !(v != "" && v + 0 > w + 0) }' || fail "$name: \"$1\" is not above $2: $line"; }

# common PROCESSES STEPS: what every load tells.
common() {
    has $usage cpu_us_per_step seconds processes_per_s p50_ms p99_ms
    is processes "$1"
    is steps "$2"
    above processes_per_s 0
    above rss_bytes 0
    above fdatasync_per_s 0
}

bench steps --concurrency 4 --steps 3 --processes 20 --dir "$dir/steps"
common 20 3
above open_ms 0
above steps_per_s 0
bench steps --concurrency 4 --steps 3 --processes 20 --payload 5000 --dir "$dir/payload"
common 20 3
is payload 5000
[ ! -r /proc/self/io ] || above bytes_written $((20 * 3 * 5000))

bench steps --local --concurrency 4 --steps 3 --processes 20 --dir "$dir/local"
common 20 3
above steps_per_s 0

# The sleepers stay, and the next benchmark runs beside them.
bench start --concurrency 8 --processes 500 --dir "$dir/sleepers"
common 500 0
has starts_per_s bytes_per_sleeper asleep_ms
is sleepers 500
bench start --concurrency 8 --processes 100 --dir "$dir/sleepers"
is sleepers 600
bench steps --concurrency 4 --steps 3 --processes 20 --dir "$dir/sleepers"
common 20 3

bench sleep --concurrency 4 --processes 50 --seconds 1 --dir "$dir/sleep"
common 50 0
above starts_per_s 0
above late_p99_ms 0
has late_p50_ms late_max_ms
above seconds 1

bench signal --processes 20 --dir "$dir/signal"
common 20 0
is concurrency 1
bench signal --concurrency 4 --processes 20 --dir "$dir/signal"
common 20 0
is concurrency 4

bench recover --processes 60 --sleeping 50 --dir "$dir/recover"
is processes 60
is steps 10
is sleeping 50
is repeated 0
above steps_before_kill 299 # half of 600, and what other threads did meanwhile
above open_ms 0
above first_ms 0
above all_ms "$(value first_ms)"
has ran_again
[ -z "$(find "$dir/recover" -name '*counts')" ] || fail "recover: its file is left behind"

bench idle --seconds 1 --dir "$dir/idle"
has $usage wakeups_per_s open_ms
above rss_bytes 0

bench long --steps 200 --dir "$dir/long"
common 1 200
above first_us_per_step 0
above last_us_per_step 0
above first_cpu_us_per_step 0
above last_cpu_us_per_step 0

# From outside.
for kind in "steps --concurrency 8 --steps 3" "start --concurrency 8" "signal --concurrency 2"; do
    run "connected $kind" env PAWL_BENCH_KIND="${kind%% *}" sh "$(dirname "$0")/connected.sh" "$build" "$dir/connected-${kind%% *}" \
        ${kind#* } --processes 200
    is processes 200
    above processes_per_s 0
    has $usage p50_ms p99_ms
done

# Nonsense is refused.
for words in "recover --store memory" "idle --seconds 0" "steps --payload 1" "sleep --connect x" "long --processes 2"; do
    # shellcheck disable=SC2086
    if "$pawl" bench $words > /dev/null 2> "$dir/refusal"; then
        fail "bench $words was accepted"
    fi
    [ -s "$dir/refusal" ] || fail "bench $words says nothing"
done
