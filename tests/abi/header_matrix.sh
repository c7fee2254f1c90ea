#!/bin/sh
# Compiles every public header of abi/, alone and twice, in every language it promises, with every compiler there is.
# Usage: header_matrix.sh ABI-DIRECTORY
# A compiler that is not installed is skipped; none at all is a failure, and so is the smallest warning.
set -u
abi=$1
warnings="-Wall -Wextra -pedantic -Wshadow -Wconversion -Werror"
tried=0
failed=0

# try COMPILER LANGUAGE STANDARD HEADER [MORE FLAGS]
try() {
    compiler=$1 language=$2 standard=$3 header=$4 more=${5-}
    for includes in 1 2; do
        source="#include <$header>"
        [ $includes = 2 ] && source="$source
#include <$header>"
        # shellcheck disable=SC2086 # the flags are words
        if ! output=$(printf '%s\nint main(void) { return 0; }\n' "$source" |
            $compiler -x "$language" "-std=$standard" $warnings $more -I"$abi" -o /dev/null -S - 2>&1); then
            echo "$compiler -std=$standard, <$header> included $includes times:"
            echo "$output" | head -20
            failed=$((failed + 1))
        fi
        tried=$((tried + 1))
    done
}

c_compilers=""
for compiler in gcc clang; do
    command -v $compiler >/dev/null && c_compilers="$c_compilers $compiler"
done
cxx_compilers=""
for compiler in g++ clang++; do
    command -v $compiler >/dev/null && cxx_compilers="$cxx_compilers $compiler"
done
if [ -z "$c_compilers" ] || [ -z "$cxx_compilers" ]; then
    echo "no C compiler or no C++ compiler of gcc, clang, g++, clang++ was found"
    exit 1
fi

for compiler in $c_compilers; do
    for standard in c89 c99 c11 c17 c2x; do
        try "$compiler" c $standard pawl_abi.h "-Wstrict-prototypes -Wmissing-prototypes"
    done
    for standard in c99 c11 c17 c2x; do
        for header in pawl_plugin.h pawl_process.h pawl_session.h pawl_queue.h; do
            [ -e "$abi/$header" ] && try "$compiler" c $standard $header "-Wstrict-prototypes -Wmissing-prototypes"
        done
    done
done
for compiler in $cxx_compilers; do
    for standard in c++98 c++11 c++14 c++17 c++20; do
        try "$compiler" c++ $standard pawl_abi.h
    done
    for standard in c++11 c++14 c++17 c++20; do
        for header in pawl_plugin.h pawl_process.h pawl_session.h pawl_queue.h; do
            [ -e "$abi/$header" ] && try "$compiler" c++ $standard $header
        done
    done
done

for compiler in $cxx_compilers; do
    for standard in c++17 c++20; do
        try "$compiler" c++ $standard pawl.hpp
    done
done

echo "$tried compilations with$c_compilers$cxx_compilers, $failed failed"
[ $failed = 0 ]
