#!/bin/sh
# care_test.sh BUILD-DIRECTORY: looking after a store as an operator does, with the program itself: a hot backup while
# processes are started, kill -9, restore into another profile, resume, check; a backup killed at random moments; a
# backup onto a full disk; refusals.
set -eu
build=$1
pawl=$build/host/cli/pawl
[ -f "$build/plugins/hello.so" ] || { echo "care_test: SKIP: examples/hello was not built"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-care-XXXXXX")
serving=
mounted=
clean() {
    [ -z "$serving" ] || kill -9 "$serving" 2>/dev/null || true
    [ -z "$mounted" ] || umount "$work/full" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
fail() { printf 'care_test: %s\n' "$*" >&2; cat "$work"/*.err >&2 2>/dev/null || true; exit 1; }

profile() { # NAME
    cat >"$work/$1.yaml" <<END
profile: try
tier: durable
data: $work/$1
stores:
  main:
    provider: rocksdb
plugins:
  - path: $build/plugins/hello.so
    dev: true
END
}
serve() { # NAME
    rm -f "$work/ready"
    "$pawl" serve --profile "$work/$1.yaml" --ready-fd 3 3>"$work/ready" >"$work/serve.out" 2>"$work/serve.err" &
    serving=$!
    tries=0
    until [ -s "$work/ready" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] && kill -0 "$serving" 2>/dev/null || fail "no server"
        sleep 0.1
    done
}
crash() { kill -9 "$serving"; wait "$serving" 2>/dev/null || true; serving=; }
start() { "$pawl" start hello.greet --profile "$work/$1.yaml" --id "$2" --input '"x"' >/dev/null; }
expect() { # CODE WORDS COMMAND...: its exit code, and what it says
    wanted=$1 words=$2 got=0
    shift 2
    "$@" >"$work/said.err" 2>&1 || got=$?
    [ "$got" = "$wanted" ] || fail "exit code $got, wanted $wanted: $*"
    grep -q -- "$words" "$work/said.err" || fail "did not say '$words': $*"
}

profile a
profile b
profile c
expect 3 'no store in' "$pawl" check "$work/a.yaml" --store
expect 3 'no store in' "$pawl" backup "$work/none" --profile "$work/a.yaml"
[ ! -e "$work/none" ] && [ ! -e "$work/a/store" ] || fail "something was made of nothing"
expect 2 'give --store' "$pawl" check "$work/a.yaml" --repair

serve a
i=0
while [ $i -lt 20 ]; do i=$((i + 1)); start a "before-$i"; done
expect 4 'Stop `pawl serve` first' "$pawl" check "$work/a.yaml" --store
(i=0; while [ $i -lt 20 ]; do i=$((i + 1)); start a "beside-$i"; done) &
beside=$!
expect 0 'of the running host' "$pawl" backup "$work/backup" --profile "$work/a.yaml"
wait $beside
expect 4 'not empty' "$pawl" backup "$work/backup" --profile "$work/a.yaml"
expect 1 'absolute' "$pawl" backup "$work/backup/$(printf '%03000d' 0)" --profile "$work/a.yaml"

# Killed at random moments: what is there under the backup's name is whole.
round=0
while [ $round -lt 8 ]; do
    round=$((round + 1))
    "$pawl" backup "$work/killed-$round" --profile "$work/a.yaml" >/dev/null 2>&1 &
    client=$!
    sleep "0.0$((round * 7 % 10))"
    crash
    wait $client 2>/dev/null || true
    if [ -e "$work/killed-$round" ]; then
        profile "k$round"
        expect 0 'no problems' "$pawl" restore "$work/killed-$round" --profile "$work/k$round.yaml"
    fi
    serve a
done
expect 0 'of the running host' "$pawl" backup "$work/killed-1-again" --profile "$work/a.yaml"

# A full disk fails the backup and nothing else.
mkdir "$work/full"
if mount -t tmpfs -o size=256k none "$work/full" 2>/dev/null; then
    mounted=yes
    head -c 250000 /dev/zero >"$work/full/ballast" 2>/dev/null || true
    expect 1 '' "$pawl" backup "$work/full/backup" --profile "$work/a.yaml"
    [ ! -e "$work/full/backup" ] && [ ! -e "$work/full/backup.partial" ] || fail "a part of a backup was left"
    start a after-full
    umount "$work/full"
    mounted=
else
    echo "care_test: no tmpfs may be mounted here; the full disk is left out"
fi

crash
expect 0 'no problems' "$pawl" check "$work/a.yaml" --store
expect 0 'of the closed store' "$pawl" backup "$work/closed" --profile "$work/a.yaml"

# Another profile goes on with it; everything acknowledged before the backup is there.
expect 0 'restored to' "$pawl" restore "$work/backup" --profile "$work/b.yaml"
expect 4 'not empty' "$pawl" restore "$work/backup" --profile "$work/b.yaml"
expect 3 'no backup in' "$pawl" restore "$work/full" --profile "$work/c.yaml"
serve b
i=0
while [ $i -lt 20 ]; do
    i=$((i + 1))
    "$pawl" signal "before-$i" answer '"y"' --profile "$work/b.yaml" >/dev/null || fail "before-$i is lost"
done
i=0
while [ $i -lt 20 ]; do
    i=$((i + 1))
    "$pawl" wait "before-$i" --timeout 60s --profile "$work/b.yaml" >/dev/null || fail "before-$i did not complete"
done
kill "$serving"
wait "$serving" || fail "the host did not stop"
serving=
expect 0 'no problems' "$pawl" check "$work/b.yaml" --store

# A damaged backup is refused, and leaves nothing.
cp -r "$work/closed" "$work/damaged"
for file in "$work"/damaged/store.main/*.sst; do
    [ -f "$file" ] || continue
    size=$(stat -c %s "$file")
    printf 'XXXX' | dd of="$file" bs=1 seek=$((size / 3)) conv=notrunc 2>/dev/null
done
got=0
"$pawl" restore "$work/damaged" --profile "$work/c.yaml" >"$work/said.err" 2>&1 || got=$?
[ "$got" = 9 ] || fail "a damaged backup gave exit code $got"
[ ! -e "$work/c/store" ] && [ ! -e "$work/c/store.partial" ] || fail "a damaged backup left something"
expect 0 'restored to' "$pawl" restore "$work/closed" --profile "$work/c.yaml"
echo "care_test: all well"
