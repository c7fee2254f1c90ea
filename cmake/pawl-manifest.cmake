# cmake -DMANIFEST=FILE.json -DHEADER=FILE.h -P pawl-manifest.cmake: a manifest as C: PAWL_MANIFEST, PAWL_MANIFEST_ID and
# PAWL_MANIFEST_VERSION, as string literals for PAWL_PLUGIN. Part of pawl_plugin() of the CMake package.
file(READ "${MANIFEST}" text)
foreach(member IN ITEMS id version)
  string(JSON ${member} ERROR_VARIABLE problem GET "${text}" ${member})
  if(problem)
    string(REGEX REPLACE "[ \n]+" " " problem "${problem}")
    message(NOTICE "${MANIFEST} is no manifest: ${problem}")
    message(FATAL_ERROR "the plugin cannot be built without its manifest")
  endif()
endforeach()
string(REPLACE "\\" "\\\\" literal "${text}")
string(REPLACE "\"" "\\\"" literal "${literal}")
string(REPLACE "\r" "\\r" literal "${literal}")
string(REPLACE "\n" "\\n\"\n    \"" literal "${literal}")
file(WRITE "${HEADER}" "/* Made of ${MANIFEST}: change that. */\n#define PAWL_MANIFEST_ID \"${id}\"\n"
  "#define PAWL_MANIFEST_VERSION \"${version}\"\n")
string(REPLACE "\n" " \\\n" literal "    \"${literal}\"")
file(APPEND "${HEADER}" "#define PAWL_MANIFEST \\\n${literal}\n")
