# weir_library(NAME LINKS a b …): the .cpp files of this folder as the static library weir_NAME.
function(weir_library name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  add_library(weir_${name} STATIC ${sources})
  target_include_directories(weir_${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(weir_${name} PUBLIC ${ARG_LINKS} PRIVATE weir_flags)
endfunction()
