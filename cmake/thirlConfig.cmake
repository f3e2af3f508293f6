# SPDX-License-Identifier: MIT
# find_package(thirl) gives thirl::thirl (shared) and thirl::static.
include(CMakeFindDependencyMacro)
find_dependency(OpenSSL 3.0)
find_dependency(Threads)
find_dependency(PkgConfig)
if(NOT TARGET PkgConfig::LIBUV)
  pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/thirlTargets.cmake)
