#!/bin/sh
# new_test.sh BUILD: `pawl plugin new`: what it refuses leaves nothing behind, and every repository that it makes builds
# against the installed Pawl with one command and passes its own tests: a probe, and a real host (pawl serve, or
# pawl-conformance for a facet).
set -eu
build=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-kit-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
umask 022
fail() { echo "new_test: $*" >&2; exit 1; }
# has TEXT FILE
has() { grep -qF -- "$1" "$2" || { cat "$2" >&2; fail "\"$1\" is not in $(basename "$2")"; }; }

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" 2>&1 || { cat "$work/install.log"; fail "the install failed"; }
PATH=$work/prefix/bin:$PATH
export PATH
unset PAWL_PREFIX PAWL_PROFILE RUSTC || true
[ ! -x /usr/bin/rustc ] || export RUSTC=/usr/bin/rustc # Debian's: what it takes, later ones take
mkdir "$work/made"
cd "$work/made"

# refused CODE TEXT ARGUMENTS...: and nothing is written.
refused() {
    code=$1 text=$2
    shift 2
    status=0
    pawl plugin new "$@" >"$work/out" 2>&1 || status=$?
    [ $status = "$code" ] || { cat "$work/out" >&2; fail "pawl plugin new $* ended with $status, not $code"; }
    has "$text" "$work/out"
    [ -z "$(ls -A)" ] || fail "pawl plugin new $* left $(ls -A)"
}
refused 2 'the name "Mailer" cannot be used: wanted 2 to 48 of a-z 0-9 -' Mailer --kind effect
refused 2 'the name "../x" cannot be used' ../x --kind effect
refused 2 'the name "x" cannot be used' x --kind effect
refused 2 'the name "mail-" cannot be used' mail- --kind effect
refused 2 'names that begin with pawl are Pawl'"'"'s own' pawl-mailer --kind effect
refused 2 'ids that begin with pawl are Pawl'"'"'s own' mailer --kind effect --id pawl.mailer
refused 2 'the id "com..x" cannot be used' mailer --kind effect --id com..x
refused 2 'the vendor "a"b" cannot be used' mailer --kind effect --vendor 'a"b'
refused 2 'which --kind? effect, connector, process or facet' mailer
refused 2 'there is no template for --kind effect --lang cobol; there is: effect in c, c++, rust, zig; connector in c, c++, rust; process in c' mailer --kind effect --lang cobol
refused 2 'there is no template for --kind facet --lang zig' mailer --kind facet --lang zig
refused 2 'there is no template for --kind middle --lang c; there is: effect in c' mailer --kind middle
mkdir mailer
echo mine >mailer/file
status=0
pawl plugin new mailer --kind effect >"$work/out" 2>&1 || status=$?
[ $status = 4 ] || fail "an existing directory was not refused as a conflict"
has 'mailer is there already; nothing was written' "$work/out"
[ "$(find . -type f)" = ./mailer/file ] && [ "$(cat mailer/file)" = mine ] || fail "what was there was touched"
rm -r mailer
# A template that cannot be read in the middle: nothing is left.
mv "$work/prefix/share/pawl/templates/source/c-effect/src/@NAME@.c" "$work/kept.c"
mkdir -p "$work/prefix/share/pawl/templates/source/c-effect/src/1/2/3/4/5/6/7/8/9"
status=0
pawl plugin new mailer --kind effect >"$work/out" 2>&1 || status=$?
[ $status = 1 ] && [ -z "$(ls -A)" ] || fail "a template that cannot be copied left $(ls -A)"
rm -r "$work/prefix/share/pawl/templates/source/c-effect/src/1"
mv "$work/kept.c" "$work/prefix/share/pawl/templates/source/c-effect/src/@NAME@.c"

# make_and_test KIND LANG: in the background, its output in a file.
make_and_test() {
    name=my-$1-$(echo "$2" | tr + p)
    pawl plugin new "$name" --kind "$1" --lang "$2" --id "org.kit-test.$name" --vendor "Kit & Co" >"$work/$name.log" 2>&1 ||
        return 1
    ! grep -rE '@(NAME|ID|VENDOR|LANGUAGE|PACKAGES)@' "$name" >>"$work/$name.log" || return 1
    (cd "$name" && ./test) >>"$work/$name.log" 2>&1
}
languages="c c++"
if command -v "${RUSTC:-rustc}" >/dev/null; then languages="$languages rust"; else echo "new_test: without Rust: there is no rustc"; fi
command -v "${ZIG:-zig}" >/dev/null && languages="$languages zig" || echo "new_test: without Zig: there is no zig"
all() { # two halves, beside each other
    number=0
    for kind in effect connector process facet; do
        for lang in $languages; do
            case $lang-$kind in zig-connector | zig-facet) continue ;; esac
            number=$((number + 1))
            [ $((number % 2)) = "$1" ] || continue
            make_and_test $kind "$lang" || { cat "$work/$name.log" >&2; echo "new_test: $kind in $lang failed" >&2; return 1; }
            echo "$kind in $lang" >>"$work/passed"
        done
    done
}
all 0 &
half=$!
all 1 || { wait $half || true; exit 1; }
wait $half || exit 1
[ "$(sort -u "$work/passed" | wc -l)" -ge 8 ] || fail "only these passed: $(cat "$work/passed")"

# The tests of a repository notice when its plugin does something else.
cd my-effect-c
sed 's/stamped/stomped/' src/my-effect-c.c >"$work/broken.c"
cp "$work/broken.c" src/my-effect-c.c
./test >"$work/out" 2>&1 && fail "the tests of a broken plugin pass"
has 'wanted an object that has "stamped"' "$work/out"
echo "new_test: $(wc -l <"$work/passed") repositories, and each passes its tests"
