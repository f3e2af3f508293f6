# SPDX-License-Identifier: MIT
# One static library per folder of src/, linked in the order of the levels, and libthirl from their objects.

# The levels, lowest first. A folder links (and may include) only folders of the levels before its own. scripts/check-layers
# reads this line too.
set(THIRL_LEVELS "base" "stun mux screen" "ice natcheck meet secure natbox tune chat parcel" "session server" "sim io terminal host" "api")
# The rooms of lab/, likewise; all of them are above all of src/.
set(THIRL_LAB_LEVELS "frame" "text" "internet netfilter" "process" "matrix tools")
# What libthirl is made of; the rest belongs to programs and tests.
set(THIRL_LIBRARY_FOLDERS base stun ice natcheck meet secure session io terminal api)

set(below)
foreach(level IN LISTS THIRL_LEVELS)
  separate_arguments(level)
  set(this_level)
  foreach(folder IN LISTS level)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.c)
    if(NOT sources)
      continue()
    endif()
    set(target thirl_${folder})
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${target} PUBLIC ${below} OpenSSL::SSL OpenSSL::Crypto Threads::Threads m)
    if(folder MATCHES "^(io|api)$")
      target_link_libraries(${target} PUBLIC PkgConfig::LIBUV)
    endif()
    if(folder STREQUAL "tune") # reads the JSON of nft
      target_link_libraries(${target} PUBLIC PkgConfig::JANSSON)
    endif()
    list(APPEND this_level ${target})
  endforeach()
  # Highest first, so that a linker that reads archives once finds everything.
  set(below ${this_level} ${below})
endforeach()

# Everything under src/ in one word, for programs and tests.
add_library(thirl_all INTERFACE)
target_link_libraries(thirl_all INTERFACE ${below})
target_include_directories(thirl_all INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)

# libthirl: what is installed. The folders' objects are compiled once and used three times. There is no -fvisibility=hidden:
# the version script, made from the public headers, binds every other name inside the library.
if(TARGET thirl_api)
  set(objects)
  foreach(folder IN LISTS THIRL_LIBRARY_FOLDERS)
    if(TARGET thirl_${folder})
      list(APPEND objects $<TARGET_OBJECTS:thirl_${folder}>)
    endif()
  endforeach()

  file(GLOB public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/thirl/*.h)
  set(exports ${PROJECT_BINARY_DIR}/libthirl.map)
  add_custom_command(
    OUTPUT ${exports}
    COMMAND awk -f ${PROJECT_SOURCE_DIR}/cmake/exports.awk ${public_headers} > ${exports}
    DEPENDS ${public_headers} ${PROJECT_SOURCE_DIR}/cmake/exports.awk
    VERBATIM)
  add_custom_target(thirl_exports DEPENDS ${exports})

  add_library(thirl_shared SHARED ${objects})
  add_library(thirl_static STATIC ${objects})
  add_dependencies(thirl_shared thirl_exports)
  set_target_properties(thirl_shared PROPERTIES LINK_DEPENDS ${exports} EXPORT_NAME thirl)
  set_target_properties(thirl_static PROPERTIES EXPORT_NAME static)
  # A sanitizer's runtime is linked into programs, not into shared libraries: then undefined names are expected.
  target_link_options(thirl_shared PRIVATE -Wl,--version-script=${exports})
  if(NOT THIRL_SANITIZE)
    target_link_options(thirl_shared PRIVATE -Wl,-z,defs)
  endif()
  foreach(library thirl_shared thirl_static)
    set_target_properties(
      ${library} PROPERTIES OUTPUT_NAME thirl LINKER_LANGUAGE C VERSION ${PROJECT_VERSION} SOVERSION 0)
    target_include_directories(
      ${library} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${library} PRIVATE OpenSSL::SSL OpenSSL::Crypto Threads::Threads m PkgConfig::LIBUV)
    add_library(thirl::${library} ALIAS ${library})
  endforeach()
endif()
