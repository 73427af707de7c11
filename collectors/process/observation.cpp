#include "collectors/process/observation.hpp"

#include <algorithm>

namespace collectors {
namespace {

std::uint64_t growth(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

}  // namespace

Comm comm_of(std::string_view text) {
  Comm comm{};
  std::copy_n(text.begin(), std::min(text.size(), comm.size() - 1), comm.begin());
  return comm;
}

bool has_changed(const ProcessBasics& before, const ProcessBasics& now) {
  return before.comm != now.comm || (now.execs != 0 && before.execs != now.execs);
}

void ProcessUse::add(const ProcessUse& more) {
  cpu_ns += more.cpu_ns;
  user_ns += more.user_ns;
  readable |= more.readable;
  for (std::size_t count = 0; count < kCounts; ++count) counts[count] += more.counts[count];
}

ProcessUse taken_growth(const ProcessUse& now, ProcessUse& counted) {
  ProcessUse more;
  more.cpu_ns = growth(now.cpu_ns, counted.cpu_ns);
  // The split is an estimate, and may move back while the sum does not.
  more.user_ns = std::min(growth(now.user_ns, counted.user_ns), more.cpu_ns);
  more.readable = now.readable;
  for (std::size_t count = 0; count < kCounts; ++count) {
    more.counts[count] = growth(now.counts[count], counted.counts[count]);
  }
  counted.add(more);
  return more;
}

}  // namespace collectors
