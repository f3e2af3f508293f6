# SPDX-License-Identifier: MIT
# One static library per folder of src/, linked in the order of the levels, and libthirl from their objects.

# The levels, lowest first. A folder links (and may include) only folders of the levels before its own.
set(THIRL_LEVELS "base" "stun" "ice natcheck meet secure natbox" "session server" "sim io" "api")
# What libthirl is made of; the rest (server, natbox, sim) belongs to programs and tests.
set(THIRL_LIBRARY_FOLDERS base stun ice natcheck meet secure session io api)

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
    target_compile_options(${target} PRIVATE -fvisibility=hidden)
    target_link_libraries(${target} PUBLIC ${below} OpenSSL::SSL OpenSSL::Crypto Threads::Threads m)
    if(folder MATCHES "^(io|api)$")
      target_link_libraries(${target} PUBLIC PkgConfig::LIBUV)
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

set(objects)
foreach(folder IN LISTS THIRL_LIBRARY_FOLDERS)
  if(TARGET thirl_${folder})
    list(APPEND objects $<TARGET_OBJECTS:thirl_${folder}>)
  endif()
endforeach()
