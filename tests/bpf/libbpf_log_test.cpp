#include "bpf/libbpf_log.hpp"

#include <catch2/catch.hpp>
#include <string>

using bpf::cause_in;

TEST_CASE("The cause of a failure is libbpf's first warning") {
  CHECK(cause_in("").empty());
  CHECK(cause_in("libbpf: no vmlinux BTF\nlibbpf: failed to load object 'x'\n") ==
        "no vmlinux BTF");
  CHECK(cause_in("\n\nlibbpf: cut off") == "cut off");
}

TEST_CASE("The cause of a refused program is the verifier's last word") {
  const std::string log =
      "libbpf: prog 'walk': BPF program load failed: Permission denied\n"
      "libbpf: prog 'walk': -- BEGIN PROG LOAD LOG --\n"
      "0: R1=ctx() R10=fp0\n"
      "R1 is not a scalar\n"
      "processed 26 insns (limit 1000000)\n"
      "-- END PROG LOAD LOG --\n"
      "libbpf: prog 'walk': failed to load: -22\n";
  CHECK(cause_in(log) == "R1 is not a scalar");
  for (std::size_t cut = 0; cut <= log.size(); ++cut) (void)cause_in(log.substr(0, cut));
}
