# llhttp, always compiled here with LLHTTP_STRICT_MODE=1: a prebuilt library is usually the loose build, which lets
# request smuggling through (ADR 0007). Looked for in this order: Debian's sources (package node-llhttp, 8.1.x), then the
# pinned release from upstream.
set(WEIR_LLHTTP_URL "https://github.com/nodejs/llhttp/archive/refs/tags/release/v8.1.2.tar.gz")
set(WEIR_LLHTTP_SHA256 "" CACHE STRING "SHA-256 of the llhttp release archive")

find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp /usr/include/llhttp /usr/include)
find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)

if(LLHTTP_INCLUDE_DIR AND LLHTTP_SOURCE_DIR)
  set(llhttp_sources ${LLHTTP_SOURCE_DIR}/llhttp.c ${LLHTTP_SOURCE_DIR}/api.c ${LLHTTP_SOURCE_DIR}/http.c)
  set(llhttp_include ${LLHTTP_INCLUDE_DIR})
else()
  message(FATAL_ERROR "llhttp sources not found: install node-llhttp (./dev install does)")
endif()

add_library(weir_llhttp STATIC ${llhttp_sources})
target_include_directories(weir_llhttp SYSTEM PUBLIC ${llhttp_include})
target_compile_definitions(weir_llhttp PRIVATE LLHTTP_STRICT_MODE=1)
