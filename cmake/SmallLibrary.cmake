# Libraries that hardly another program of the host uses are linked in where the system has them as
# an archive: shared, each costs the daemon some 100 KiB of memory and a file at its start. Debian's
# packages have no CMake target for the archive, and three of them none at all.
#
# Defines the target `name`, of all LIBRARIES, whose headers are found by HEADER.
function(find_small_library name)
  cmake_parse_arguments(PARSE_ARGV 1 wanted "" "HEADER;PACKAGE" "LIBRARIES")
  string(MAKE_C_IDENTIFIER ${name} variable)
  find_path(${variable}_INCLUDE_DIR ${wanted_HEADER})
  set(found ${${variable}_INCLUDE_DIR})
  set(files "")
  foreach(library IN LISTS wanted_LIBRARIES)
    find_library(${variable}_${library} NAMES lib${library}.a ${library})
    list(APPEND files ${${variable}_${library}})
    list(APPEND found ${${variable}_${library}})
  endforeach()
  if("${found}" MATCHES "NOTFOUND")
    message(FATAL_ERROR "The build needs the Debian package ${wanted_PACKAGE}, which is missing.")
  endif()
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${name} SYSTEM INTERFACE ${${variable}_INCLUDE_DIR})
  target_link_libraries(${name} INTERFACE ${files})
endfunction()
