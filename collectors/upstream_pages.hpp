#pragma once

#include <string>
#include <vector>

#include "collectors/page_fetcher.hpp"

namespace collectors {

struct UpstreamPage {
  std::string name;  ///< For the label `upstream`.
  PageAddress address;
};

/// Reads NAME=URL of each of `texts`: http://host[:port][/path], port 80 and /metrics where they
/// are left out. Throws std::invalid_argument, with a line that names the flag, for other text, a
/// name that is there twice, and more than 16.
std::vector<UpstreamPage> parse_upstream_pages(const std::vector<std::string>& texts);

}  // namespace collectors
