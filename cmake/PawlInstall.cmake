# What `cmake --install` gives: libpawl (static and shared), the headers, pawl.pc, a CMake package, the program, the
# connectors, the probe.
include(CMakePackageConfigHelpers)

set(PAWL_PLUGIN_DIR "${CMAKE_INSTALL_LIBDIR}/pawl/plugins")

install(FILES abi/pawl_abi.h abi/pawl_plugin.h abi/pawl_process.h abi/pawl_session.h abi/pawl_queue.h abi/pawl.hpp abi/pawl_edge.hpp
        abi/pawl_program.hpp abi/pawl_effect.hpp include/pawl/pawl.h include/pawl/error.h
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/pawl")
install(FILES abi/pawl_plugin.map cmake/pawl-manifest.cmake DESTINATION "${CMAKE_INSTALL_DATADIR}/pawl")
install(FILES abi/rust/pawl.rs abi/rust/sys.rs abi/rust/edge.rs abi/rust/program.rs abi/rust/effect.rs abi/rust/json.rs
        DESTINATION "${CMAKE_INSTALL_DATADIR}/pawl/rust")

install(TARGETS pawl_static pawl_shared
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" "${CMAKE_INSTALL_INCLUDEDIR}/pawl")
install(TARGETS pawl RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS http file exec call LIBRARY DESTINATION "${PAWL_PLUGIN_DIR}")

install(DIRECTORY host/cli/templates DESTINATION "${CMAKE_INSTALL_DATADIR}/pawl" USE_SOURCE_PERMISSIONS)
if(TARGET pawl-conformance)
  install(TARGETS pawl-conformance RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" OPTIONAL)
endif()

# From where pawl.pc lies to the prefix, so that it is true wherever `cmake --install --prefix` puts it.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(PAWL_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH PAWL_PC_PREFIX "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
  string(REGEX REPLACE "/$" "" PAWL_PC_PREFIX "\${pcfiledir}/${PAWL_PC_PREFIX}")
endif()
configure_file(cmake/pawl.pc.in "${CMAKE_BINARY_DIR}/pawl.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/pawl.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

configure_package_config_file(cmake/pawl-config.cmake.in "${CMAKE_BINARY_DIR}/pawl-config.cmake"
                              INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/pawl")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/pawl-config-version.cmake" COMPATIBILITY SameMajorVersion)
install(FILES "${CMAKE_BINARY_DIR}/pawl-config.cmake" "${CMAKE_BINARY_DIR}/pawl-config-version.cmake"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/pawl")
