#!/bin/sh
# connected.sh BUILD-DIR DIR [BENCH-ARGUMENTS...]: `pawl bench steps`, or what PAWL_BENCH_KIND says, through the socket of a
# `pawl serve` of its own, whose store is put into DIR. The server is ended by its id and must end well.
set -eu
build=$1
dir=$2
shift 2
pawl="$build/host/cli/pawl"
mkdir -p "$dir"
cat > "$dir/pawl.yaml" <<END
profile: bench
tier: durable
data: $dir/data
socket: $dir/pawl.sock
stores: { main: { provider: rocksdb } }
plugins: [ { path: $build/plugins/pawl-bench.so, dev: true } ]
log: { level: warn }
END
mkfifo "$dir/ready"
"$pawl" serve --profile "$dir/pawl.yaml" --ready-fd 3 3> "$dir/ready" > "$dir/serve.log" 2>&1 &
server=$!
# Nothing comes when it has died: the other end is closed then.
read -r _ < "$dir/ready" || { kill "$server" 2> /dev/null || true; }
good=0
"$pawl" bench "${PAWL_BENCH_KIND:-steps}" --connect "$dir/pawl.sock" "$@" || good=$?
kill "$server" 2> /dev/null || true
wait "$server" || good=$?
[ "$good" = 0 ] || cat "$dir/serve.log" >&2
exit "$good"
