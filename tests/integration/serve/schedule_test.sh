#!/bin/sh
# schedule_test.sh BUILD-DIRECTORY: schedules as an operator meets them: in a profile, on the command line, over kill -9,
# and their mistakes with their places.
set -eu
build=$1
pawl=$build/host/cli/pawl
[ -f "$build/plugins/hello.so" ] || { echo "schedule_test: SKIP: examples/hello was not built"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-schedule-XXXXXX")
serving=
clean() {
    [ -z "$serving" ] || kill -9 "$serving" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
fail() { printf 'schedule_test: %s\n' "$*" >&2; cat "$work"/*.err >&2 2>/dev/null || true; exit 1; }

profile() { # LINES: of schedules
    cat >"$work/p.yaml" <<END
profile: try
tier: durable
data: $work/data
stores:
  main:
    provider: rocksdb
plugins:
  - path: $build/plugins/hello.so
    dev: true
$1
END
}
serve() {
    rm -f "$work/ready"
    "$pawl" serve --profile "$work/p.yaml" --ready-fd 3 3>"$work/ready" >"$work/serve.out" 2>"$work/serve.err" &
    serving=$!
    tries=0
    until [ -s "$work/ready" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] && kill -0 "$serving" 2>/dev/null || fail "no server"
        sleep 0.1
    done
}
crash() { kill -9 "$serving"; wait "$serving" 2>/dev/null || true; serving=; }
stop() { kill "$serving"; wait "$serving" || fail "it did not stop cleanly"; serving=; }
run() { "$pawl" "$@" --profile "$work/p.yaml"; }
expect() { # CODE WORDS COMMAND...: its exit code, and what it says
    wanted=$1 words=$2 got=0
    shift 2
    "$@" >"$work/said.err" 2>&1 || got=$?
    [ "$got" = "$wanted" ] || fail "exit code $got, wanted $wanted: $*"
    grep -q -- "$words" "$work/said.err" || fail "did not say '$words': $*"
}
until_shows() { # NAME WORDS
    tries=0
    until run schedule show "$1" >"$work/shown.err" && grep -q -- "$2" "$work/shown.err"; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || fail "$1 never shows '$2'"
        sleep 0.2
    done
}

# From the profile.
profile 'schedules:
  yearly:
    cron: "@yearly"
    type: hello.greet
    input: "Ann"'
serve
expect 0 'starts *hello.greet' run schedule show yearly
run schedule show yearly --json | python3 -c '
import json, sys
s = json.load(sys.stdin)
assert len(s["next"]) == 5 and s["next"][0].endswith("-01-01T00:00:00Z"), s["next"]
assert s["profile"] is True and s["paused"] is False and s["spec"]["overlap"] == "skip", s'
id=$(run schedule trigger yearly | sed 's/ started$//')
run signal "$id" answer '"hi"' >/dev/null
run wait "$id" --timeout 60s >/dev/null
until_shows yearly "$id  completed"
run plugin list >"$work/listed.err"
! grep -q 'not loaded' "$work/listed.err" || fail "what the host itself brings is listed as not loaded"
expect 0 'paused' run schedule pause yearly --note 'ask ann'
crash
serve
expect 0 'ask ann' run schedule show yearly
expect 0 'yearly *paused' run schedule list
expect 0 'resumed' run schedule resume yearly

# On the command line.
expect 0 'often created' run schedule create often --type hello.greet --input '"Bob"' --every 1s --overlap allow
expect 0 'often kept' run schedule create often --type hello.greet --input '"Bob"' --every 1s --overlap allow
expect 4 'does something else' run schedule create often --type hello.greet --every 1h
until_shows often 'often/20.*running'
expect 0 'often replaced' run schedule create often --type hello.greet --input '"Bob"' --every 1h --replace
expect 0 '3 times' run schedule backfill often --from 2020-01-01T00:00:00Z --to 2020-01-01T02:00:00Z
until_shows often 'often/2020-01-01T02:00:00Z  running'
expect 0 'often deleted' run schedule delete often
expect 3 'no schedule' run schedule show often
expect 1 'column 3' run schedule create bad --type hello.greet --cron '0 25 * * *'
expect 3 'no plugin of this host offers process type' run schedule create bad --type hello.gret --every 1h
expect 1 'wanted a time that is past' run schedule backfill yearly --from 2020-01-01T00:00:00Z --to tomorrow
stop

# A profile that changes: replaced, told of, refused.
profile 'schedules:
  yearly:
    cron: "@monthly"
    type: hello.greet
    input: "Ann"'
serve
until_shows yearly '@monthly'
grep -q 'schedule replaced' "$work/serve.err" || fail "the change was not told"
stop
profile ''
serve
grep -q 'no more in the profile' "$work/serve.err" || fail "the removal was not told"
expect 0 '@monthly' run schedule show yearly
stop
profile 'schedules:
  yearly:
    type: hello.greet
    cron: ["@daily", "0 0 31 2 *"]'
expect 6 'p.yaml:13:22: schedules.yearly.cron\[1\]' "$pawl" check "$work/p.yaml"
profile 'schedules:
  yearly:
    type: hello.gret
    every: 1h'
expect 6 'p.yaml:12:11: schedules.yearly.type: no plugin of this profile offers' \
    "$pawl" serve --profile "$work/p.yaml"
echo "schedule_test: all well"
