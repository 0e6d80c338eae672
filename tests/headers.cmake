# headers_alone: every header of ours compiles by itself. Only the syntax is checked, without sanitizers, one rule a
# header, so that a change costs only the headers that see it.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
     ${PROJECT_SOURCE_DIR}/include/*.h ${PROJECT_SOURCE_DIR}/lb/*.h ${PROJECT_SOURCE_DIR}/discovery/*.h
     ${PROJECT_SOURCE_DIR}/bench/*.h ${PROJECT_SOURCE_DIR}/tests/*.h)

set(stamps)
foreach(header ${headers})
  set(stamp ${CMAKE_CURRENT_BINARY_DIR}/headers_alone/${header}.ok)
  get_filename_component(folder ${stamp} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${stamp}
    COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Werror
      -I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/include -isystem ${llhttp_include_dir}
      -MD -MF ${stamp}.d -MT ${stamp} -include ${PROJECT_SOURCE_DIR}/${header} -x c++ /dev/null
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${PROJECT_SOURCE_DIR}/${header} DEPFILE ${stamp}.d
    COMMENT "header alone: ${header}" VERBATIM)
  list(APPEND stamps ${stamp})
endforeach()
add_custom_target(headers_alone DEPENDS ${stamps})
