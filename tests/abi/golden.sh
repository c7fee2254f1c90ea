#!/bin/sh
# Writes the golden files of a minor anew. Only before its first release: afterwards they are what was released, and a
# test that differs from them has found a broken promise. Usage: golden.sh SOURCE-DIRECTORY BUILD-DIRECTORY
set -eu
source=$1
build=$2
minor=1.0
golden=$source/abi/golden

# Where every member lies.
PAWL_UPDATE_GOLDEN=1 "$build/tests/abi/abi-layout-test"

# The types as a tool for comparing binaries sees them.
abidw --no-show-locs --no-comp-dir-path --no-corpus-path "$build/tests/abi/libpawl-abi-anchor.so" |
    sed "s| path='[^']*'| path='anchor.c'|" >"$golden/abi-$minor.abi"

# The plugin that every later host must load.
gcc -std=c99 -Os -Wall -Wextra -pedantic -Werror -fPIC -fvisibility=hidden -fno-asynchronous-unwind-tables \
    -fno-stack-protector -ffreestanding -fno-tree-loop-distribute-patterns -nostdlib -shared -s -Wl,--build-id=none -Wl,-z,defs -Wl,-z,noexecstack \
    -I"$source/abi" -o "$golden/frozen-$minor.so" "$golden/frozen-$minor.c"
ls -l "$golden"
