# How every target of Pawl is compiled. Sanitizers are chosen with PAWL_SANITIZE (see CMakePresets.json).
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Assertions stay on in every build: a store that goes on with a broken invariant is worse than one that stops.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

set(PAWL_SANITIZE "" CACHE STRING "-fsanitize= list for everything, e.g. address,undefined or thread")
option(PAWL_WERROR "warnings are errors" ON)
option(PAWL_FUZZ "build the fuzz targets for libFuzzer (clang only), everything instrumented" OFF)
if(PAWL_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "PAWL_FUZZ needs clang: cmake -DCMAKE_C_COMPILER=clang (apt install clang libclang-rt-14-dev)")
  endif()
  set(PAWL_SANITIZE "fuzzer-no-link,address,undefined")
endif()

function(pawl_compile target)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> -Wvla
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> # messages are cut on purpose, into rooms whose size is a documented limit
    $<$<BOOL:${PAWL_WERROR}>:-Werror>)
  if(PAWL_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${PAWL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${PAWL_SANITIZE})
  endif()
  target_link_libraries(${target} PRIVATE pawl_abi)
endfunction()

# A plugin: one shared object that exports the entry symbol and nothing else.
function(pawl_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")
  pawl_compile(${name})
  if(PAWL_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL)
  else()
    target_link_options(${name} PRIVATE -Wl,-z,defs -Wl,--exclude-libs,ALL)
  endif()
endfunction()
