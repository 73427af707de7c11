#include "collectors/device_names.hpp"

#include <algorithm>
#include <array>

namespace collectors {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

bool drop_number(std::string_view& name) {
  const auto before = name;
  name = name.substr(0, name.find_last_not_of("0123456789") + 1);
  return name.size() < before.size();
}

bool drop_letter(std::string_view& name, char letter) {
  if (!name.ends_with(letter)) return false;
  name.remove_suffix(1);
  return true;
}

constexpr std::array<std::string_view, 3> kNumberedVirtualDisks = {"zram", "sr", "nbd"};

constexpr std::array<std::string_view, 18> kVirtualInterfaces = {
    "veth",  "docker", "br-", "virbr", "cni",   "flannel", "cali",   "cilium", "lxc",
    "lxdbr", "tap",    "tun", "vnet",  "dummy", "ifb",     "podman", "kube-",  "nodelocaldns",
};

}  // namespace

bool is_memory_disk(std::string_view name) {
  return drop_number(name) && (name == "ram" || name == "loop" || name == "fd");
}

bool is_partition(std::string_view name) {
  if (!drop_number(name) || name.empty()) return false;
  if (name.starts_with("nvme")) {
    return drop_letter(name, 'p') && drop_number(name) && drop_letter(name, 'n') &&
           drop_number(name) && name == "nvme";
  }
  const char letter = name.back();
  name.remove_suffix(1);
  return letter >= 'a' && letter <= 'z' &&
         (name == "hd" || name == "sd" || name == "vd" || name == "xvd");
}

bool is_part_of_disk(std::string_view name) {
  if (is_partition(name)) return true;
  return drop_number(name) && drop_letter(name, 'p') && !name.empty() && is_digit(name.back());
}

bool is_virtual_disk(std::string_view name) {
  if (is_memory_disk(name) || name.starts_with("dm-")) return true;
  // md127, md_d0, or md_ and a name of the administrator's
  if (name.starts_with("md") && name.size() > 2 && (is_digit(name[2]) || name[2] == '_')) {
    return true;
  }
  return drop_number(name) &&
         std::ranges::find(kNumberedVirtualDisks, name) != kNumberedVirtualDisks.end();
}

bool is_virtual_interface(std::string_view name) {
  return name == "lo" || std::ranges::any_of(kVirtualInterfaces, [&](std::string_view prefix) {
           return name.starts_with(prefix);
         });
}

}  // namespace collectors
