#!/bin/sh
# check.sh: the models, exhaustively: lease.pml, the lease protocol, and ahead.pml, results that are seen before they are
# durable. Four questions:
#   scopes     nothing is broken, in any interleaving, with these many crashes, expiries ...: no error, search complete
#   livelock   nothing goes round for ever
#   mutants    with one rule broken Spin finds a counterexample, and it is the property that the rule is for
#   witnesses  what Pawl does not promise really happens in the model, and so does what it is about
#
# usage: check.sh [lease|ahead] [scopes [NAME]|livelock|mutants [NAME]|witnesses [NAME]|show NAME]
#   without a model both, without a question all but show, which prints the counterexample of a mutant, or the run of a
#   witness, line by line
# Exit status: 0 all as it should be, 1 not, 77 Spin or a C compiler is missing.
set -u
models=$(cd "$(dirname "$0")" && pwd)
case "${1:-}" in
lease | ahead) chosen=$1; shift ;;
*) chosen="lease ahead" ;;
esac
compiler=${CC:-cc}
for tool in spin "$compiler"; do
    command -v "$tool" >/dev/null 2>&1 || { echo "SKIP: $tool is not installed (apt-get install spin gcc)"; exit 77; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-model.XXXXXX")
trap 'rm -rf "$work"' EXIT
bad=0
only=${2:-}

# name | what may happen, how often
lease_scopes() {
    cat <<'END'
quiet|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0
takeover|-DCRASHES=0 -DEXPIRIES=2 -DRELEASES=0
release|-DCRASHES=0 -DEXPIRIES=1 -DRELEASES=1
crash|-DCRASHES=1 -DEXPIRIES=1 -DRELEASES=0 -DSIGNALS=0
crash_signal|-DCRASHES=1 -DEXPIRIES=1 -DRELEASES=0 -DCANCELS=0
crash_twice|-DCRASHES=2 -DEXPIRIES=0 -DRELEASES=0 -DSIGNALS=0
crash_cancel_signal|-DCRASHES=1 -DEXPIRIES=0 -DRELEASES=0
clock|-DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DTURNS=2 -DCANCELS=0
clock_cancel|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DTURNS=2
clock_crash|-DCRASHES=1 -DEXPIRIES=0 -DRELEASES=0 -DTURNS=2 -DCANCELS=0
failed_write|-DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DFAILURES=1
park|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DPARKS=1
park_expiry|-DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DPARKS=1 -DSIGNALS=0
park_crash|-DCRASHES=1 -DEXPIRIES=0 -DRELEASES=0 -DPARKS=1 -DSIGNALS=0
lost_events|-DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DLOSSES=2
force|-DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DFORCED=1 -DSIGNALS=0
END
}

# Minutes and 2 GB: by name only.
lease_large() {
    cat <<'END'
everything|-DCRASHES=1 -DEXPIRIES=1 -DRELEASES=0
clock_expiry_cancel|-DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DTURNS=2
force_signal|-DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DFORCED=1
END
}

# name | where it shows | the property that must break
lease_mutants() {
    cat <<'END'
NO_FENCE|-DCRASHES=0 -DRELEASES=0|broken: I2 a stale token
FENCE_AT_SUBMIT|-DCRASHES=0 -DRELEASES=0|broken: I2 a stale token
EPOCH_NOT_RAISED|-DEXPIRIES=0 -DRELEASES=0|broken: I2 tokens only grow
CLAIM_IN_ROUND|-DCRASHES=0 -DRELEASES=0 -DSIGNALS=0 -DCANCELS=0|broken: I1 a step is recorded once
STALE_RELEASE|-DCRASHES=0|broken: I2 a stale token releases nothing
LOADS_NOTHING|-DCRASHES=0 -DRELEASES=0|broken: I1 a recorded step is not run again by the holder
EFFECT_BEFORE_RECORD|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I1 nothing begins before
POST_TRUSTS_THE_HOLDER|-DCRASHES=0 -DRELEASES=0 -DTURNS=2 -DCANCELS=0|broken: I5 an acknowledged signal is acted upon
TWO_WRITES|-DEXPIRIES=0 -DRELEASES=0|broken: I4
NO_POST_ID|-DEXPIRIES=0 -DRELEASES=0|broken: I5 a post happens once
ACK_BEFORE_WRITE|-DEXPIRIES=0 -DRELEASES=0|broken: I5 what was acknowledged is there
SUSPEND_IGNORES_SEEN|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I5 what was posted is not slept over
COMPLETE_IGNORES_SEEN|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I7 no end, no wait and no park
PARK_IGNORES_CANCEL|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DPARKS=1|broken: I7 no end, no wait and no park
CANCELLED_EARLY|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I7 an end is reported when
CLAIM_CONSUMES|-DEXPIRIES=0 -DRELEASES=0|broken: I4 ready is what has a ready row
WAITS_FOR_EVENTS|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DLOSSES=1|broken: I8 nobody holds a process and does nothing
TRUSTS_EVENTS|-DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DLOSSES=1|broken: I5 a lost event is made good
END
}

# number | name | where | what it says
lease_witnesses() {
    cat <<'END'
1|runs_twice|-DCRASHES=0 -DRELEASES=0|witness: an effect runs twice
2|recorded_step_again|-DCRASHES=0 -DRELEASES=0|witness: a fenced worker runs a recorded step again
3|takeover|-DCRASHES=0 -DRELEASES=0|witness: a takeover
4|fenced_effect_outlives_the_end|-DCRASHES=0 -DRELEASES=0|witness: an end as cancelled while
5|end|-DCRASHES=0 -DRELEASES=0 -DEXPIRIES=0|witness: an end that is none of a cancel
6|more|-DCRASHES=0 -DRELEASES=0 -DEXPIRIES=0|witness: more has come
7|post_again|-DEXPIRIES=0 -DRELEASES=0|witness: a post that was written
END
}

# The same of ahead.pml.
ahead_scopes() {
    cat <<'END'
visible_crash|-DPROGRAM=1 -DCRASHES=1 -DEXPIRIES=0 -DRELEASES=0
visible_takeover|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0
visible_stop|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=2
visible_trouble|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DFAILS=1 -DFAILURES=1 -DLOSSES=1
visible_force|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DFORCED=1
visible_refused|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DREFUSALS=1 -DSIGNALS=0
wait_crash_takeover|-DPROGRAM=2 -DCRASHES=1 -DEXPIRIES=1 -DRELEASES=0 -DSIGNALS=1 -DCANCELS=0
wait_crash|-DPROGRAM=2 -DCRASHES=1 -DEXPIRIES=0 -DRELEASES=0
wait_takeover_stop|-DPROGRAM=2 -DCRASHES=0 -DEXPIRIES=1 -DRELEASES=1
wait_trouble|-DPROGRAM=2 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DFAILS=1 -DFAILURES=1 -DLOSSES=1
wait_force|-DPROGRAM=2 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DFORCED=1
beside_crash|-DPROGRAM=3 -DCRASHES=1 -DEXPIRIES=0 -DRELEASES=0 -DCANCELS=0
beside_takeover|-DPROGRAM=3 -DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0
beside_trouble|-DPROGRAM=3 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DFAILS=1 -DFAILURES=1 -DLOSSES=1
stuck_crash|-DPROGRAM=4 -DCRASHES=1 -DEXPIRIES=0 -DRELEASES=0 -DSIGNALS=0
stuck_takeover|-DPROGRAM=4 -DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DSIGNALS=0
stuck_trouble|-DPROGRAM=4 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DFAILS=1 -DFAILURES=1 -DLOSSES=1 -DSIGNALS=0
stuck_posts|-DPROGRAM=4 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=1
END
}

ahead_large() {
    cat <<'END'
visible_crash_takeover|-DPROGRAM=1 -DCRASHES=1 -DEXPIRIES=1 -DRELEASES=0 -DCANCELS=0
stuck_everything|-DPROGRAM=4 -DCRASHES=1 -DEXPIRIES=0 -DRELEASES=0
END
}

ahead_mutants() {
    cat <<'END'
BEGINS_AHEAD|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I1 nothing visible begins before
APPEND_IGNORES_SEEN|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I5 what was seen ahead stands where
SEEN_IS_THE_MIRROR|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I5 what was seen ahead stands where
COMPLETE_IGNORES_SEEN|-DPROGRAM=2 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I5 what was seen ahead stands where
SUSPENDS_AHEAD|-DPROGRAM=2 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I5 what was seen ahead stands where
PARKS_AHEAD|-DPROGRAM=4 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I5 what was seen ahead stands where
PARKS_WITHOUT|-DPROGRAM=4 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I8 being stuck is no more true
GOES_ON|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I1 nothing visible begins before
WRITES_BEHIND|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I5 what was seen ahead stands where
BATCH_STAYS|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I1 a step is recorded once
MIRROR_STAYS|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I1 nothing visible begins before
GOES_AHEAD_BESIDE|-DPROGRAM=3 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0 -DCANCELS=0|broken: I1 the holder does not begin what
FEEDS_WHILE_AHEAD|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|broken: I5 the order that the program sees
END
}

ahead_witnesses() {
    cat <<'END'
11|local_step_again|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|witness: a local step runs again, though nothing
12|one_write|-DPROGRAM=2 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|witness: two local steps and the end are one write
13|comes_in_between|-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=0 -DRELEASES=0|witness: what came in between is what becomes
14|never_recorded|-DPROGRAM=1 -DCRASHES=0 -DRELEASES=0|witness: a fenced worker shows its program what will never
END
}

ahead_livelock="-DPROGRAM=1 -DCRASHES=0 -DEXPIRIES=1 -DRELEASES=0 -DCANCELS=0"
lease_livelock="-DCRASHES=1 -DEXPIRIES=1 -DRELEASES=0 -DCANCELS=0"

# verify NAME "cc options" "pan options" "spin options": makes $work/NAME, with `out`
verify() {
    mkdir -p "$work/$1"
    # shellcheck disable=SC2086
    (cd "$work/$1" && spin -a $4 "$models/$model.pml" >generated 2>&1 &&
        "$compiler" -w -O2 -DVECTORSZ=512 -DCOLLAPSE $2 -o pan pan.c >>generated 2>&1 &&
        ./pan -m100000 -w24 $3 >out 2>&1) && [ -s "$work/$1/out" ] ||
        { cat "$work/$1/generated" "$work/$1/out" 2>/dev/null; echo "$1: could not be checked"; return 1; }
}

states() { sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$work/$1/out"; }

# The steps of the counterexample, without what is not said by the model.
replay() {
    # shellcheck disable=SC2086
    (cd "$work/$1" && spin -t -k "$model.pml.trail" $2 "$models/$model.pml") |
        sed -n -E 's/^ *((store|worker|outside|clock|broken|witness).*)/\1/p'
}

complete() { grep -q 'errors: 0' "$work/$1/out" && ! grep -qi 'search depth too small\|out of memory\|not completed' "$work/$1/out"; }

check_scopes() {
    while IFS='|' read -r name options; do
        case "${only:-$name}" in "$name") ;; *) continue ;; esac
        verify "$name" -DSAFETY "" "$options" || { bad=1; continue; }
        if complete "$name"; then
            echo "$model, scope $name: nothing is broken in $(states "$name") states"
        else
            echo "$model, scope $name: NOT as it should be"
            tail -n 40 "$work/$name/out"
            replay "$name" "$options"
            bad=1
        fi
        rm -rf "${work:?}/$name"
    done <<END
$("${model}_scopes")
$([ -z "$only" ] || "${model}_large")
END
}

