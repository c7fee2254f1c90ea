#!/bin/sh
# examples_test.sh BUILD SOURCE CC: the programs that process-code.md shows are what it says: built from what is
# installed and nothing else, run under the installed `pawl serve`, killed in the middle, driven through its program and
# its API.
set -eu
build=$1
source=$2
cc=$3
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-examples-XXXXXX")
server=
end() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
umask 022
fail() { echo "examples_test: $*" >&2; cat "$work"/*.err >&2 2>/dev/null || true; exit 1; }
# has TEXT FILE
has() { grep -qF -- "$1" "$2" || { cat "$2" >&2; fail "\"$1\" is not in $(basename "$2")"; }; }

prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" >"$work/install.log" 2>&1 || { cat "$work/install.log"; fail "the install failed"; }
pawl=$prefix/bin/pawl
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name pawl.pc)")
export PKG_CONFIG_PATH
{
    printf 'profile: examples\ntier: durable\ndata: data\nstores: { main: { provider: rocksdb } }\n'
    printf 'attributes: { customer: keyword, amount: integer, sent: boolean }\nplugins:\n'
} >"$work/pawl.yaml"
for example in cart counter desk order saga children; do
    # shellcheck disable=SC2046
    "$cc" -std=c11 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -Wl,-z,defs $(pkg-config --cflags pawl) \
        "$source/examples/$example/$example.c" -o "$work/$example.so"
    echo "  - { path: $example.so, dev: true }" >>"$work/pawl.yaml"
    grep -q "examples/$example/$example.c" "$source/docs/process-code.md" || fail "process-code.md does not name $example.c"
done
cd "$work"
mkfifo ready
serve() {
    "$pawl" serve --ready-fd 9 9>ready >>serve.out 2>>serve.err &
    server=$!
    read -r line <ready || fail "pawl serve did not become ready"
    : "$line"
}
kill_and_serve() {
    kill -9 "$server"
    wait "$server" 2>/dev/null || true
    serve
}
ended() { # ID OUTPUT
    "$pawl" wait "$1" --timeout 60s >out 2>out.err || fail "$1 did not complete"
    has "$2" out
}
serve

# Updates: answered, rejected, asked again with the same id over a kill, answered by the last run of the program.
"$pawl" start shop.cart --id cart >out
"$pawl" update cart add-item 250 --id one >out
has '"total":250' out
"$pawl" update cart add-item '"free"' >out 2>&1 && fail "a rejected request has exit code 0"
has cart.price out
kill_and_serve
"$pawl" update cart add-item 250 --id one >out
has '"items":1' out
"$pawl" update cart add-item 300 --id one >out 2>&1 && fail "another request under the same id was taken"
curl -s --unix-socket data/pawl.sock http://pawl/v1/processes/cart/updates/add-item -d '{"payload":50,"id":"two"}' >out
has '{"status":"replied","reply":{"items":2,"total":300}}' out
"$pawl" update cart add-item 1 >out
"$pawl" update cart add-item 1 >out 2>&1 && fail "the cart has no end"
has cart.full out
"$pawl" update cart pay >out
has '"paid":301' out
ended cart '"total":301'
"$pawl" update cart pay >out 2>&1 && fail "a cart that has ended was paid again"
"$pawl" update cart add-item 250 --id one >out
has '"items":1' out

# A new run now and then: the journal stays short, and no signal is lost or taken twice.
"$pawl" start count.up --id counter --input 1000 >out
number=0
while [ $number -lt 25 ]; do
    number=$((number + 1))
    curl -s --unix-socket data/pawl.sock http://pawl/v1/processes/counter/signals \
        -d "{\"name\":\"add\",\"payload\":$number,\"id\":\"s$number\"}" >>signals.err
    [ $number -ne 14 ] || kill_and_serve
done
"$pawl" signal counter add 7 --signal-id s7 >out
has 'was sent before' out
"$pawl" signal counter add 0 >out
ended counter '"total":1325'
"$pawl" show counter --json | tr -d ' \n' >out
has '"run":3' out
"$pawl" journal counter --json >out
records=$(grep -o '"sequence"' out | wc -l)
[ "$records" -gt 5 ] && [ "$records" -lt 20 ] || fail "the journal of the last run holds the earlier ones"

# What others see of it: found by its attributes, with its status document, also after a kill and after its end.
"$pawl" start shop.order --id order-1 --input '{"customer":"ann","amount":12}' >out
"$pawl" start shop.order --id order-2 --input '{"customer":"bob","amount":40}' >out
seen() { # EXPRESSION ID
    tries=0
    until "$pawl" ps --all --where "$1" >out 2>out.err && grep -q "$2" out; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || fail "$2 is not found by $1"
        sleep 0.1
    done
}
seen 'customer = "ann"' order-1
seen 'amount > 20' order-2
grep -q order-1 out && fail "order-1 has an amount of 12"
"$pawl" signal order-1 packed '{"number":4711}' >out
seen 'sent = true' order-1
grep -q order-2 out && fail "order-2 was not sent"
kill_and_serve
"$pawl" show order-1 --json | tr -d ' \n' >out
has '"step":"sent","parcel":{"number":4711}' out
"$pawl" signal order-1 delivered >out
ended order-1 '"number":4711'
"$pawl" show order-1 --json | tr -d ' \n' >out
has '"step":"delivered"' out
seen 'customer = "ann" and sent = true' order-1

# And those of compensation and children.
"$pawl" start trip.book --id trip --input '"full"' --wait >out 2>&1 && fail "a full hotel took the trip"
has hotel.full out
"$pawl" journal trip >out
has trip.cancel-train out
"$pawl" start album.make --id album --wait >out 2>out.err || fail "the album did not complete"
has '"page 3"' out

# The queue of a session: a process takes from it what events deliver, over a kill, each once.
"$pawl" start desk.clerk --id clerk --session ann --input 0 >out
"$pawl" start desk.box --id box --session ann >out
for pages in 3 4 5; do
    "$pawl" event append box arrived "{\"pages\":$pages}" --key "letter-$pages" >out
    [ $pages -ne 4 ] || kill_and_serve
done
"$pawl" event append box arrived '{"pages":4}' --key letter-4 >out
"$pawl" event append box arrived '{"pages":0}' --key closed >out
ended clerk '"letters":3'
"$pawl" session get ann pages >out
has 12 out
"$pawl" queue list ann --json | tr -d ' \n' >out
has '"items":[]' out

kill -TERM "$server"
wait "$server" || fail "pawl serve did not end with 0"
server=
echo "examples_test: all do what process-code.md says"
