// What of the process collector's page costs extra.
#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"
#include "tests/support/process_files.hpp"

using Catch::Contains;
using tests::at_second;

namespace {

/// A process "train" with threads "train" and "load", and a kernel thread.
class DetailedHost {
 public:
  DetailedHost() {
    tree.write("proc/stat",
               "cpu 1 2 3 4 5 6 7 8 9 10\nintr 1\nctxt 2\nbtime 1690000000\nprocesses 3\n"
               "procs_running 1\nprocs_blocked 0\n");
    write_process(tree, {.tid = 10, .comm = "train", .user_ticks = 150, .threads = 2});
    tree.write("proc/10/smaps_rollup", "Pss: 6 kB\nSwapPss: 1 kB\n");
    write_thread(
        tree, 10,
        {.tid = 10, .comm = "train", .user_ticks = 100, .threads = 2, .voluntary_switches = 4});
    write_thread(tree, 10,
                 {.tid = 11,
                  .comm = "load",
                  .user_ticks = 30,
                  .threads = 2,
                  .voluntary_switches = 5,
                  .wait_channel = "futex_wait"});
    tree.write("proc/2/stat",
               "2 (kthreadd) S 0 0 0 0 -1 2097152 0 0 0 0 0 1 0 0 20 0 1 0 12 0 0 0\n");
    tree.write("proc/2/status", "Threads:\t1\n");
  }
  DetailedHost& set(const std::string& name, const std::string& value) {
    host_.settings.set("process." + name, {value});
    return *this;
  }
  /// The page's samples, those of `family` alone.
  std::string samples(const std::string& family, double second = 0) {
    if (!collector_) collector_ = collectors::kProcess.make(host_.host);
    static_cast<void>(collector_->refresh(at_second(second)));
    const auto all = tests::samples_of(*collector_);
    std::string some;
    for (std::size_t at = 0; at < all.size();) {
      const auto end = all.find('\n', at) + 1;
      if (all.compare(at, family.size(), family) == 0) some.append(all, at, end - at);
      at = end;
    }
    return some;
  }

  tests::FileTree tree;

 private:
  tests::FixtureHost host_{tree.path()};
  std::unique_ptr<collectors::Collector> collector_;
};

}  // namespace

TEST_CASE("threads are shown by name when they are asked for") {
  DetailedHost host;
  CHECK(host.set("threads", "true").samples("namedprocess_namegroup_thread") ==
        R"(namedprocess_namegroup_thread_count{groupname="kthreadd",threadname="kthreadd"} 1
namedprocess_namegroup_thread_count{groupname="train",threadname="load"} 1
namedprocess_namegroup_thread_count{groupname="train",threadname="train"} 1
namedprocess_namegroup_thread_cpu_seconds_total{groupname="kthreadd",threadname="kthreadd",mode="user"} 0
namedprocess_namegroup_thread_cpu_seconds_total{groupname="kthreadd",threadname="kthreadd",mode="system"} 0.01
namedprocess_namegroup_thread_cpu_seconds_total{groupname="train",threadname="load",mode="user"} 0.3
namedprocess_namegroup_thread_cpu_seconds_total{groupname="train",threadname="load",mode="system"} 0.5
namedprocess_namegroup_thread_cpu_seconds_total{groupname="train",threadname="train",mode="user"} 1
namedprocess_namegroup_thread_cpu_seconds_total{groupname="train",threadname="train",mode="system"} 0.5
namedprocess_namegroup_thread_io_bytes_total{groupname="train",threadname="load",iomode="read"} 21
namedprocess_namegroup_thread_io_bytes_total{groupname="train",threadname="load",iomode="write"} 22
namedprocess_namegroup_thread_io_bytes_total{groupname="train",threadname="train",iomode="read"} 21
namedprocess_namegroup_thread_io_bytes_total{groupname="train",threadname="train",iomode="write"} 22
namedprocess_namegroup_thread_major_page_faults_total{groupname="kthreadd",threadname="kthreadd"} 0
namedprocess_namegroup_thread_major_page_faults_total{groupname="train",threadname="load"} 12
namedprocess_namegroup_thread_major_page_faults_total{groupname="train",threadname="train"} 12
namedprocess_namegroup_thread_minor_page_faults_total{groupname="kthreadd",threadname="kthreadd"} 0
namedprocess_namegroup_thread_minor_page_faults_total{groupname="train",threadname="load"} 11
namedprocess_namegroup_thread_minor_page_faults_total{groupname="train",threadname="train"} 11
namedprocess_namegroup_thread_context_switches_total{groupname="train",threadname="load",ctxswitchtype="voluntary"} 5
namedprocess_namegroup_thread_context_switches_total{groupname="train",threadname="load",ctxswitchtype="nonvoluntary"} 7
namedprocess_namegroup_thread_context_switches_total{groupname="train",threadname="train",ctxswitchtype="voluntary"} 4
namedprocess_namegroup_thread_context_switches_total{groupname="train",threadname="train",ctxswitchtype="nonvoluntary"} 7
namedprocess_namegroup_threads_wchan{groupname="train",wchan="futex_wait"} 1
)");
  CHECK(host.samples("host_process_threads") ==
        R"(host_process_threads_skipped_total{reason="time"} 0
host_process_threads_skipped_total{reason="limit"} 0
host_process_threads_skipped_total{reason="unreadable"} 0
host_process_threads_crowded_out_total 0
)");
}

