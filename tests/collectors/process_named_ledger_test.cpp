// The ledger and the naming together, over a /proc of files.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "collectors/process/ledger.hpp"
#include "collectors/process/naming.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/ledger_host.hpp"

using collectors::GroupKey;
using collectors::ProcessSample;
using tests::exit_of;
using tests::process;

namespace {

/// What process-exporter's users begin with.
constexpr auto kEachByComm = "- {name: '{{.Comm}}', cmdline: ['.+']}";
constexpr auto kEachByExe = "- {name: '{{.ExeBase}}', cmdline: ['.+']}";

class NamedHost {
 public:
  explicit NamedHost(const std::string& rules, const std::string& labels = "")
      : naming_(with_settings(rules, labels), users_) {}

  /// A process of /proc, as a walk sees it.
  ProcessSample add(std::int32_t pid, const std::string& comm,
                    const std::vector<std::string>& arguments) {
    const auto folder = "proc/" + std::to_string(pid);
    tree_.write(folder + "/stat", std::to_string(pid) + " (" + comm +
                                      ") S 1 1 1 0 -1 0 0 0 0 0 1 0 0 0 20 0 1 0 1000 65536 1 0\n");
    tree_.write(folder + "/cmdline", tests::command_line_of(arguments));
    return process(pid, comm, 1);
  }
  NamedHost& take(const std::vector<ProcessSample>& processes,
                  std::vector<collectors::ProcessExit> exits = {},
                  std::vector<collectors::ExitSum> sums = {}) {
    now_ += std::chrono::seconds(1);
    ledger_.take({std::move(exits), std::move(sums)}, {processes, {}}, collectors::WalkFor::page,
                 now_);
    return *this;
  }
  /// Until those who are named by their command lines are.
  NamedHost& settle(const std::vector<ProcessSample>& processes) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (take(processes).members() < processes.size()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
    return *this;
  }
  [[nodiscard]] std::uint64_t ended(const std::string& name) const {
    const auto found = ledger_.groups().by_key().find({name, {}});
    return found == ledger_.groups().by_key().end() ? 0 : found->second.exited[0];
  }
  [[nodiscard]] std::vector<GroupKey> keys() const {
    std::vector<GroupKey> keys;
    for (const auto& [key, group] : ledger_.groups().by_key()) keys.push_back(key);
    return keys;
  }
  /// The id of a new cgroup.
  std::uint64_t make_cgroup(const std::string& path) {
    const auto folder = tree_.path() / ("sys/fs/cgroup" + path);
    std::filesystem::create_directories(folder);
    struct stat status {};
    REQUIRE(::stat(folder.c_str(), &status) == 0);
    return status.st_ino;
  }
  tests::FileTree& tree() { return tree_; }

 private:
  const collectors::Host& with_settings(const std::string& rules, const std::string& labels) {
    if (!rules.empty()) {
      tree_.write("rules.yml", "process_names:\n" + rules);
      host_.settings.set("process.config", {(tree_.path() / "rules.yml").string()});
    }
    host_.settings.set("process.labels", {labels});
    return host_.host;
  }
  [[nodiscard]] std::size_t members() const {
    std::size_t members = 0;
    for (const auto& [key, group] : ledger_.groups().by_key()) members += group.members.processes;
    return members;
  }

  tests::FileTree tree_;
  tests::FixtureHost host_{tree_.path()};
  collectors::UserNames users_{host_.host.root};
  collectors::ProcessNaming naming_;
  collectors::ProcessLedger ledger_{naming_,
                                    {.groups = {100, std::chrono::seconds(600)},
                                     .window = std::chrono::minutes(5),
                                     .has_exits = true}};
  procfs::Clock::time_point now_ = tests::at_second(0);
};

collectors::ProcessExit short_life(std::int32_t pid, const std::string& comm,
                                   std::int32_t parent_pid) {
  auto sample = process(pid, comm);
  sample.basics.parent_pid = parent_pid;
  return exit_of(sample, 1);
}

}  // namespace

TEST_CASE("short-lived processes are in the group of their own name, not of their parent") {
  NamedHost host(GENERATE(kEachByComm, kEachByExe));
  const auto bash = host.add(10, "bash", {"/bin/bash", "loop.sh"});
  host.settle({bash});
  for (int pid = 100; pid < 300; ++pid) host.take({bash}, {short_life(pid, "true", 10)});
  CHECK(host.ended("true") == 200);
  CHECK(host.ended("bash") == 0);
}

TEST_CASE("short-lived processes that are known as a sum are in the group of their name") {
  NamedHost host(kEachByExe);
  const auto bash = host.add(10, "bash", {"/bin/bash"});
  host.settle({bash});
  collectors::ExitSum sum;
  sum.comm = collectors::comm_of("true");
  sum.exits[0] = 200;
  host.take({bash}, {}, {sum});
  for (int second = 0; second < 30; ++second) host.take({bash});
  CHECK(host.ended("true") == 200);
}

TEST_CASE("a short-lived copy of its parent is in its parent's group") {
  NamedHost host("- {name: trainer, cmdline: [train]}\n- {name: '{{.ExeBase}}', cmdline: ['.+']}");
  const auto trainer = host.add(10, "python3", {"/usr/bin/python3", "train.py"});
  const auto other = host.add(11, "bash", {"/bin/bash"});
  host.settle({trainer, other});
  host.take({trainer, other}, {short_life(100, "python3", 10), short_life(101, "python3", 11)});
  CHECK(host.ended("trainer") == 1);
  CHECK(host.ended("python3") == 1);
}

TEST_CASE("a short-lived process that no rule can know by its name inherits") {
  NamedHost host("- {name: builder, cmdline: [make all]}\n- {name: tool, cmdline: [cc -o]}");
  const auto make = host.add(10, "make", {"make", "all"});
  host.settle({make});
  host.take({make}, {short_life(100, "cc", 10)});
  CHECK(host.ended("builder") == 1);
}

TEST_CASE("a process keeps its group at its end, when its command line is long forgotten") {
  NamedHost host("- {name: trainer, cmdline: [train]}\n- {name: '{{.ExeBase}}', cmdline: ['.+']}");
  auto trainer = host.add(10, "python3", {"/usr/bin/python3", "train.py"});
  trainer.basics.execs = 3;
  host.settle({trainer});
  auto end = exit_of(trainer, 2);
  if (GENERATE(false, true)) end.basics.comm = collectors::comm_of("renamed");
  host.take({}, {end});
  CHECK(host.ended("trainer") == 1);
}

TEST_CASE("a cgroup's path serves others of the same id, once it is known to be its") {
  const auto [what, cgroups, unit] = GENERATE(table<const char*, const char*, const char*>({
      {"of the id", "0::/a.service\n", "a.service"},
      {"the first has moved since", "0::/b.service\n", ""},
      {"version 1 as well", "4:memory:/c.service\n0::/a.service\n", ""},
  }));
  INFO(what);
  NamedHost host("", "unit");
  const auto id = host.make_cgroup("/a.service");
  host.make_cgroup("/b.service");
  auto first = host.add(10, "first", {"first"});
  first.basics.cgroup_id = id;
  host.tree().write("proc/10/cgroup", cgroups);
  auto second = process(11, "second");
  second.basics.cgroup_id = id;
  host.take({first}).take({first}, {exit_of(second, 1)});
  CHECK(host.keys().back() == GroupKey{"second", {unit}});
}
