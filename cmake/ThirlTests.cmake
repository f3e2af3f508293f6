# SPDX-License-Identifier: MIT
# Tests: found by where they live and how they are called, listed in <build>/tests.list for scripts/run-tests.
#
#   tests/unit/<folder>/<file>_test.c   unit_<folder>_<file>    cmocka
#   tests/sim/<file>_test.c             sim_<file>              cmocka; also tests/io, tests/api, tests/session, ...
#   tests/.../<file>_heavy_test.c                               the same, but only run from the release build
#   tests/.../<file>_malloc_test.c                              likewise: it replaces or measures malloc, as sanitizers do
#   tests/fuzz/<name>_fuzz.c            fuzz_<name>             replays tests/fuzz/corpus/<name>, or libFuzzer
#   tests/{lab,interop,meta,api}/*.sh   shell; 0 passed, 77 skipped (last line says why); lib*.sh are helpers
#   tests/bench/<file>.c                bench_<file>            run by `make bench`
#
# "test-links: NICE" in a source links PkgConfig::NICE to it and defines THIRL_HAVE_NICE, if that is there (ThirlOptions.cmake).
# Any other C file in one of these folders is a helper of all tests of that folder; tests/support/*.c helps all tests.
# One line of the list: name TAB kind TAB source TAB command TAB argument...

set(tests_dir ${PROJECT_SOURCE_DIR}/tests)
set(test_list)
set(bench_list)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

add_library(thirl_test_base INTERFACE)
target_include_directories(thirl_test_base INTERFACE ${PROJECT_SOURCE_DIR} ${tests_dir})
target_compile_definitions(
  thirl_test_base INTERFACE THIRL_SOURCE_DIR="${PROJECT_SOURCE_DIR}" THIRL_BINARY_DIR="${PROJECT_BINARY_DIR}")
target_link_libraries(thirl_test_base INTERFACE ${THIRL_PROGRAM_LIBRARIES} PkgConfig::CMOCKA)

file(GLOB sources CONFIGURE_DEPENDS ${tests_dir}/support/*.c)
if(sources)
  add_library(thirl_test_support STATIC ${sources})
  target_link_libraries(thirl_test_support PUBLIC thirl_test_base)
else()
  add_library(thirl_test_support INTERFACE)
  target_link_libraries(thirl_test_support INTERFACE thirl_test_base)
endif()

# thirl_test_folder(<path under tests/> <prefix of the names> <kind>)
function(thirl_test_folder folder prefix kind)
  file(GLOB sources CONFIGURE_DEPENDS ${tests_dir}/${folder}/*.c)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.c$")
  set(helpers ${sources})
  list(FILTER helpers EXCLUDE REGEX "_(test|fuzz)\\.c$")
  set(libraries thirl_test_support)
  get_filename_component(app ${folder} NAME)
  foreach(extra app_${app} thirl_${app})
    if(TARGET ${extra})
      list(PREPEND libraries ${extra})
    endif()
  endforeach()
  if(helpers AND tests)
    add_library(test_helpers_${prefix} STATIC ${helpers})
    target_link_libraries(test_helpers_${prefix} PUBLIC ${libraries})
    list(PREPEND libraries test_helpers_${prefix})
  endif()
  foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME)
    string(REGEX REPLACE "_test\\.c$" "" name ${name})
    set(name ${prefix}_${name})
    set(this_kind ${kind})
    if(name MATCHES "_(heavy|malloc)$")
      set(this_kind heavy)
    endif()
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${libraries})
    file(STRINGS ${source} wanted REGEX "test-links: [A-Z]+")
    if(wanted)
      string(REGEX REPLACE ".*test-links: ([A-Z]+).*" "\\1" wanted "${wanted}")
      if(TARGET PkgConfig::${wanted})
        target_link_libraries(${name} PRIVATE PkgConfig::${wanted})
        target_compile_definitions(${name} PRIVATE THIRL_HAVE_${wanted})
      endif()
    endif()
    list(APPEND test_list "${name}\t${this_kind}\t${source}\t$<TARGET_FILE:${name}>")
  endforeach()
  set(test_list "${test_list}" PARENT_SCOPE)
endfunction()

file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true RELATIVE ${tests_dir} ${tests_dir}/unit/*)
foreach(folder IN LISTS folders)
  if(IS_DIRECTORY ${tests_dir}/${folder})
    get_filename_component(name ${folder} NAME)
    thirl_test_folder(${folder} unit_${name} unit)
  endif()
endforeach()

file(GLOB folders CONFIGURE_DEPENDS LIST_DIRECTORIES true RELATIVE ${tests_dir} ${tests_dir}/*)
foreach(folder IN LISTS folders)
  if(IS_DIRECTORY ${tests_dir}/${folder} AND NOT folder MATCHES "^(unit|fuzz|bench|support|meta|data)$")
    thirl_test_folder(${folder} ${folder} ${folder})
  endif()
endforeach()

# Fuzz targets.
file(GLOB sources CONFIGURE_DEPENDS ${tests_dir}/fuzz/*_fuzz.c)
foreach(source IN LISTS sources)
  get_filename_component(name ${source} NAME)
  string(REGEX REPLACE "_fuzz\\.c$" "" name ${name})
  add_executable(fuzz_${name} ${source})
  target_compile_options(fuzz_${name} PRIVATE -Wno-missing-prototypes)
  foreach(extra app_thirl app_thirld thirl_lab)
    if(TARGET ${extra})
      target_link_libraries(fuzz_${name} PRIVATE ${extra})
    endif()
  endforeach()
  target_link_libraries(fuzz_${name} PRIVATE thirl_test_support)
  if(THIRL_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE ${tests_dir}/fuzz/replay.c)
    list(APPEND test_list
         "fuzz_${name}\tfuzz\t${source}\t$<TARGET_FILE:fuzz_${name}>\t${tests_dir}/fuzz/corpus/${name}")
  endif()
endforeach()

# Shell tests.
foreach(folder lab interop meta api)
  file(GLOB sources CONFIGURE_DEPENDS ${tests_dir}/${folder}/*.sh)
  list(FILTER sources EXCLUDE REGEX "/(lib[^/]*|common)\\.sh$")
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "_test$" "" name ${name})
    list(APPEND test_list "${folder}_${name}\t${folder}\t${source}\tbash\t${source}")
  endforeach()
endforeach()

# Benchmarks.
file(GLOB sources CONFIGURE_DEPENDS ${tests_dir}/bench/*.c)
foreach(source IN LISTS sources)
  get_filename_component(name ${source} NAME_WE)
  add_executable(bench_${name} ${source})
  target_link_libraries(bench_${name} PRIVATE thirl_test_support)
  list(APPEND bench_list "bench_${name}\tbench\t${source}\t$<TARGET_FILE:bench_${name}>")
endforeach()

list(JOIN test_list "\n" test_list)
list(JOIN bench_list "\n" bench_list)
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/tests.list CONTENT "${test_list}\n")
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/bench.list CONTENT "${bench_list}\n")

# What is worth running under ThreadSanitizer, in one target: see the Makefile.
add_custom_target(tests_with_threads)
get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
list(FILTER targets INCLUDE REGEX "^(io|api|unit_io|unit_api)_")
foreach(program thirl thirld)
  if(TARGET ${program}) # for the shell tests among them
    list(APPEND targets ${program})
  endif()
endforeach()
foreach(source IN LISTS examples)
  get_filename_component(name ${source} NAME_WE)
  list(APPEND targets example_${name})
endforeach()
if(targets)
  add_dependencies(tests_with_threads ${targets})
endif()
