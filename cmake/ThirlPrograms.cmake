# SPDX-License-Identifier: MIT
# Programs: apps/<name>/*.c is one program (apps/options: what they share), each file of lab/<room>/ and examples/ that has a main is one.

set(THIRL_PROGRAM_LIBRARIES thirl_all)
foreach(optional INIH JANSSON LIBUV MINIUPNPC NATPMP)
  if(TARGET PkgConfig::${optional})
    list(APPEND THIRL_PROGRAM_LIBRARIES PkgConfig::${optional})
  endif()
endforeach()

# Splits the C files of a folder into those that define main() and those that help them.
function(thirl_split_mains folder mains_var helpers_var)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
  set(mains)
  set(helpers)
  foreach(source IN LISTS sources)
    file(STRINGS ${source} main REGEX "^(int[ \t]+)?main[ \t]*\\(")
    if(main)
      list(APPEND mains ${source})
    else()
      list(APPEND helpers ${source})
    endif()
  endforeach()
  set(${mains_var} ${mains} PARENT_SCOPE)
  set(${helpers_var} ${helpers} PARENT_SCOPE)
endfunction()

thirl_split_mains(${PROJECT_SOURCE_DIR}/lab/* mains helpers)
set(libraries ${THIRL_PROGRAM_LIBRARIES})
if(helpers)
  add_library(thirl_lab STATIC ${helpers})
  target_include_directories(thirl_lab PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(thirl_lab PUBLIC ${THIRL_PROGRAM_LIBRARIES})
  list(PREPEND libraries thirl_lab)
endif()
foreach(source IN LISTS mains)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${libraries})
endforeach()

foreach(app options thirl thirld pages)
  thirl_split_mains(${PROJECT_SOURCE_DIR}/apps/${app} mains helpers)
  set(libraries ${THIRL_PROGRAM_LIBRARIES})
  if(app STREQUAL pages) # apps/pages writes the manual of the others
    list(PREPEND libraries app_thirl app_thirld)
  elseif(TARGET app_options)
    list(PREPEND libraries app_options)
  endif()
  if(app STREQUAL thirl AND TARGET thirl_lab)
    list(PREPEND libraries thirl_lab) # thirl lab
  endif()
  if(helpers)
    # All but main.c is a library of its own, so that tests and fuzz targets reach it: app_thirl, app_thirld.
    add_library(app_${app} STATIC ${helpers})
    target_include_directories(app_${app} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(app_${app} PUBLIC ${libraries})
    list(PREPEND libraries app_${app})
  endif()
  if(mains)
    add_executable(${app} ${mains})
    target_include_directories(${app} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${app} PRIVATE ${libraries})
    target_compile_definitions(${app} PRIVATE THIRL_VERSION="${PROJECT_VERSION}")
  endif()
endforeach()

# The manual, completion and the sample of thirld.conf: <build>/share, from the tables of the programs and docs/man.
if(TARGET pages)
  set_target_properties(pages PROPERTIES OUTPUT_NAME thirl-pages)
  target_compile_definitions(app_pages PRIVATE THIRL_VERSION="${PROJECT_VERSION}")
  file(GLOB prose CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.txt)
  set(THIRL_SHARE ${PROJECT_BINARY_DIR}/share)
  add_custom_command(
    OUTPUT ${THIRL_SHARE}/examples.tsv
    COMMAND pages ${PROJECT_SOURCE_DIR} ${THIRL_SHARE}
    DEPENDS pages ${prose}
    VERBATIM)
  add_custom_target(manual ALL DEPENDS ${THIRL_SHARE}/examples.tsv)
endif()

file(GLOB examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c)
foreach(source IN LISTS examples)
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  target_link_libraries(example_${name} PRIVATE thirl_all)
endforeach()
