#include "collectors/process/observation.hpp"

#include <algorithm>

namespace collectors {

Comm comm_of(std::string_view text) {
  Comm comm{};
  std::copy_n(text.begin(), std::min(text.size(), comm.size() - 1), comm.begin());
  return comm;
}

}  // namespace collectors
