# BoringSSL, as boringssl::ssl and boringssl::crypto: the one in BORINGSSL_ROOT (a source tree with a build/
# folder, or an installation; linked statically), else Debian's android-libboringssl-dev (shared, found at run
# time by its path). Nothing falls back silently: a BORINGSSL_ROOT without BoringSSL is an error.

set(BORINGSSL_ROOT "" CACHE PATH "A BoringSSL that was built or installed there; empty: Debian's package")

if(BORINGSSL_ROOT)
  set(boringssl_include_hints "${BORINGSSL_ROOT}/include")
  set(boringssl_library_hints "${BORINGSSL_ROOT}/build" "${BORINGSSL_ROOT}/build/ssl" "${BORINGSSL_ROOT}/build/crypto"
      "${BORINGSSL_ROOT}/lib" "${BORINGSSL_ROOT}")
  set(boringssl_names_ssl libssl.a)
  set(boringssl_names_crypto libcrypto.a)
else()
  include(GNUInstallDirs)
  set(boringssl_include_hints /usr/include/android)
  set(boringssl_library_hints "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/android" /usr/lib/android)
  set(boringssl_names_ssl libssl.so)
  set(boringssl_names_crypto libcrypto.so)
endif()

unset(boringssl_include CACHE)
unset(boringssl_ssl CACHE)
unset(boringssl_crypto CACHE)
find_path(boringssl_include openssl/is_boringssl.h PATHS ${boringssl_include_hints} NO_DEFAULT_PATH REQUIRED)
find_library(boringssl_ssl NAMES ${boringssl_names_ssl} PATHS ${boringssl_library_hints} NO_DEFAULT_PATH REQUIRED)
find_library(boringssl_crypto NAMES ${boringssl_names_crypto} PATHS ${boringssl_library_hints} NO_DEFAULT_PATH REQUIRED)
message(STATUS "BoringSSL: ${boringssl_ssl}")

add_library(boringssl::crypto UNKNOWN IMPORTED)
set_target_properties(boringssl::crypto PROPERTIES
  IMPORTED_LOCATION "${boringssl_crypto}" INTERFACE_INCLUDE_DIRECTORIES "${boringssl_include}")
target_link_libraries(boringssl::crypto INTERFACE Threads::Threads)
add_library(boringssl::ssl UNKNOWN IMPORTED)
set_target_properties(boringssl::ssl PROPERTIES
  IMPORTED_LOCATION "${boringssl_ssl}" INTERFACE_INCLUDE_DIRECTORIES "${boringssl_include}")
target_link_libraries(boringssl::ssl INTERFACE boringssl::crypto)

if(NOT BORINGSSL_ROOT)
  cmake_path(GET boringssl_ssl PARENT_PATH boringssl_directory)
  set(CMAKE_INSTALL_RPATH "${boringssl_directory}")
  set(CMAKE_BUILD_RPATH "${boringssl_directory}")
endif()
