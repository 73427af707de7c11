#pragma once

#include <bitset>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/text_encoder.hpp"

namespace exporter {

inline constexpr std::size_t kMaxCollectors = 64;

/// Which of the enabled collectors: bit i is the i-th.
using Selection = std::bitset<kMaxCollectors>;

/// One body for /metrics, first in the making, then as it is sent.
struct Page {
  metrics::TextEncoder text{metrics::TextFormat::prometheus_0_0_4};
  std::string gzip = {};  ///< The same compressed; empty when not wanted or too small.
  Selection selection = {};
  bool is_gzip_wanted = false;

  /// Fills `gzip` when it is wanted and worth it. Ends the making.
  void compress();
};

/// Pages whose memory is used again: a fresh 100 KiB for every scrape costs more in page faults
/// than the text itself. Thread-safe; pages may outlive the pool.
class PagePool {
 public:
  std::shared_ptr<Page> take();

 private:
  struct Shelf {
    std::mutex mutex;
    std::vector<std::unique_ptr<Page>> pages;
  };
  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
};

}  // namespace exporter
