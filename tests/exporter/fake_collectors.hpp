// Collectors that do what a test needs.
#pragma once

#include <atomic>
#include <memory>
#include <semaphore>
#include <stdexcept>

#include "collectors/collector.hpp"
#include "exporter/scraper.hpp"
#include "tests/support/fixture_host.hpp"

namespace tests {

/// A collector made of two functions.
template <class Refresh, class Emit>
class Fake final : public collectors::Collector {
 public:
  Fake(Refresh refresh, Emit emit) : refresh_(refresh), emit_(emit) {}
  metrics::Result<void> refresh(collectors::Clock::time_point) override { return refresh_(); }
  void emit(metrics::Sink& sink) const override { emit_(sink); }

 private:
  Refresh refresh_;
  Emit emit_;
};

template <class Refresh, class Emit>
std::unique_ptr<collectors::Collector> fake(Refresh refresh, Emit emit) {
  return std::make_unique<Fake<Refresh, Emit>>(refresh, emit);
}

template <class Refresh>
std::unique_ptr<collectors::Collector> fake(Refresh refresh) {
  return fake(refresh, [](metrics::Sink&) {});
}

inline collectors::CollectorSpec spec(
    std::string_view name,
    std::unique_ptr<collectors::Collector> (*make)(const collectors::Host&)) {
  return {name, "For a test.", true, collectors::Reads::memory, make};
}

inline const auto kGood = spec("good", [](const collectors::Host&) {
  return fake([] { return metrics::Result<void>(); },
              [](metrics::Sink& sink) {
                sink.single({"good", "Always there."}, 1);
              });
});

/// What a scraper of `specs` and its passes need.
struct ScraperHost {
  FileTree tree;
  FixtureHost host{tree.path()};
  exporter::PagePool pool;
  exporter::SelfMetrics self;
  exporter::Scraper scraper;

  explicit ScraperHost(std::vector<const collectors::CollectorSpec*> specs)
      : scraper(specs, host.host) {}

  [[nodiscard]] exporter::Selection all() const {
    exporter::Selection selection;
    for (std::size_t i = 0; i < scraper.names().size(); ++i) selection.set(i);
    return selection;
  }
};

}  // namespace tests