TEST_CASE("context switches of several threads are known when threads are") {
  const auto [setting, expected] = GENERATE(table<std::string, std::string>({
      {"false", ""},
      {"true",
       "namedprocess_namegroup_context_switches_total{groupname=\"train\",ctxswitchtype="
       "\"voluntary\"} 9\n"
       "namedprocess_namegroup_context_switches_total{groupname=\"train\",ctxswitchtype="
       "\"nonvoluntary\"} 14\n"},
  }));
  DetailedHost host;
  CHECK(host.set("threads", setting).samples("namedprocess_namegroup_context") == expected);
}

TEST_CASE("proportional memory is shown when it is asked for") {
  DetailedHost host;
  host.set("smaps", "true");
  const std::string group = "namedprocess_namegroup_memory_bytes{groupname=\"train\",memtype=";
  // Patience is for a page; a busy machine may need a few.
  std::string samples;
  for (int page = 0; page < 100 && samples.empty(); ++page) {
    samples = host.samples(group + "\"prop", page);
  }
  CHECK(samples ==
        group + "\"proportionalResident\"} 6144\n" + group + "\"proportionalSwapped\"} 1024\n");
  CHECK_THAT(host.samples("host_process_smaps", 100), Contains("{reason=\"unreadable\"} 0\n"));
}

TEST_CASE("by default no threads and no proportional memory are on the page") {
  DetailedHost host;
  CHECK_THAT(host.samples(""), !Contains("thread_") && !Contains("wchan") &&
                                   !Contains("proportional") && !Contains("_skipped_"));
}

TEST_CASE("the worst share of a limit is known wherever processes are read from") {
  DetailedHost host;
  CHECK(host.samples("namedprocess_namegroup_worst") ==
        "namedprocess_namegroup_worst_fd_ratio{groupname=\"train\"} 0.25\n");
  host.tree.write("proc/10/limits", "Max open files            unlimited            4096 files\n");
  CHECK(host.samples("namedprocess_namegroup_worst", 1).empty());
}

TEST_CASE("a setting of details that is not what it must be is refused") {
  const auto [name, value] = GENERATE(table<std::string, std::string>(
      {{"threads", "yes"}, {"smaps", "1"}, {"smaps-budget", "0"}, {"smaps-budget", "x"}}));
  DetailedHost host;
  host.set(name, value);
  CHECK_THROWS_AS(host.samples(""), std::invalid_argument);
}
