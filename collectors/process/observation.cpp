#include "collectors/process/observation.hpp"

#include <algorithm>

namespace collectors {

Comm comm_of(std::string_view text) {
  Comm comm{};
  std::copy_n(text.begin(), std::min(text.size(), comm.size() - 1), comm.begin());
  return comm;
}

bool has_changed(const ProcessBasics& before, const ProcessBasics& now) {
  return before.comm != now.comm || (now.execs != 0 && before.execs != now.execs);
}

}  // namespace collectors
