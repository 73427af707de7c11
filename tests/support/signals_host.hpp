// A host whose files say what a test of the signals wants, tick by tick.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

namespace tests {

/// What /proc/stat says. Ticks and events are since boot; `cpus` are busy and idle ticks by number.
struct StatText {
  struct Cpu {
    unsigned id;
    unsigned busy;
    unsigned idle;
  };
  unsigned busy = 0;
  unsigned idle = 0;
  unsigned iowait = 0;
  unsigned steal = 0;
  unsigned context_switches = 0;
  unsigned forks = 0;
  unsigned running = 1;
  unsigned blocked = 0;
  std::vector<Cpu> cpus = {};

  [[nodiscard]] std::string text() const {
    const auto line = [](const std::string& name, unsigned user, unsigned idle_ticks,
                         unsigned iowait_ticks, unsigned steal_ticks) {
      return name + " " + std::to_string(user) + " 0 0 " + std::to_string(idle_ticks) + " " +
             std::to_string(iowait_ticks) + " 0 0 " + std::to_string(steal_ticks) + " 0 0\n";
    };
    auto all = line("cpu ", busy, idle, iowait, steal);
    for (const auto& cpu : cpus) {
      all += line("cpu" + std::to_string(cpu.id), cpu.busy, cpu.idle, 0, 0);
    }
    return all + "intr 1\nctxt " + std::to_string(context_switches) + "\nbtime 1\nprocesses " +
           std::to_string(forks) + "\nprocs_running " + std::to_string(running) +
           "\nprocs_blocked " + std::to_string(blocked) + "\n";
  }
};

/// A file of /proc/pressure; the totals are in microseconds.
inline std::string pressure_text(unsigned some, unsigned full) {
  return "some avg10=0 avg60=0 avg300=0 total=" + std::to_string(some) +
         "\nfull avg10=0 avg60=0 avg300=0 total=" + std::to_string(full) + "\n";
}

/// The collector on a host that has, to begin with, only /proc/stat.
class SignalsHost {
 public:
  SignalsHost() { write(); }

  StatText stat;

  FileTree& tree() { return tree_; }
  FixtureHost& fixture() { return fixture_; }
  collectors::Host& host() { return fixture_.host; }
  void write() { tree_.write("proc/stat", stat.text()); }

  /// Adds ticks of 1/100 s and writes them.
  void spend(unsigned busy, unsigned idle) {
    stat.busy += busy;
    stat.idle += idle;
    write();
  }

  [[nodiscard]] std::unique_ptr<collectors::Collector> make() const {
    return collectors::kSignals.make(fixture_.host);
  }
  collectors::Collector& collector() {
    if (!collector_) collector_ = make();
    return *collector_;
  }

  void tick(double second) { collector().tick(at_second(second)); }

  /// All samples at `second`, which no tick needs to be at.
  std::string samples(double second) {
    REQUIRE(collector().refresh(at_second(second)));
    return samples_of(collector());
  }

  /// The value of a series, or "absent".
  std::string value(const std::string& series, double second) {
    return value_in(samples(second), series);
  }

  static std::string value_in(const std::string& samples, const std::string& series) {
    const auto text = "\n" + samples;
    const auto at = text.find("\n" + series + " ");
    if (at == std::string::npos) return "absent";
    const auto begin = at + series.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

 private:
  FileTree tree_;
  FixtureHost fixture_{tree_.path()};
  std::unique_ptr<collectors::Collector> collector_;
};

}  // namespace tests
