#!/bin/sh
# report_test.sh: the tables of the benchmarks say what the lines say: medians over rounds, ratios, what is met and what is
# not, and a dash for what was not measured. Needs no build and no device.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/pawl-report-test.XXXXXX")
trap 'rm -rf "$dir"' EXIT
bad=0

# expect FILE WORDS...: one line of the file has these words, whatever is between them.
expect() {
    file=$1
    shift
    wanted=$(printf '%s' "$*" | sed 's/ /[ |]*/g')
    if ! grep -qE "$wanted" "$file"; then
        echo "no \"$*\" in:" >&2
        cat "$file" >&2
        bad=1
    fi
}

lines() { printf '%s\t%s\n' "$@"; }
lines device.before '{"bench":"disk","fdatasync_per_s":10000.0,"p50_ms":0.1000}' \
    registry '{"bench":"registry.append","waiters":1,"records_per_second":5000,"records_per_flush":1.0}' \
    registry '{"bench":"registry.append","waiters":64,"records_per_second":120000,"records_per_flush":64.0}' \
    registry '{"bench":"registry.append.threads","waiters":64,"records_per_second":7,"records_per_flush":1.0}' \
    c1 '{"bench":"bench.steps","processes":500,"p50_ms":1.2,"p99_ms":2}' \
    c64 '{"bench":"bench.steps","steps_per_s":60000,"p99_ms":1.5e1,"rss_peak_bytes":101000000}' \
    c64 '{"bench":"bench.steps","steps_per_s":180000.5,"p99_ms":15.5,"rss_peak_bytes":99000000}' \
    c64 '{"bench":"bench.steps","steps_per_s":120000,"p99_ms":1,"rss_peak_bytes":101000000}' \
    socket64 '{"bench":"bench.steps","steps_per_s":48000,"p99_ms":1}' \
    recover '{"bench":"bench.recover","all_ms":500,"repeated":0}' \
    recover.sleeping '{"bench":"bench.recover","all_ms":500,"first_ms":100,"repeated":0}' \
    recover.sleeping '{"bench":"bench.recover","all_ms":500,"first_ms":100,"repeated":2}' \
    recover.sleeping '{"bench":"bench.recover","all_ms":500,"first_ms":100,"repeated":0}' \
    isolated '{"bench":"isolated","effect":"echo.pool","added_us":11.5,"isolated_calls_per_s":70000}' \
    isolated '{"bench":"isolated","effect":"echo.async","added_us":99,"isolated_calls_per_s":1}' \
    device.after '{"bench":"disk","fdatasync_per_s":6000.0,"p50_ms":0.3}' > "$dir/lines"
sh "$here/run.sh" --report "$dir/lines" > "$dir/table"
expect "$dir/table" 'Bare group commit, records a second: 5,000 with 1 at once; - with 16 at once; 120,000 with 64 at once;'
expect "$dir/table" 'a call in a process of its own: time added, p50 11.5 us <= 50 us yes'
expect "$dir/table" 'such calls per s, 64 at once 70,000 >= 20,000 yes'
expect "$dir/table" '10 steps, C=1: p50 of a process 1.20 ms <= 2 ms yes 6x 6x'
expect "$dir/table" '10 steps, C=64: steps/s 120,000 >= 98,000 yes 15x 1x'
expect "$dir/table" '10 steps, C=64: p99 of a process 15 ms <= 15 ms yes'
expect "$dir/table" 'memory under that load 101 MB <= 100 MB NO'
expect "$dir/table" 'through the socket / embedded, C=64 0.40 >= 0.50 NO'
expect "$dir/table" 'restart to all complete 0.50 s <= 0.40 s NO'
expect "$dir/table" 'recorded steps that ran again, in all rounds 2 <= 0 NO'
expect "$dir/table" '10 steps, C=256: steps/s - >= 150,000 - - -'
expect "$dir/table" 'The device was not the same all the time'
grep -v -e '^device.after' -e '"repeated":2' "$dir/lines" > "$dir/steady"
sh "$here/run.sh" --report "$dir/steady" > "$dir/table"
expect "$dir/table" 'recorded steps that ran again, in all rounds 0 <= 0 yes'
if grep -q 'The device was not' "$dir/table"; then
    echo "a steady device is called unsteady" >&2
    bad=1
fi

lines 100 '{"bench":"bench.start","starts_per_s":30000,"bytes_per_sleeper":280}' \
    1000 '{"bench":"bench.start","starts_per_s":31000}' \
    100 '{"bench":"bench.steps","steps_per_s":90000,"p50_ms":5,"p99_ms":9,"bytes_written_per_process":4200,"open_ms":11}' \
    100 '{"bench":"bench.steps","steps_per_s":80000,"p50_ms":6,"p99_ms":8,"bytes_written_per_process":4400,"open_ms":13}' \
    1000 '{"bench":"bench.steps","steps_per_s":85000,"p50_ms":5,"p99_ms":9,"bytes_written_per_process":4000}' > "$dir/growth"
awk -f "$here/numbers.awk" -f "$here/growth.awk" "$dir/growth" | tr '\t' ' ' > "$dir/rows"
expect "$dir/rows" '^100 85000 5.5 8.5 nan 430 12 nan 30000 280 nan nan$'
expect "$dir/rows" '^1000 85000 5 9 nan 400 nan nan 31000 nan nan nan$'
exit $bad
