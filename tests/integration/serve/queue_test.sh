#!/bin/sh
# queue_test.sh BUILD-DIRECTORY: `pawl event` and `pawl queue` against a real server: append, list, wait, claim,
# acknowledge, hold on, give back, redrive, drop; a process that takes from the same queue; a kill in between.
set -eu
build=$1
pawl=$build/host/cli/pawl
[ -f "$build/plugins/desk.so" ] || { echo "queue_test: SKIP: examples/desk was not built"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-queue-XXXXXX")
serving=
clean() {
    [ -z "$serving" ] || kill -9 "$serving" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
fail() { printf 'queue_test: %s\n' "$*" >&2; cat "$work"/*.err "$work/out" >&2 2>/dev/null || true; exit 1; }
cat >"$work/pawl.yaml" <<END
profile: try
tier: durable
data: $work/data
stores: { main: { provider: rocksdb } }
plugins: [{ path: $build/plugins/desk.so, dev: true }]
END
serve() {
    rm -f "$work/ready"
    "$pawl" serve --profile "$work/pawl.yaml" --ready-fd 3 3>"$work/ready" >"$work/serve.out" 2>"$work/serve.err" &
    serving=$!
    tries=0
    until [ -s "$work/ready" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] && kill -0 "$serving" 2>/dev/null || fail "no server"
        sleep 0.1
    done
}
run() { # CODE WORDS ARGUMENT...: exit code, and what it says
    wanted=$1 words=$2 got=0
    shift 2
    verb=$1 noun=$2
    shift 2
    "$pawl" "$verb" "$noun" "$@" --profile "$work/pawl.yaml" >"$work/out" 2>&1 || got=$?
    [ "$got" = "$wanted" ] || fail "exit code $got, wanted $wanted: $verb $noun $*"
    [ -z "$words" ] || grep -qF -- "$words" "$work/out" || fail "not \"$words\": $verb $noun $*"
}
token() { sed -n 's/^token //p' "$work/out"; }
item() { sed -n 's/^\([0-9][0-9]*\)  .*/\1/p' "$work/out" | head -1; }
serve

# Events: once under their key, checked, listed, waited for.
run 0 box start desk.box --id box --session ann
run 0 queued event append box arrived '{"pages":3}' --key one
run 0 "appended before" event append box arrived '{"pages":3}' --key one
run 4 registry.conflict event append box arrived '{"pages":4}' --key one
run 1 event.payload event append box arrived '{"pages":"many"}'
run 1 event.undeclared event append box departed '{}'
run 0 '"pages":3' event list box
run 0 one event wait box --type arrived --after 0 --timeout 10s
run 7 "" event wait box --type arrived --after 1000000 --timeout 10ms

# The queue: claimed, held, given back, lost by time, acknowledged; over a kill.
run 0 ready queue list ann
run 0 token queue claim ann --consumer me --lease 10m
first=$(token) held=$(item)
run 0 claimed queue list ann
kill -9 "$serving"
wait "$serving" 2>/dev/null || true
serve
run 0 claimed queue list ann
run 0 1 queue extend ann "$first" "$held" --for 10m
run 0 1 queue release ann "$first" "$held"
run 4 queue.claim_expired queue ack ann "$first" "$held"
run 0 token queue claim ann --consumer me --lease 10m
run 0 1 queue ack ann "$(token)" "$held"
run 0 "" queue list ann
[ -z "$(item)" ] || fail "the queue is not empty"

# What was claimed in vain too often is dead; it is redriven, and at last dropped.
run 0 queued event append box arrived '{"pages":7}' --key two
for round in 1 2 3 4 5; do
    run 0 token queue claim ann --consumer me
    run 0 1 queue release ann "$(token)" "$(item)"
    : "$round"
done
run 0 dead queue list ann --dead
run 0 1 queue redrive ann --all
run 0 ready queue list ann
run 0 1 queue drop ann "$(item)"

# A process waits for the queue, and takes what comes.
run 0 clerk start desk.clerk --id clerk --session ann --input 0
run 0 queued event append box arrived '{"pages":5}' --key three
run 0 queued event append box arrived '{"pages":0}' --key four
run 0 '"letters":1' wait clerk --timeout 60s
run 0 5 session get ann pages

kill -TERM "$serving"
wait "$serving" || fail "pawl serve did not end with 0"
serving=
echo "queue_test: events and queues do what they say"
