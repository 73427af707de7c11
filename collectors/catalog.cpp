#include "collectors/catalog.hpp"

#include <array>

namespace collectors {

std::span<const CollectorSpec* const> catalog() {
  static constexpr std::array kAll = {
      &kPsutil, &kSignals,  &kCpu,     &kStat,     &kLoadavg,   &kMeminfo,
      &kVmstat, &kPressure, &kFilefd,  &kNetdev,   &kDiskstats, &kUname,
      &kOs,     &kTime,     &kProcess, &kTextfile, &kUpstream,
  };
  return kAll;
}

}  // namespace collectors
