#pragma once

#include <span>

#include "collectors/collector.hpp"

namespace collectors {

// Each is defined at the end of the file of the same name.
extern const CollectorSpec kPsutil;
extern const CollectorSpec kSignals;
extern const CollectorSpec kCpu;
extern const CollectorSpec kStat;
extern const CollectorSpec kLoadavg;
extern const CollectorSpec kMeminfo;
extern const CollectorSpec kVmstat;
extern const CollectorSpec kPressure;
extern const CollectorSpec kFilefd;
extern const CollectorSpec kNetdev;
extern const CollectorSpec kDiskstats;
extern const CollectorSpec kUname;
extern const CollectorSpec kOs;
extern const CollectorSpec kTime;
extern const CollectorSpec kProcess;
extern const CollectorSpec kTextfile;
extern const CollectorSpec kUpstream;

/// Every collector there is, in the order of the page: those that pass on what others say come
/// last, as a name that is on the page is refused.
std::span<const CollectorSpec* const> catalog();

}  // namespace collectors
