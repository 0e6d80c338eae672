# Tests that are programs of their own: the real binary under Python (label integration) and the checks of the tree
# (label tidy). Needs the Python standard library only.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)

# Each tests/integration/test_*.py is one test. A line `# ctest: TIMEOUT 1800 RUN_SERIAL TRUE` near its top sets
# properties of ctest for it.
file(GLOB scripts CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/integration
     ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_*.py)
foreach(script ${scripts})
  set(path ${CMAKE_CURRENT_SOURCE_DIR}/integration/${script})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  string(REGEX REPLACE "^test_(.*)\\.py$" "\\1" module ${script})
  set(name integration_${module})
  set(network "")
  if(module MATCHES "^slurm")  # replicas listen on what their node calls its address
    set(network ${CMAKE_CURRENT_SOURCE_DIR}/integration/own_network.sh)
  endif()
  add_test(NAME ${name} COMMAND ${network} ${Python3_EXECUTABLE} -B -m unittest -v test_${module}
           WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/integration)
  set_tests_properties(${name} PROPERTIES LABELS integration TIMEOUT 900
    ENVIRONMENT "WEIR_BINARY=$<TARGET_FILE:weir>;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=second_deadlock_stack=1")
  if(module MATCHES slurm)  # they start a Slurm of their own
    set_tests_properties(${name} PROPERTIES LABELS "integration;slurm")
  endif()
  file(STRINGS ${path} wishes REGEX "^# ctest: " LIMIT_COUNT 1)
  if(wishes)
    string(REPLACE "# ctest: " "" wishes "${wishes}")
    separate_arguments(wishes)
    set_tests_properties(${name} PROPERTIES ${wishes})
  endif()
endforeach()

foreach(check layers tree docs)
  add_test(NAME tidy_${check} COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/tidy/check_${check}.py)
endforeach()
add_test(NAME tidy_checks_can_fail COMMAND ${Python3_EXECUTABLE} -B -m unittest test_checks
         WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/tidy)
add_test(NAME tidy_headers_alone COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target headers_alone)
set_tests_properties(tidy_layers tidy_tree tidy_docs tidy_checks_can_fail tidy_headers_alone PROPERTIES LABELS tidy)
set_tests_properties(tidy_headers_alone PROPERTIES TIMEOUT 600 RUN_SERIAL TRUE)

include(headers.cmake)
