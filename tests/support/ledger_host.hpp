// A ledger that is fed by hand, walk by walk.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "collectors/process/ledger.hpp"
#include "metrics/escape.hpp"
#include "tests/support/fixture_host.hpp"

namespace tests {

inline constexpr std::uint64_t kTickNs = 10'000'000;

/// A sleeping process of one thread that started 10 s after boot.
inline collectors::ProcessSample process(std::int32_t pid, const std::string& comm,
                                         std::uint64_t user_ticks = 0) {
  collectors::ProcessSample sample;
  sample.basics.identity = {pid, 1000};
  sample.basics.comm = collectors::comm_of(comm);
  sample.state = 'S';
  sample.threads = 1;
  sample.use.user_ns = sample.use.cpu_ns = user_ticks * kTickNs;
  return sample;
}

/// The exit of a process that used so much in all.
inline collectors::ProcessExit exit_of(
    const collectors::ProcessSample& sample, std::uint64_t cpu_ticks,
    collectors::ExitReason reason = collectors::ExitReason::normal) {
  collectors::ProcessExit exit;
  exit.basics = sample.basics;
  exit.use = sample.use;
  exit.use.user_ns = exit.use.cpu_ns = cpu_ticks * kTickNs;
  exit.reason = reason;
  return exit;
}

/// A group per comm, as a page shows it, and per exec where they are told: "sh@2". What starts with
/// '?' has none yet, with '-' none.
class ByComm final : public collectors::GroupResolver {
 public:
  Answer resolve(const collectors::ProcessBasics& process, bool has_ended,
                 collectors::GroupKey& key) override {
    auto comm = rules;
    comm += collectors::text_of(process.comm);
    if (comm.starts_with('-')) return Answer::none;
    if (comm.starts_with('?') && !has_ended && !knows_all) return Answer::later;
    key = {metrics::repaired(comm), {}};
    if (process.execs != 0) key.name += "@" + std::to_string(process.execs);
    if (is_by_user) key.name += " of " + std::to_string(process.user_id.value_or(0));
    return Answer::named;
  }
  std::string rules;  // what all names begin with
  bool knows_all = false;
  bool is_by_user = false;
};

/// Groups that get a walk every minute, for a page each.
class LedgerHost {
 public:
  struct Options {
    std::size_t max_groups = 100;
    std::chrono::seconds keep_empty{600};
    bool has_exits = false;
    double seconds_between = 60;
  };
  LedgerHost() : LedgerHost(Options{}) {}
  explicit LedgerHost(Options options)
      : options_(options),
        ledger_(resolver, {.groups = {options.max_groups, options.keep_empty},
                           .window = std::chrono::minutes(5),
                           .has_exits = options.has_exits}) {}

  LedgerHost& see(std::vector<collectors::ProcessSample> processes,
                  std::vector<collectors::ProcessExit> exits = {}) {
    return take({std::move(exits), {}}, {std::move(processes), {}});
  }
  LedgerHost& see_but(std::vector<collectors::ProcessSample> processes,
                      std::vector<std::int32_t> unread) {
    return take({}, {std::move(processes), std::move(unread)});
  }
  LedgerHost& take(const collectors::ProcessExits& exits,
                   const collectors::ProcessWalkResult& walk) {
    second_ += options_.seconds_between;
    ledger_.take(exits, walk, collectors::WalkFor::page, now());
    return *this;
  }
  /// From now on all names begin so.
  LedgerHost& rematch(std::string rules) {
    resolver.rules = std::move(rules);
    ledger_.rematch();
    return *this;
  }
  LedgerHost& end_tick(std::chrono::nanoseconds length = std::chrono::seconds(1)) {
    ledger_.end_tick(now(), length);
    return *this;
  }
  /// The next walk comes so much later than it should.
  LedgerHost& wait(double seconds) {
    second_ += seconds;
    return *this;
  }

  [[nodiscard]] const collectors::ProcessGroup& operator[](const std::string& name) const {
    INFO(name);
    const auto found = ledger_.groups().by_key().find({name, {}});
    REQUIRE(found != ledger_.groups().by_key().end());
    return found->second;
  }
  [[nodiscard]] std::uint64_t cpu_ticks(const std::string& name) const {
    return (*this)[name].totals.cpu_ns / kTickNs;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [key, group] : ledger_.groups().by_key()) names.push_back(key.name);
    return names;
  }
  [[nodiscard]] const collectors::ProcessLedger& ledger() const { return ledger_; }
  [[nodiscard]] procfs::Clock::time_point now() const { return at_second(second_); }

  ByComm resolver;

 private:
  Options options_;
  collectors::ProcessLedger ledger_;
  double second_ = 0;
};

}  // namespace tests
