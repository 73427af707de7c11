#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "collectors/process/thread_accounts.hpp"
#include "tests/support/ledger_host.hpp"

using collectors::Count;
using collectors::ThreadAccounts;
using collectors::ThreadSample;
using tests::at_second;
using tests::kTickNs;

namespace {

ThreadSample thread_of(std::int32_t tid, const std::string& name, std::uint64_t ticks,
                       std::optional<std::string> wait_channel = {}) {
  ThreadSample sample{.tid = tid,
                      .start_ticks = 1000,
                      .name = collectors::comm_of(name),
                      .use = {},
                      .wait_channel = std::move(wait_channel)};
  sample.use.user_ns = sample.use.cpu_ns = ticks * kTickNs;
  sample.use.set(Count::voluntary_switches, ticks);
  return sample;
}

/// Of several threads, which /proc tells no switches of.
collectors::ProcessSample several(std::int32_t pid, std::uint32_t threads = 2) {
  auto sample = tests::process(pid, "train");
  sample.threads = threads;
  return sample;
}

/// A page for each group, which is of one process.
class Accounts {
 public:
  explicit Accounts(ThreadAccounts::Limits limits = {}) : accounts(limits) {}

  Accounts& page(const std::vector<collectors::ProcessSample>& processes, double second = 0) {
    accounts.begin_page(groups_, [&](const collectors::ProcessIdentity& identity) {
      return std::ranges::any_of(processes, [&](const auto& process) {
        return process.basics.identity.pid == identity.pid;
      });
    });
    for (const auto& process : processes) {
      const collectors::GroupKey key{std::string(collectors::text_of(process.basics.comm)), {}};
      accounts.credit(process, groups_.at(key, {}, at_second(second)).group, at_second(second));
    }
    accounts.end_page(groups_, at_second(second));
    return *this;
  }

  /// "name: alive, ticks" for each name.
  [[nodiscard]] std::string names(const std::string& group = "train") {
    std::string text;
    for (const auto& [name, threads] : groups_.by_key().at({group, {}}).threads) {
      text += (text.empty() ? "" : "; ") + name + ": " + std::to_string(threads.count) + ", " +
              std::to_string(threads.totals.cpu_ns / kTickNs);
    }
    return text;
  }
  [[nodiscard]] std::string wait_channels() {
    std::string text;
    for (const auto& [name, count] : groups_.by_key().at({"train", {}}).wait_channels) {
      text += (text.empty() ? "" : "; ") + name + ": " + std::to_string(count);
    }
    return text;
  }

  ThreadAccounts accounts;

 private:
  collectors::GroupTable groups_{{}};
};

}  // namespace

TEST_CASE("threads are counted by name, and a thread that ends takes nothing away") {
  Accounts host;
  const auto process = several(7, 3);
  host.accounts.see(process,
                    {thread_of(7, "train", 5), thread_of(8, "load", 10), thread_of(9, "load", 20)});
  CHECK(host.page({process}).names() == "load: 2, 30; train: 1, 5");
  host.accounts.see(process, {thread_of(7, "train", 6), thread_of(9, "load", 21)});
  CHECK(host.page({process}).names() == "load: 1, 31; train: 1, 6");
  host.accounts.see(process, {thread_of(7, "train", 6)});
  CHECK(host.page({process}).names() == "load: 0, 31; train: 1, 6");
  CHECK(host.page({}).names() == "load: 0, 31; train: 0, 6");
}

