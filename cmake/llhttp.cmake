# llhttp, always compiled here and with LLHTTP_STRICT_MODE=1: a library built elsewhere is usually the loose build, which
# lets request smuggling through (ADR 0007). Looked for in this order:
#   -D WEIR_LLHTTP_DIR=DIR   sources unpacked by hand: llhttp.c, api.c, http.c and llhttp.h in DIR, DIR/src or DIR/include
#   Debian's sources         package node-llhttp, 8.1.x (./dev install)
#   the pinned release       fetched; newer majors only after the rule table passes on them
set(WEIR_LLHTTP_DIR "" CACHE PATH "Directory with the sources of llhttp 8.1")

set(llhttp_source_places /usr/share/llhttp)
set(llhttp_include_places /usr/share/include/llhttp)
if(WEIR_LLHTTP_DIR)
  set(llhttp_source_places ${WEIR_LLHTTP_DIR} ${WEIR_LLHTTP_DIR}/src)
  set(llhttp_include_places ${WEIR_LLHTTP_DIR} ${WEIR_LLHTTP_DIR}/include)
endif()
find_path(llhttp_source_dir llhttp.c PATHS ${llhttp_source_places} NO_CACHE NO_DEFAULT_PATH)
find_path(llhttp_include_dir llhttp.h PATHS ${llhttp_include_places} NO_CACHE NO_DEFAULT_PATH)

if(NOT (llhttp_source_dir AND llhttp_include_dir))
  if(WEIR_LLHTTP_DIR)
    message(FATAL_ERROR "no llhttp.c and llhttp.h in ${WEIR_LLHTTP_DIR}; give the directory of an unpacked release 8.1.x")
  endif()
  message(STATUS "llhttp: fetching release 8.1.0; to build without a network install node-llhttp or set WEIR_LLHTTP_DIR")
  include(FetchContent)
  FetchContent_Declare(llhttp
    URL https://github.com/nodejs/llhttp/archive/refs/tags/release/v8.1.0.tar.gz
    URL_HASH SHA256=9da0d23453e8e242cf3b2bc5d6fb70b1517b8a70520065fcbad6be787e86638e
    SOURCE_SUBDIR only-the-files)  # its own CMakeLists.txt would build the loose library
  FetchContent_MakeAvailable(llhttp)
  set(llhttp_source_dir ${llhttp_SOURCE_DIR}/src)
  set(llhttp_include_dir ${llhttp_SOURCE_DIR}/include)
endif()

file(STRINGS ${llhttp_include_dir}/llhttp.h llhttp_major REGEX "define LLHTTP_VERSION_MAJOR 8$")
if(NOT llhttp_major)
  message(FATAL_ERROR "llhttp in ${llhttp_include_dir} is not 8.x, the version whose rules are tested; install node-llhttp "
                      "of Debian 12 or set WEIR_LLHTTP_DIR")
endif()

add_library(weir_llhttp STATIC ${llhttp_source_dir}/llhttp.c ${llhttp_source_dir}/api.c ${llhttp_source_dir}/http.c)
target_include_directories(weir_llhttp SYSTEM PUBLIC ${llhttp_include_dir})
target_compile_definitions(weir_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
