#!/bin/sh
# run.sh BUILD-DIR [DIR]: prepare a fresh directory .demo with a pinned profile, then run the demo over DIR.
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
files=${2:-/usr/share/doc}
[ -d "$files" ] && [ -r "$files" ] || { echo "demo: $files is not a directory that can be read" >&2; exit 2; }
files=$(cd "$files" && pwd)
demo=${PAWL_DEMO_DIR:-$(cd "$here/../.." && pwd)/.demo}

rm -rf "$demo"
mkdir -p "$demo"
chmod 700 "$demo"

# A text for the right side of `s|..|..|` that becomes part of a double-quoted YAML scalar.
quoted() { printf '%s' "$1" | sed -e 's/[\\"]/\\&/g' -e 's/[\\&|]/\\&/g'; }

# A profile pins each plugin by its digest: what is loaded is what was built here.
pin() { sha256sum "$build/plugins/$1" | cut -d ' ' -f 1; }
sed -e "s|@PLUGINS@|$(quoted "$build/plugins")|g" -e "s|@FILES@|$(quoted "$files")|g" \
    -e "s|@FILE_SHA@|$(pin pawl-file.so)|" -e "s|@EXEC_SHA@|$(pin pawl-exec.so)|" \
    -e "s|@HTTP_SHA@|$(pin pawl-http.so)|" -e "s|@INTAKE_SHA@|$(pin intake.so)|" \
    "$here/intake.yaml.in" >"$demo/intake.yaml.in"

# PAWL_DEMO_ISOLATED: the same with each connector in a process of its own (docs/operators-guide.md, "How far to trust a
# plugin"). What reads files needs no more than the strictest filter, what starts programs needs none.
if [ -n "${PAWL_DEMO_ISOLATED:-}" ]; then
    sed -i -e '/pawl-file.so/s|}$|, isolation: process}|' \
        -e '/pawl-exec.so/s|}$|, isolation: process, limits: {seccomp: "off", open_files: 256}}|' \
        -e '/pawl-http.so/s|}$|, isolation: process, limits: {seccomp: network, workers: 2}}|' "$demo/intake.yaml.in"
fi

# The socket's path must be short (108 bytes at most), whatever the path of this directory is.
socket_dir=$(mktemp -d "${TMPDIR:-/tmp}/pawl-demo.XXXXXX")
trap 'rm -rf "$socket_dir"' EXIT INT TERM
sed -i "s|@SOCKET@|$(quoted "$socket_dir/pawl.sock")|" "$demo/intake.yaml.in"

cd "$demo"
"$build/examples/intake/intake_demo" "$build/host/cli/pawl" intake.yaml.in intake.yaml \
    "$socket_dir/pawl.sock" "$files"
