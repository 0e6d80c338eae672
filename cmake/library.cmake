# weir_library(NAME [HOT] LINKS a b …): the .cpp files of this folder as the static library weir_NAME. HOT = part of the
# data path: a release optimises it for speed (-O3), the rest at -O2.
function(weir_library name)
  cmake_parse_arguments(ARG "HOT" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  add_library(weir_${name} STATIC ${sources})
  target_include_directories(weir_${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(weir_${name} PUBLIC ${ARG_LINKS} PRIVATE weir_flags)
  if(ARG_HOT)
    target_compile_options(weir_${name} PRIVATE $<$<CONFIG:Release>:-O3>)
  endif()
endfunction()
