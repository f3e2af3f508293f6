# SPDX-License-Identifier: MIT
# Compiler flags, sanitizers and the libraries from outside. The presets set the options; see CMakePresets.json.

option(THIRL_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(THIRL_WERROR "Treat warnings as errors" OFF)
option(THIRL_FUZZ "Link the fuzz targets with libFuzzer (clang)" OFF)
set(THIRL_SANITIZE "" CACHE STRING "Argument of -fsanitize= for everything, e.g. address,undefined")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
# Assertions stay in what is installed: a bug stops a program, it does not go on with a wrong state.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wundef
  -Wformat=2)
if(THIRL_WERROR)
  add_compile_options(-Werror)
endif()
if(THIRL_SANITIZE)
  add_compile_options(-fsanitize=${THIRL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  string(REPLACE "fuzzer-no-link," "" link_sanitize "${THIRL_SANITIZE}")
  add_link_options(-fsanitize=${link_sanitize})
endif()
if(CMAKE_BUILD_TYPE MATCHES "^Rel" AND NOT THIRL_SANITIZE)
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
add_link_options(-Wl,--as-needed -Wl,-z,relro -Wl,-z,now)

find_package(OpenSSL 3.0 REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(INIH IMPORTED_TARGET inih)
pkg_check_modules(JANSSON IMPORTED_TARGET jansson)
if(THIRL_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  pkg_check_modules(NICE IMPORTED_TARGET nice) # another ICE agent, for tests/interop
endif()
