#!/bin/sh
# check.sh BUILD-DIR: what of the comparison can be tested anywhere that has Node, without packages of npm or PostgreSQL:
# all workloads on Pawl, the table with its ratios, and that an interrupted run leaves nothing behind. Says nothing about
# speed. Exit code 77: not possible here.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
if ! node -e 'process.exit(+process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null; then
    echo "SKIP: no Node of version 18 or later"
    exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-peers-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
export NODE=node PEER_TMP="$work/data" PEER_MEMORY="$work/memory"
mkdir "$PEER_TMP" "$PEER_MEMORY"
fail() { printf 'FAILED: %s\n' "$*"; exit 1; }

# Processes that name the data directory in their command line or environment are of this run.
left_behind() {
    for process in /proc/[0-9]*; do
        [ "${process#/proc/}" != $$ ] || continue
        if grep -qzs "^PEER_TMP=$PEER_TMP/" "$process/environ"; then
            tr '\0' ' ' <"$process/cmdline"
            echo "(${process#/proc/})"
        fi
    done
}

wait_until() { # wait_until WHAT COMMAND...: for as long as a very busy machine may need
    what=$1
    shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || fail "$what"
        sleep 0.1
    done
}
serving() { ls "$PEER_TMP"/*/pawl-peers-pawl-*/data/pawl.sock >/dev/null 2>&1; }
nothing_left() { [ -z "$(left_behind)" ] && [ -z "$(find "$PEER_TMP" "$PEER_MEMORY" "$@")" ]; }

echo "every module can be read"
find "$here" -name '*.mjs' -not -path '*/node_modules/*' | while read -r module; do node --check "$module"; done

echo "all workloads on Pawl"
"$here/run.sh" "$build" --engines pawl --brief --details --out "$work/results" >"$work/table" ||
    fail "the run, with $?: $(cat "$work/table")"
for row in 'C=1: p50' 'C=16: steps/s' 'C=64: p99' 'C=256: steps/s' '1 step' 'CPU per step' 'all processes' \
    'sleeping process' 'starts of sleepers' 'lateness' 'in flight' 'asleep' 'signal to completion' 'bytes written' \
    'raw fdatasync'; do
    grep -qF "$row" "$work/table" || fail "the table has no row \"$row\""
done
[ "$(grep -c '"ok":true' "$work/results")" = 2 ] || fail "the two recoveries did not both count as good"
nothing_left -mindepth 1 || fail "left behind: $(left_behind) $(find "$PEER_TMP" "$PEER_MEMORY")"

echo "ratios, and faults that are called so"
cat >"$work/made" <<'END'
{"bench":"W2","engine":"restate","round":1,"c":1,"k":1,"n":1,"p50_ms":4,"usage":{"procs":{}}}
{"bench":"W2","engine":"restate","round":2,"c":1,"k":1,"n":1,"p50_ms":6,"usage":{"procs":{}}}
{"bench":"W2","engine":"dbos","round":1,"c":1,"k":1,"n":1,"p50_ms":3,"usage":{"procs":{}}}
{"bench":"W2","engine":"pawl","round":1,"c":1,"k":1,"n":1,"p50_ms":0.5,"usage":{"procs":{}}}
{"bench":"W5","engine":"restate","target":"slow","round":1,"p50_ms":9,"usage":{"procs":{}}}
{"bench":"W5","engine":"restate","target":"fast","round":1,"p50_ms":2,"usage":{"procs":{}}}
{"bench":"W5","engine":"pawl","target":"signal","round":1,"p50_ms":4,"usage":{"procs":{}}}
{"bench":"W4","engine":"dbos","round":1,"error":"it broke"}
END
if "$here/run.sh" "$build" --report "$work/made" >"$work/table"; then
    fail "a run with an error ended well"
fi
grep -qE '^\| 1 step, C=1: p50 \(ms\) +\| +5\.00 \| +3\.00 \| +0\.50 \| +6\.00 x \|$' "$work/table" &&
    grep -qE '^\| signal to completion seen, p50 \(ms\) +\| +2\.00 \| +- \| +4\.00 \| +0\.50 x \|$' "$work/table" &&
    grep -qF 'FAILED: W4, dbos, round 1: it broke' "$work/table" ||
    fail "not the table that was expected: $(cat "$work/table")"

# Killed outright, the script cannot remove its own directories; but nothing runs on, and they are empty.
for signal in TERM KILL; do
    echo "interrupted by SIG$signal"
    "$here/run.sh" "$build" --engines pawl --brief --workloads W3 --sleep-ms 600000 >"$work/table" 2>&1 &
    run=$!
    wait_until "pawl serve did not start: $(cat "$work/table")" serving
    kill -"$signal" "$run"
    wait "$run" 2>/dev/null || true
    if [ "$signal" = TERM ]; then
        wait_until "left behind after SIGTERM" nothing_left -mindepth 1
    elif setpriv --pdeathsig TERM true 2>/dev/null; then
        wait_until "left behind after SIGKILL" nothing_left -type f
    fi
done
echo "good"
