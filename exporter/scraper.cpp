#include "exporter/scraper.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "service/log.hpp"

namespace exporter {
namespace {

using service::LogLevel;

Report refresh(collectors::Collector& collector, Clock::time_point now) {
  Report report;
  const auto start = Clock::now();
  try {
    const auto result = collector.refresh(now);
    report.status = Status::ok;
    report.problem = collector.complaint();
    if (!result) {
      const bool is_absent = result.error().code == metrics::Errc::unsupported;
      report.status = is_absent ? Status::absent : Status::failed;
      report.problem = result.error().detail;
    }
  } catch (const std::exception& error) {
    report.status = Status::failed;
    report.problem = error.what();
  }
  report.duration = Clock::now() - start;
  return report;
}

/// What could not be begun is missing in refresh(), and is told then.
void begin_one(collectors::Collector& collector, Clock::time_point now,
               Clock::time_point deadline) {
  try {
    collector.begin(now, deadline);
  } catch (const std::exception&) {
    return;
  }
}

bool reload_one(collectors::Collector& collector, std::string_view name) {
  std::string problem;
  try {
    const auto result = collector.reload();
    if (!result) problem = result.error().detail;
  } catch (const std::exception& error) {
    problem = error.what();
  }
  if (problem.empty()) {
    service::log(LogLevel::info, "configuration reloaded", {{"collector", std::string(name)}});
  } else {
    service::log(LogLevel::error, "configuration not reloaded, the old one stays in force",
                 {{"collector", std::string(name)}, {"problem", problem}});
  }
  return problem.empty();
}

}  // namespace

Scraper::Scraper(std::span<const collectors::CollectorSpec* const> specs,
                 const collectors::Host& host) {
  if (specs.size() > kMaxCollectors) throw std::length_error("too many collectors");
  for (const auto* spec : specs) {
    units_.push_back({.collector = spec->make(host)});
    names_.push_back(spec->name);
    const auto notice = units_.back().collector->notice();
    if (notice.empty()) continue;
    service::log(LogLevel::info, "collector is ready",
                 {{"collector", std::string(spec->name)}, {"notice", std::string(notice)}});
  }
}

void Scraper::tick(Clock::time_point now) {
  for (std::size_t i = 0; i < units_.size(); ++i) {
    try {
      units_[i].collector->tick(now);
    } catch (const std::exception& error) {
      if (std::exchange(units_[i].has_tick_failed, true)) continue;  // told once
      service::log(LogLevel::error, "collector failed in its tick",
                   {{"collector", std::string(names_[i])}, {"problem", error.what()}});
    }
  }
}

void Scraper::begin(const Pass& pass, Clock::time_point deadline) {
  const auto selection = pass.selection();
  const auto now = Clock::now();
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (selection[i]) begin_one(*units_[i].collector, now, deadline);
  }
}

bool Scraper::work_on(Pass& pass, Clock::time_point deadline, Clock::time_point until) {
  // The first round is for those that wait for nobody.
  for (const auto patience : {Clock::time_point::min(), until}) {
    const auto wanted = pass.unrecorded();
    const auto now = Clock::now();
    for (std::size_t i = 0; i < units_.size(); ++i) {
      if (!wanted[i] || Clock::now() > deadline) continue;
      if (units_[i].collector->wait(patience)) {
        run(pass, i, now);
      } else if (patience == until) {
        return false;
      }
    }
  }
  pass.finish();
  log_refused(pass);
  return true;
}

void Scraper::run(Pass& pass, std::size_t index, Clock::time_point now) {
  auto& collector = *units_[index].collector;
  auto report = refresh(collector, now);
  const auto problem = report.problem;
  const auto status = pass.record(index, std::move(report), collector);
  log_change(index, status, problem);
  if (status == Status::ok) log_complaint(index, problem);
}

bool Scraper::is_reloadable() const {
  return std::ranges::any_of(units_,
                             [](const Unit& unit) { return unit.collector->is_reloadable(); });
}

bool Scraper::reload() {
  bool are_all_good = true;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    auto& collector = *units_[i].collector;
    if (!collector.is_reloadable()) continue;
    if (!reload_one(collector, names_[i])) are_all_good = false;
  }
  return are_all_good;
}

void Scraper::log_change(std::size_t index, Status status, const std::string& problem) {
  const auto before = std::exchange(units_[index].last_status, status);
  if (before == status) return;
  const std::string name(names_[index]);
  if (status == Status::failed) {
    service::log(LogLevel::error, "collector failed", {{"collector", name}, {"problem", problem}});
  } else if (status == Status::absent) {
    service::log(LogLevel::info, "collector has no subject on this host",
                 {{"collector", name}, {"problem", problem}});
  } else if (before != Status::waiting) {
    service::log(LogLevel::info, "collector works again", {{"collector", name}});
  }
}

/// Each complaint once, as long as it stays the same.
void Scraper::log_complaint(std::size_t index, const std::string& complaint) {
  const auto before = std::exchange(units_[index].last_complaint, complaint);
  if (before == complaint) return;
  const std::string name(names_[index]);
  if (complaint.empty()) {
    service::log(LogLevel::info, "collector has nothing to complain of any more",
                 {{"collector", name}});
  } else {
    service::log(LogLevel::warn, "collector left something out",
                 {{"collector", name}, {"problem", complaint}});
  }
}

void Scraper::log_refused(const Pass& pass) {
  constexpr std::size_t kRemembered = 1000;
  for (auto& name : pass.refused()) {
    if (refused_.size() >= kRemembered || !refused_.insert(name).second) continue;
    service::log(LogLevel::warn, "metric family refused: a name of it is already on the page",
                 {{"family", name}});
  }
}

}  // namespace exporter
