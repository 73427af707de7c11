#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collectors/collector.hpp"
#include "exporter/page.hpp"
#include "exporter/self_metrics.hpp"

namespace exporter {

using collectors::Clock;

/// What became of a collector in a pass.
enum class Status : std::uint8_t {
  waiting,  ///< Not run, or not yet done.
  ok,
  absent,  ///< This host lacks the subject.
  failed,
};

struct Report {
  Status status = Status::waiting;
  std::chrono::duration<double> duration{0};
  std::string problem;  ///< Of `ok`, what was left out, if anything was.
};
using Reports = std::vector<Report>;  ///< By collector.

/// The names of the enabled collectors, in page order.
using CollectorNames = std::vector<std::string_view>;

/// What a client wants of a pass.
struct Wish {
  metrics::TextFormat format = metrics::TextFormat::prometheus_0_0_4;
  Selection selection;
  bool gzip = false;

  /// Compressed or not, it is the same page.
  [[nodiscard]] bool makes_same_page(const Wish& other) const {
    return format == other.format && selection == other.selection;
  }
};

/// One run of the collectors and the pages it makes: one for each format and selection asked for.
/// It is filled collector by collector; at any moment another thread may take a page as far as it
/// has come. Thread-safe.
class Pass {
 public:
  /// All three must outlive it.
  Pass(PagePool& pool, const CollectorNames& names, SelfMetrics& self)
      : pool_(pool), names_(names), self_(self), reports_(names.size()) {}

  /// Adds a page for `wish`, or makes an earlier one serve it too. Before the pass begins.
  void add(const Wish& wish);

  /// Every collector that any page wants.
  [[nodiscard]] Selection selection() const;

  /// Those of them that nothing has been recorded of.
  [[nodiscard]] Selection unrecorded() const;

  /// Records how a collector did, and puts what it found on every page that wants it. Returns how
  /// it did after all: `failed` when its metrics could not be written.
  Status record(std::size_t index, Report report, const collectors::Collector& collector);

  /// Completes all pages. Nothing may be recorded afterwards.
  void finish();

  /// Gives up: page() throws from now on, as a page may be half complete.
  void fail();

  /// The completed page for `wish` after finish(); before it, a copy with what has been recorded,
  /// where the collectors that are late are flagged. Throws std::runtime_error after fail().
  std::shared_ptr<const Page> page(const Wish& wish);

  /// What it adds to what the collectors emit, the daemon's own metrics apart.
  static void list(metrics::FamilyList& list);

  /// How each collector did.
  [[nodiscard]] Reports reports() const;

  /// Names of families that were refused because a name of theirs was already on a page.
  [[nodiscard]] std::vector<std::string> refused() const;

 private:
  [[nodiscard]] std::shared_ptr<Page> find(const Wish& wish) const;
  void complete(Page& page) const;

  PagePool& pool_;
  const CollectorNames& names_;
  SelfMetrics& self_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Page>> pages_;
  Reports reports_;
  std::vector<std::shared_ptr<const Page>> early_;  // made before the end, of what there is now
  enum class State : std::uint8_t { running, finished, failed } state_ = State::running;
};

}  // namespace exporter
