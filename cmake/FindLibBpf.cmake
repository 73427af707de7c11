# Defines the target LibBpf::LibBpf. Debian's libbpf-dev has no CMake package of its own.
find_path(LibBpf_INCLUDE_DIR bpf/libbpf.h)
find_library(LibBpf_LIBRARY bpf)
mark_as_advanced(LibBpf_INCLUDE_DIR LibBpf_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibBpf REQUIRED_VARS LibBpf_LIBRARY LibBpf_INCLUDE_DIR)

if(LibBpf_FOUND AND NOT TARGET LibBpf::LibBpf)
  add_library(LibBpf::LibBpf UNKNOWN IMPORTED)
  set_target_properties(LibBpf::LibBpf PROPERTIES
    IMPORTED_LOCATION ${LibBpf_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${LibBpf_INCLUDE_DIR})
endif()