check_livelock() {
    eval "options=\$${model}_livelock"
    verify livelock "-DNP -DNOFAIR" "-l" "$options" || { bad=1; return; }
    if complete livelock; then
        echo "$model, livelock: none in $(states livelock) states"
    else
        echo "$model, livelock: NOT as it should be"
        tail -n 40 "$work/livelock/out"
        bad=1
    fi
}

# must_break NAME "spin options" "text"
must_break() {
    verify "$1" -DSAFETY "" "$2" || { bad=1; return; }
    found=$(replay "$1" "$2" | grep -E '^(broken|witness)' | head -n 1)
    case "$found" in
    "$3"*) echo "$model, $1: $found" ;;
    *)
        echo "$model, $1: NOT found: wanted '$3', found '${found:-nothing}'"
        bad=1
        ;;
    esac
    rm -rf "${work:?}/$1"
}

check_mutants() {
    while IFS='|' read -r name options text; do
        case "${only:-$name}" in "$name") ;; *) continue ;; esac
        must_break "mutant_$name" "-DMUTANT_$name $options" "$text"
    done <<END
$("${model}_mutants")
END
}

check_witnesses() {
    while IFS='|' read -r number name options text; do
        case "${only:-$name}" in "$name") ;; *) continue ;; esac
        must_break "witness_$name" "-DWITNESS=$number $options" "$text"
    done <<END
$("${model}_witnesses")
END
}

show() {
    options=$("${model}_mutants" | sed -n "s/^$1|\([^|]*\)|.*/-DMUTANT_$1 \1/p")
    [ -n "$options" ] || options=$("${model}_witnesses" | sed -n "s/^\([0-9]*\)|$1|\([^|]*\)|.*/-DWITNESS=\1 \2/p")
    [ -n "$options" ] || return 0
    echo "$model, $1:"
    verify shown "-DSAFETY -DREACH" "-i" "$options" && replay shown "$options" # -i: a short one
}

for model in $chosen; do
    case "${1:-all}" in
    all) check_scopes; check_livelock; check_mutants; check_witnesses ;;
    scopes) check_scopes ;;
    livelock) check_livelock ;;
    mutants) check_mutants ;;
    witnesses) check_witnesses ;;
    show) show "${2:?the name of a mutant or witness}" ;;
    *) echo "usage: check.sh [lease|ahead] [scopes|livelock|mutants|witnesses|show NAME]"; exit 2 ;;
    esac
done
exit $bad
