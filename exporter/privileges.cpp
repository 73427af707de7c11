#include "exporter/privileges.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace exporter {
namespace {

constexpr std::uint32_t bit(int capability) { return std::uint32_t{1} << capability; }

// All are of the first 32.
constexpr std::uint32_t kKept =
    bit(CAP_SYS_PTRACE) | bit(CAP_DAC_READ_SEARCH) | bit(CAP_NET_BIND_SERVICE);

void check(long result, const char* what) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void drop_privileges() {
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
  check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "PR_CAP_AMBIENT_CLEAR_ALL");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  check(::syscall(SYS_capget, &header, sets.data()), "capget");
  for (std::size_t word = 0; word < sets.size(); ++word) {
    const auto kept = word == 0 ? kKept : 0;
    sets[word].permitted &= kept;
    sets[word].effective = sets[word].permitted;
    sets[word].inheritable = 0;
  }
  check(::syscall(SYS_capset, &header, sets.data()), "capset");
}

}  // namespace exporter
