#!/bin/sh
# seeds.sh PROGRAM COUNT: run the fleets once for each of so many seeds, the first one by the day. Shows what failed.
set -eu
first=$(($(date +%s) / 86400 * 1000))
bad=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for step in $(seq 1 "$2"); do
    seed=$((first + step))
    PAWL_SEED=$seed "$1" >"$log" 2>&1 || { bad=$((bad + 1)); echo "seed $seed failed:"; cat "$log"; }
done
echo "$2 seeds from $((first + 1)) on, $bad failed"
[ "$bad" = 0 ]