TEST_CASE("what comes between two readings of a thread is told rightly") {
  using Threads = std::vector<ThreadSample>;
  auto reborn = thread_of(8, "load", 3);
  reborn.start_ticks = 2000;
  const auto [what, later, expected] = GENERATE_COPY(table<std::string, Threads, std::string>({
      {"nothing", {thread_of(7, "train", 5), thread_of(8, "load", 10)}, "load: 1, 10; train: 1, 5"},
      {"more use",
       {thread_of(7, "train", 6), thread_of(8, "load", 12)},
       "load: 1, 12; train: 1, 6"},
      {"a step back",
       {thread_of(7, "train", 4), thread_of(8, "load", 1)},
       "load: 1, 10; train: 1, 5"},
      {"another name",
       {thread_of(7, "train", 5), thread_of(8, "save", 12)},
       "load: 0, 10; save: 1, 2; train: 1, 5"},
      {"the tid is another's", {thread_of(7, "train", 5), reborn}, "load: 1, 13; train: 1, 5"},
      {"lower tids",
       {thread_of(2, "load", 1), thread_of(7, "train", 5)},
       "load: 1, 11; train: 1, 5"},
      {"not a thread left", {}, "load: 0, 10; train: 0, 5"},
  }));
  INFO(what);
  Accounts host;
  const auto process = several(7);
  host.accounts.see(process, {thread_of(7, "train", 5), thread_of(8, "load", 10)});
  host.page({process});
  host.accounts.see(process, later);
  CHECK(host.page({process}).names() == expected);
}

TEST_CASE("a process that was not read keeps its threads, and a new one of its pid has none") {
  Accounts host;
  auto process = several(7);
  host.accounts.see(process, {thread_of(7, "train", 5), thread_of(8, "load", 10)});
  host.page({process});
  CHECK(host.page({process}).names() == "load: 1, 10; train: 1, 5");
  process.basics.identity.start_ticks = 5000;
  CHECK(host.page({process}).names() == "load: 0, 10; train: 0, 5");
  host.accounts.see(process, {thread_of(7, "train", 1)});
  CHECK(host.page({process}).names() == "load: 0, 10; train: 1, 6");
}

TEST_CASE("names beyond the limits are other, and the sum is the same") {
  const auto [what, limits, expected, crowded] =
      GENERATE(table<std::string, ThreadAccounts::Limits, std::string, std::uint64_t>({
          {"of a group", {.names_of_a_group = 2}, "a: 1, 1; b: 1, 2; other: 2, 12", 2},
          {"of all", {.names = 1}, "a: 1, 1; other: 3, 14", 3},
          {"enough", {}, "a: 1, 1; b: 1, 2; c: 1, 4; d: 1, 8", 0},
      }));
  INFO(what);
  Accounts host(limits);
  const auto process = several(7, 4);
  for (int page = 0; page < 3; ++page) {  // a thread is crowded out once
    host.accounts.see(process, {thread_of(6, "a", 1), thread_of(7, "b", 2), thread_of(8, "c", 4),
                                thread_of(9, "d", 8)});
    CHECK(host.page({process}).names() == expected);
    CHECK(host.accounts.crowded_out() == crowded);
  }
}

TEST_CASE("a name without threads gives its place away in time") {
  Accounts host({.names_of_a_group = 1, .keep_empty = std::chrono::seconds(60)});
  const auto process = several(7);
  host.accounts.see(process, {thread_of(8, "old", 10)});
  host.page({process}, 0);
  host.accounts.see(process, {thread_of(9, "new", 1)});
  CHECK(host.page({process}, 60).names() == "old: 0, 10; other: 1, 1");
  host.page({process}, 61);
  host.accounts.see(process, {thread_of(9, "new", 3)});
  CHECK(host.page({process}, 62).names() == "new: 1, 2; other: 0, 1");
}

TEST_CASE("names that read alike are one, whatever their bytes") {
  Accounts host;
  const auto process = several(7, 3);
  host.accounts.see(process,
                    {thread_of(7, "a\xff", 1), thread_of(8, "a\xfe", 2), thread_of(9, "other", 4)});
  CHECK(host.page({process}).names() == "a\xef\xbf\xbd: 2, 3; other: 1, 4");
}

TEST_CASE("a kernel thread has the name of its kind") {
  Accounts host;
  auto process = tests::process(3, "kworker/0:1-eve", 5);
  process.basics.is_kernel_thread = true;
  host.accounts.see_single(process, {});
  CHECK(host.page({process}).names("kworker/0:1-eve") == "kworker: 1, 5");
}

