#!/bin/sh
# header_matrix.sh SOURCE_DIR: pawl_process.h in every dialect it promises, by every compiler that is there.
# Fails when a combination fails, or when there is no compiler at all for one of the two languages.
set -u
here=$1/tests/unit/activation
flags="-Wall -Wextra -Wshadow -Wconversion -pedantic -Werror -fsyntax-only -I$1/abi"
tried=0 failed=0

try() { # compiler flags... file
    tried=$((tried + 1))
    "$@" || { echo "FAILED: $*"; failed=$((failed + 1)); }
}

languages=
for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    languages="$languages c"
    for dialect in c99 c11 c17 c2x gnu99 gnu17; do
        for file in checkout_plugin.c header_use.c; do
            try $compiler -std=$dialect $flags "$here/$file"
        done
    done
done
for compiler in g++ clang++; do
    command -v $compiler >/dev/null || continue
    languages="$languages c++"
    for dialect in c++11 c++14 c++17 c++20 gnu++17; do
        for file in checkout_plugin.c header_use.c; do
            try $compiler -x c++ -std=$dialect $flags "$here/$file"
            try $compiler -x c++ -std=$dialect -fno-exceptions -fno-rtti $flags "$here/$file"
        done
    done
done
echo "$tried combinations, $failed failed; languages:$languages"
case "$languages" in *" c"*" c++"*) ;; *) echo "a compiler is missing"; exit 1 ;; esac
[ $failed -eq 0 ]
