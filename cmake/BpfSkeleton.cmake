# Programs for the kernel's BPF machine. Neither the kernel of the machine that builds nor its BTF
# is asked for anything: the kernel that runs them is.
option(RESOURCE_EXPORTER_BPF "Account processes with BPF where the kernel lets us" ON)

set(bpf_missing "")
if(RESOURCE_EXPORTER_BPF)
  find_program(CLANG_FOR_BPF NAMES clang clang-19 clang-16 clang-15 clang-14)
  find_program(BPFTOOL bpftool PATHS /usr/sbin /sbin)
  if(NOT CLANG_FOR_BPF)
    list(APPEND bpf_missing clang)
  endif()
  if(NOT BPFTOOL)
    list(APPEND bpf_missing bpftool)
  endif()
endif()
if(bpf_missing)
  list(JOIN bpf_missing " " bpf_missing)
  message(FATAL_ERROR "To account processes with BPF, the build needs these Debian packages, "
    "which are missing: ${bpf_missing}. Install them, or do without: "
    "-D RESOURCE_EXPORTER_BPF=OFF")
endif()

if(RESOURCE_EXPORTER_BPF)
  find_small_library(LibBpf::LibBpf HEADER bpf/libbpf.h LIBRARIES bpf elf z PACKAGE libbpf-dev)
endif()

# Compiles <room>/<name>.bpf.c and makes the header "<room>/<name>.skel.h" of it, which holds the
# object and declares its programs, maps and variables; libbpf loads it. For the files of `target`.
function(add_bpf_skeleton target room name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${room}/${name}.bpf.c)
  set(include_dir ${CMAKE_CURRENT_BINARY_DIR}/bpf_skeletons)
  set(base ${include_dir}/${room}/${name})
  file(MAKE_DIRECTORY ${include_dir}/${room})
  # clang has no folder of <asm/types.h> for BPF: that of the host serves.
  add_custom_command(OUTPUT ${base}.bpf.o
    COMMAND ${CLANG_FOR_BPF} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror
      -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
      -MD -MF ${base}.bpf.d -MT ${base}.bpf.o -c ${source} -o ${base}.bpf.o
    DEPENDS ${source} DEPFILE ${base}.bpf.d
    COMMENT "Compiling ${room}/${name}.bpf.c for BPF" VERBATIM)
  add_custom_command(OUTPUT ${base}.skel.h
    COMMAND ${BPFTOOL} gen object ${base}.stripped.bpf.o ${base}.bpf.o
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTBEGIN" > ${base}.skel.h
    COMMAND ${BPFTOOL} gen skeleton ${base}.stripped.bpf.o name ${name}_programs >> ${base}.skel.h
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTEND" >> ${base}.skel.h
    DEPENDS ${base}.bpf.o COMMENT "Generating ${room}/${name}.skel.h" VERBATIM)
  add_custom_target(bpf_skeletons DEPENDS ${base}.skel.h)  # What clang-tidy needs of a build.
  add_dependencies(${target} bpf_skeletons)
  target_sources(${target} PRIVATE ${base}.skel.h)
  target_include_directories(${target} SYSTEM PRIVATE ${include_dir})
endfunction()