TEST_CASE("the only thread of a process used what the process did") {
  Accounts host;
  auto process = tests::process(7, "train", 100);
  host.accounts.see_single(process, "do_wait");
  CHECK(host.page({process}).names() == "train: 1, 100");
  CHECK(host.wait_channels() == "do_wait: 1");
  process.use.cpu_ns += kTickNs;
  host.accounts.see_single(process, {});
  CHECK(host.page({process}).names() == "train: 1, 101");
  CHECK(host.wait_channels().empty());

  // A thread that came and went is in the 101, of which the main thread had but 60.
  host.accounts.see(several(7), {thread_of(7, "train", 60), thread_of(8, "load", 2)});
  CHECK(host.page({several(7)}).names() == "load: 1, 2; train: 1, 101");
  host.accounts.see(several(7), {thread_of(7, "train", 63), thread_of(8, "load", 2)});
  CHECK(host.page({several(7)}).names() == "load: 1, 2; train: 1, 104");
}

TEST_CASE("wait channels are those of now, the most frequent ones and other") {
  Accounts host({.wait_channels_of_a_group = 2});
  const auto process = several(7, 6);
  host.accounts.see(
      process, {thread_of(1, "x", 0, "a"), thread_of(2, "x", 0, "b"), thread_of(3, "x", 0, "b"),
                thread_of(4, "x", 0, "c"), thread_of(5, "x", 0, "d"), thread_of(6, "x", 0)});
  CHECK(host.page({process}).wait_channels() == "a: 1; b: 2; other: 2");
  host.accounts.see(process, {thread_of(1, "x", 0, "b"), thread_of(2, "x", 0)});
  CHECK(host.page({process}).wait_channels() == "b: 1");
}

TEST_CASE("context switches of a process are those of all its threads, ended ones included") {
  Accounts host;
  auto process = several(7);
  const auto switches = [&] {
    auto completed = process;
    host.accounts.complete(completed);
    return completed.use.get(Count::voluntary_switches);
  };
  CHECK_FALSE(switches());
  host.accounts.see(process, {thread_of(7, "train", 5), thread_of(8, "load", 10)});
  CHECK(switches() == 15);
  host.accounts.see(process, {thread_of(7, "train", 6)});
  CHECK(switches() == 16);
  host.accounts.see(process, {thread_of(7, "train", 6), thread_of(9, "load", 4)});
  CHECK(switches() == 20);
  process.use.set(Count::voluntary_switches, 99);
  CHECK(switches() == 99);
}

TEST_CASE("a reading without numbers counts nothing, and what was counted not again") {
  Accounts host;
  auto process = tests::process(7, "train", 100);
  process.use.set(Count::voluntary_switches, 30);
  const auto told = process.use;
  for (const auto& use : {told, collectors::ProcessUse{}, told}) {
    process.use = use;
    host.accounts.see_single(process, {});
    CHECK(host.page({process}).names() == "train: 1, 100");
  }
  process.use = {};
  host.accounts.complete(process);
  CHECK(process.use.get(Count::voluntary_switches) == 30);
}

TEST_CASE("a process is idle when its source counts all and nothing was added") {
  ThreadAccounts accounts({});
  auto process = several(7);
  process.use.cpu_ns = 1234;
  CHECK_FALSE(accounts.is_idle(process));
  accounts.see(process, {thread_of(7, "train", 5), thread_of(8, "load", 10)});
  CHECK_FALSE(accounts.is_idle(process));  // ticks are too coarse
  process.use.set(Count::voluntary_switches, 1);
  CHECK(accounts.is_idle(process));
  auto changed = process;
  SECTION("a nanosecond") { ++changed.use.cpu_ns; }
  SECTION("a thread") { ++changed.threads; }
  SECTION("another process") { ++changed.basics.identity.start_ticks; }
  CHECK_FALSE(accounts.is_idle(changed));
}
