#include "exporter/pass.hpp"

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace exporter {
namespace {

using metrics::Family;

constexpr Family kDuration = {"node_scrape_collector_duration_seconds",
                              "Time a collector took to read the kernel."};
constexpr Family kSuccess = {"node_scrape_collector_success",
                             "1 when a collector did its work or this host lacks its subject, 0 "
                             "when it failed or was late."};
constexpr Family kAbsent = {"resource_exporter_collector_absent",
                            "1 when this host or kernel lacks a collector's subject."};

bool is_for(const Page& page, const Wish& wish) {
  return page.text.format() == wish.format && page.selection == wish.selection;
}

}  // namespace

std::shared_ptr<Page> Pass::find(const Wish& wish) const {
  for (const auto& page : pages_) {
    if (is_for(*page, wish)) return page;
  }
  return nullptr;
}

void Pass::add(const Wish& wish) {
  const std::lock_guard lock(mutex_);
  auto page = find(wish);
  if (page == nullptr) {
    page = pool_.take();
    page->text.restart(wish.format);
    page->selection = wish.selection;
    page->is_gzip_wanted = false;
    pages_.push_back(page);
  }
  page->is_gzip_wanted |= wish.gzip;
}

Selection Pass::selection() const {
  const std::lock_guard lock(mutex_);
  Selection all;
  for (const auto& page : pages_) all |= page->selection;
  return all;
}

Status Pass::record(std::size_t index, Report report, const collectors::Collector& collector) {
  const std::lock_guard lock(mutex_);
  early_.clear();
  if (report.status == Status::ok) {
    for (const auto& page : pages_) {
      if (!page->selection[index]) continue;
      const auto before = page->text.text().size();
      const auto refused_before = page->text.refused().size();
      try {
        collector.emit(page->text);
      } catch (const std::exception& error) {  // out of memory: never half a collector
        page->text.truncate(before);
        report.status = Status::failed;
        report.problem = error.what();
      }
      self_.count_refused_families(page->text.refused().size() - refused_before);
    }
  }
  reports_[index] = std::move(report);
  return reports_[index].status;
}

/// The families about the collectors and about the daemon.
void Pass::complete(Page& page) const {
  const auto each = [&](const Family& family, auto value) {
    page.text.family(family);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (!page.selection[i]) continue;
      const std::optional<double> known = value(reports_[i]);
      if (known) page.text.sample({{"collector", names_[i]}}, *known);
    }
  };
  each(kDuration, [](const Report& report) -> std::optional<double> {
    if (report.status == Status::waiting) return std::nullopt;
    return report.duration.count();
  });
  each(kSuccess, [](const Report& report) {
    return report.status == Status::ok || report.status == Status::absent ? 1.0 : 0.0;
  });
  each(kAbsent, [](const Report& report) { return report.status == Status::absent ? 1.0 : 0.0; });
  self_.emit(page.text);
  page.text.finish();
  page.compress();
}

void Pass::list(metrics::FamilyList& list) {
  list.add({kDuration, kSuccess, kAbsent}, "collector");
}

void Pass::finish() {
  const std::lock_guard lock(mutex_);
  for (const auto& page : pages_) complete(*page);
  state_ = State::finished;
}

void Pass::fail() {
  const std::lock_guard lock(mutex_);
  state_ = State::failed;
}

std::shared_ptr<const Page> Pass::page(const Wish& wish) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::failed) throw std::runtime_error("the pass failed");
  const auto original = find(wish);
  if (state_ == State::finished) return original;
  for (const auto& page : early_) {
    if (is_for(*page, wish)) return page;
  }
  auto page = std::make_shared<Page>(*original);
  complete(*page);
  early_.push_back(page);
  return page;
}

Reports Pass::reports() const {
  const std::lock_guard lock(mutex_);
  return reports_;
}

std::vector<std::string> Pass::refused() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& page : pages_) {
    names.insert(names.end(), page->text.refused().begin(), page->text.refused().end());
  }
  return names;
}

}  // namespace exporter
