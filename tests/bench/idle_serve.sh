#!/bin/sh
# idle_serve.sh BUILD-DIR DIR SECONDS: what a `pawl serve` costs that has nothing to do: its memory, how often a second any
# of its threads wakes up, and what it writes. One line of JSON. The server is ended by its id and must end well.
set -eu
build=$1
dir=$2
seconds=$3
mkdir -p "$dir"
cat > "$dir/pawl.yaml" <<END
profile: bench
tier: durable
data: $dir/data
socket: $dir/pawl.sock
stores: { main: { provider: rocksdb } }
log: { level: warn }
END
mkfifo "$dir/ready"
"$build/host/cli/pawl" serve --profile "$dir/pawl.yaml" --ready-fd 3 3> "$dir/ready" > "$dir/serve.log" 2>&1 &
server=$!
read -r _ < "$dir/ready" || { kill "$server" 2> /dev/null || true; } # nothing comes when it has died

# The sum over all threads, and one number of a file: 0 when there is none.
wakeups() { cat "/proc/$server/task/"*/status | awk '/^voluntary_ctxt_switches/ { sum += $2 } END { print sum + 0 }'; }
number() { awk -v key="$2:" '$1 == key { found = $2 } END { print found + 0 }' "/proc/$server/$1"; }

good=0
if kill -0 "$server" 2> /dev/null; then
    sleep 1 # what an opening leaves to do in the background
    before=$(wakeups)
    written=$(number io write_bytes)
    sleep "$seconds"
    printf '{"bench":"idle.serve","seconds":%s,"rss_bytes":%d,"wakeups_per_s":%s,"bytes_written":%d}\n' "$seconds" \
        "$(($(number status VmRSS) * 1024))" "$(echo "$before $(wakeups) $seconds" | awk '{ printf "%.2f", ($2 - $1) / $3 }')" \
        "$(($(number io write_bytes) - written))"
else
    good=1
fi
kill "$server" 2> /dev/null || true
wait "$server" || good=$?
[ "$good" = 0 ] || cat "$dir/serve.log" >&2
exit "$good"
