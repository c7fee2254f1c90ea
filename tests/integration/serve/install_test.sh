#!/bin/sh
# install_test.sh BUILD SOURCE CC: what is installed is enough. Installs into a temporary prefix, builds a plugin with
# find_package(pawl), one with pkg-config and a program that embeds libpawl, none of which may see the source tree; then
# runs them under the installed `pawl`. Also: every program of the plugin author's guide passes the probe.
set -eu
build=$1
source=$2
cc=$3
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-install-XXXXXX")
server=
end() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
umask 022
fail() { echo "install_test: $*" >&2; exit 1; }
# has TEXT FILE
has() { grep -qF -- "$1" "$2" || { cat "$2" >&2; fail "\"$1\" is not in $(basename "$2")"; }; }

prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" >"$work/install.log" 2>&1 || { cat "$work/install.log"; fail "the install failed"; }
pawl=$prefix/bin/pawl
"$pawl" version >/dev/null || fail "the installed program does not run"
# Folders of the source tree, not its own path: that may be as short as "/pawl", which stands in installed paths too.
if grep -rlF -e "$source/abi" -e "$source/include" -e "$source/worker" -e "$source/host" -e "$build" \
    "$prefix/include" "$prefix"/lib*/pkgconfig "$prefix"/lib*/cmake 2>/dev/null; then
    fail "these installed files know where they were built"
fi

# With CMake.
cp -R "$source/tests/integration/serve/installed" "$work/project"
cmake -S "$work/project" -B "$work/cmake" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$cc" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; fail "find_package(pawl) failed"; }
cmake --build "$work/cmake" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; fail "the CMake project failed"; }

# With pkg-config.
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name pawl.pc)")
export PKG_CONFIG_PATH
case $(pkg-config --cflags pawl) in
*"$work"*) ;;
*) fail "pawl.pc points elsewhere: $(pkg-config --cflags pawl)" ;;
esac
# shellcheck disable=SC2046
"$cc" -std=c11 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -Wl,-z,defs $(pkg-config --cflags pawl) \
    "$work/project/letter.c" -o "$work/letter.so"
# shellcheck disable=SC2046
"$cc" -std=c11 -Wall -Wextra -Werror $(pkg-config --cflags pawl) "$work/project/embed.c" $(pkg-config --libs pawl) \
    -Wl,-rpath,"$(pkg-config --variable=libdir pawl)" -o "$work/embed"

# What stands around calls: the examples, from what is installed alone.
for example in budget observer; do
    cp "$source/examples/$example/$example.c" "$work/project/"
    # shellcheck disable=SC2046
    "$cc" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -Wl,-z,defs -pthread \
        $(pkg-config --cflags pawl) "$work/project/$example.c" -o "$work/$example.so"
done

# The probe that is run is the installed one, wherever the prefix is: a wrapper in its place leaves a mark.
probe=$prefix/libexec/pawl/pawl-probe
mv "$probe" "$probe.real"
printf '#!/bin/sh\necho used >>"%s/probed"\nexec "%s" "$@"\n' "$work" "$probe.real" >"$probe"
chmod 755 "$probe"
"$pawl" plugin probe "$work/letter.so" >"$work/out"
has "the probe passed" "$work/out"
[ -s "$work/probed" ] || fail "pawl ran another probe than the installed one"

# The same for the program that runs isolated plugins.
guest=$prefix/libexec/pawl/pawl-plugin-host
mv "$guest" "$guest.real"
printf '#!/bin/sh\necho used >>"%s/hosted"\nexec "%s" "$@"\n' "$work" "$guest.real" >"$guest"
chmod 755 "$guest"

# The program that checks is installed as well, and what was built passes.
"$pawl" plugin check "$work/letter.so" --generate >"$work/out" || { cat "$work/out"; fail "letter.so does not pass the check"; }
has "the plugin passes" "$work/out"

cat >"$work/pawl.yaml" <<END
profile: installed
tier: durable
data: data
stores: { main: { provider: rocksdb } }
plugins:
  - { path: cmake/greeter.so, dev: true }
  - { path: letter.so, sha256: $(sha256sum "$work/letter.so" | cut -d ' ' -f 1) }
  - { path: budget.so, sha256: $(sha256sum "$work/budget.so" | cut -d ' ' -f 1) }
  - { path: observer.so, dev: true }
  - { path: $(find "$prefix" -name pawl-file.so), dev: true, isolation: process }
middleware: { purse: { plugin: com.example.budget, config: { calls: 1 } } }
observers: [ { plugin: com.example.observer, config: { path: $work/events.jsonl }, slow: 1h } ]
effects: { letter.drop: { order: [purse] } }
END
cd "$work"
"$pawl" check >"$work/out" || { cat "$work/out"; fail "the profile is not good"; }
mkfifo ready
"$pawl" serve --ready-fd 9 9>ready >serve.out 2>serve.err &
server=$!
read -r line <ready || { cat serve.err; fail "pawl serve did not become ready"; }
: "$line"
"$pawl" start example.greet --id one --input '"hello"' --wait >out 2>err || { cat err; fail "the process did not complete"; }
has '"key":"one/1/1"' out
has '"bytes":7' out
"$pawl" plugin list >out
has org.example.greeter out
has org.example.letter out
"$pawl" connectors >out
has purse out
has '"calls":1' out
[ -s "$work/hosted" ] || fail "pawl ran another program for isolated plugins than the installed one"
"$pawl" host --json >out
has '"mode":"process","available":true' out
kill -9 "$server"
wait "$server" 2>/dev/null || true
"$pawl" serve --ready-fd 9 9>ready >>serve.out 2>>serve.err &
server=$!
read -r line <ready || { cat serve.err; fail "pawl serve did not become ready again"; }
"$pawl" show one >out
has completed out
"$pawl" start example.greet --id two --text "" --wait >out 2>err && fail "an empty letter was dropped"
has "letter.empty" err
kill -TERM "$server"
wait "$server" || fail "pawl serve did not end with 0"
server=
has '"what":"call_ended","process":"two"' events.jsonl
has '"ended":"failed","code":"letter.empty"' events.jsonl

# Embedded: the same store, by the library; linked by CMake and by pkg-config.
: >"$work/probed"
./cmake/embed pawl.yaml example.greet one '"hello"' >out 2>err || { cat err; fail "the embedding program failed"; }
has '"status":"completed"' out
has '"key":"one/1/1"' out
[ -s "$work/probed" ] || fail "libpawl ran another probe than the installed one"
./embed pawl.yaml example.greet three '"hi"' >out 2>err || { cat err; fail "the embedding program failed"; }
has '"key":"three/1/1"' out

# What the plugin author's guide shows is what a host takes.
awk -v dir="$work" '/^```c$/ { getline; inside = /^\/\* [a-z_]+\.c: /; n += inside } /^```$/ { inside = 0 }
    inside { print > (dir "/guide" n ".c") }' "$source"/docs/plugin-authors/*.md
for program in "$work"/guide*.c; do
    # shellcheck disable=SC2046
    "$cc" -std=c11 -D_GNU_SOURCE -shared -fPIC -fvisibility=hidden -Wl,-z,defs $(pkg-config --cflags pawl) "$program" \
        -o "$program.so"
    "$pawl" plugin probe "$program.so" >out 2>err || { cat out err; fail "a host refuses $(head -n 1 "$program")"; }
done
echo "install_test: $(find "$prefix" -type f | wc -l) files, and they are enough"
