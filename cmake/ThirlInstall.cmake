# SPDX-License-Identifier: MIT
# What `make install` puts where: programs, manual, completion, libthirl (shared and static), headers, pkg-config, CMake package.
include(CMakePackageConfigHelpers)

foreach(program thirl thirld)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

# What --help and the manual name.
foreach(page events-json nat-json tune-json tune-apply)
  install(FILES ${PROJECT_SOURCE_DIR}/docs/${page}.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(TARGET pages)
  install(DIRECTORY ${THIRL_SHARE}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR})
  foreach(folder bash-completion zsh fish)
    install(DIRECTORY ${THIRL_SHARE}/${folder} DESTINATION ${CMAKE_INSTALL_DATADIR})
  endforeach()
  install(FILES ${THIRL_SHARE}/thirld.conf DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()

if(TARGET thirl_shared)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/thirl)
  install(
    TARGETS thirl_shared thirl_static
    EXPORT thirlTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT thirlTargets NAMESPACE thirl:: DESTINATION ${package_dir})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/thirl DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

  configure_file(${CMAKE_CURRENT_LIST_DIR}/thirl.pc.in ${PROJECT_BINARY_DIR}/thirl.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/thirl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

  write_basic_package_version_file(${PROJECT_BINARY_DIR}/thirlConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/thirlConfig.cmake ${PROJECT_BINARY_DIR}/thirlConfigVersion.cmake
          DESTINATION ${package_dir})
endif()
