#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/child.hpp"
#include "tests/support/fixture_host.hpp"

using Catch::Contains;
using collectors::kProcess;
using metrics::Errc;
using tests::at_second;

namespace {

constexpr std::string_view kHostStat =
    "cpu 1 2 3 4 5 6 7 8 9 10\nintr 1\nctxt 2\nbtime 1690000000\nprocesses 3\n"
    "procs_running 1\nprocs_blocked 0\n";

/// A host with a /proc/stat and the processes that a test adds.
class ProcessHost {
 public:
  ProcessHost() { tree_.write("proc/stat", kHostStat); }

  ProcessHost& write(const std::string& name, std::string_view text) {
    tree_.write("proc/" + name, text);
    return *this;
  }
  /// A user process: 2 threads, 8 KiB resident, 4 KiB swapped, 2 files, 256 s after boot.
  ProcessHost& add(int pid, const std::string& comm, int user_ticks) {
    const auto folder = std::to_string(pid);
    write(folder + "/stat", folder + " (" + comm + ") S 1 1 1 0 -1 0 11 0 12 0 " +
                                std::to_string(user_ticks) + " 50 0 0 20 0 2 0 25600 65536 1 0\n");
    write(folder + "/status",
          "Uid:\t0\t1000\t0\t0\nVmHWM:\t 12 kB\nVmRSS:\t 8 kB\nVmSwap:\t 4 kB\nThreads:\t2\n");
    write(folder + "/io", "read_bytes: 21\nwrite_bytes: 22\n");
    return write(folder + "/fd/0", "").write(folder + "/fd/1", "");
  }
  /// A kernel thread as one without privilege sees it, and one without an address space is.
  ProcessHost& add_kernel_thread(int pid, const std::string& comm) {
    const auto folder = std::to_string(pid);
    write(folder + "/stat",
          folder + " (" + comm + ") I 2 0 0 0 -1 2097152 0 0 0 0 0 1 0 0 20 0 1 0 12 0 0 0\n");
    return write(folder + "/status", "Name:\tkworker\nThreads:\t1\n");
  }
  void remove(int pid) { tree_.remove("proc/" + std::to_string(pid)); }

  metrics::Result<void> refresh(double second = 0) {
    return collector_->refresh(at_second(second));
  }
  [[nodiscard]] std::string samples() const { return tests::samples_of(*collector_); }
  [[nodiscard]] std::string page() const { return tests::page_of(*collector_); }

 private:
  tests::FileTree tree_;
  tests::FixtureHost host_{tree_.path()};
  std::unique_ptr<collectors::Collector> collector_ = kProcess.make(host_.host);
};

/// The collector on the machine that runs the test.
class ThisHost {
 public:
  std::string samples() {
    const auto collector = kProcess.make(host_);
    const auto refreshed = collector->refresh(at_second(0));
    REQUIRE(refreshed);
    return tests::samples_of(*collector);
  }

 private:
  procfs::FileReader proc_ = tests::open_mount("/proc");
  procfs::FileReader sys_ = tests::open_mount("/sys");
  procfs::FileReader root_ = tests::open_mount("/");
  procfs::HostFiles files_{proc_};
  collectors::Settings settings_;
  collectors::Host host_{.proc = proc_,
                         .sys = sys_,
                         .root = root_,
                         .files = files_,
                         .settings = settings_,
                         .system = procfs::this_system(),
                         .window = std::chrono::minutes(5),
                         .sample_interval = std::chrono::seconds(1)};
};

/// The samples without those of the histogram of CPUs, which have a test of their own.
std::string without_histograms(const std::string& samples) {
  std::string rest;
  for (std::size_t at = 0; at < samples.size();) {
    const auto end = samples.find('\n', at) + 1;
    const auto line = samples.substr(at, end - at);
    if (line.find("_cpu_cores") == std::string::npos) rest += line;
    at = end;
  }
  return rest;
}

}  // namespace

TEST_CASE("the process collector is on by default and waits for nobody") {
  CHECK(kProcess.name == "process");
  CHECK(kProcess.enabled_by_default);
  CHECK(kProcess.reads == collectors::Reads::memory);
}

TEST_CASE("the source is told, and why it is no better one") {
  tests::FileTree tree;
  tests::FixtureHost host(tree.path());
  const auto collector = kProcess.make(host.host);
  CHECK_THAT(std::string(collector->notice()),
             Catch::StartsWith("processes are seen by proc, as bpf does not work here: ") &&
                 Contains("; taskstats does not work here: "));
  host.settings.set("process.source", {"proc"});
  CHECK(kProcess.make(host.host)->notice().empty());
}

TEST_CASE("where rules need command lines, the page tells of those that do not come") {
  tests::FileTree tree;
  tree.write("proc/stat", kHostStat)
      .write("proc/1/stat", "1 (a) S 0 1 1 0 -1 0 11 0 12 0 1 50 0 0 20 0 2 0 9 0 1 0\n");
  tree.write("proc/1/status", "Threads:\t1\n").write("rules", "process_names: [{exe: [a]}]");
  tests::FixtureHost host(tree.path());
  host.settings.set("process.config", {(tree.path() / "rules").string()});
  const auto collector = kProcess.make(host.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(tests::samples_of(*collector), Contains("host_process_command_lines_stuck 0\n") &&
                                                Contains("_command_lines_late_total 0\n"));
}

TEST_CASE("the page holds process-exporter's families for each name") {
  ProcessHost host;
  host.add(10, "train", 150).add(11, "train", 250).add_kernel_thread(3, "kworker/0:1-events");
  REQUIRE(host.refresh());
  CHECK(without_histograms(host.samples()) ==
        R"(namedprocess_namegroup_num_procs{groupname="kworker"} 1
namedprocess_namegroup_num_procs{groupname="train"} 2
namedprocess_namegroup_cpu_seconds_total{groupname="kworker",mode="user"} 0
namedprocess_namegroup_cpu_seconds_total{groupname="kworker",mode="system"} 0.01
namedprocess_namegroup_cpu_seconds_total{groupname="train",mode="user"} 4
namedprocess_namegroup_cpu_seconds_total{groupname="train",mode="system"} 1
namedprocess_namegroup_memory_bytes{groupname="kworker",memtype="resident"} 0
namedprocess_namegroup_memory_bytes{groupname="kworker",memtype="virtual"} 0
namedprocess_namegroup_memory_bytes{groupname="kworker",memtype="swapped"} 0
namedprocess_namegroup_memory_bytes{groupname="train",memtype="resident"} 16384
namedprocess_namegroup_memory_bytes{groupname="train",memtype="virtual"} 131072
namedprocess_namegroup_memory_bytes{groupname="train",memtype="swapped"} 8192
namedprocess_namegroup_num_threads{groupname="kworker"} 1
namedprocess_namegroup_num_threads{groupname="train"} 4
namedprocess_namegroup_open_filedesc{groupname="train"} 4
namedprocess_namegroup_read_bytes_total{groupname="train"} 42
namedprocess_namegroup_write_bytes_total{groupname="train"} 44
namedprocess_namegroup_major_page_faults_total{groupname="kworker"} 0
namedprocess_namegroup_major_page_faults_total{groupname="train"} 24
namedprocess_namegroup_minor_page_faults_total{groupname="kworker"} 0
namedprocess_namegroup_minor_page_faults_total{groupname="train"} 22
namedprocess_namegroup_states{groupname="kworker",state="Running"} 0
namedprocess_namegroup_states{groupname="kworker",state="Sleeping"} 0
namedprocess_namegroup_states{groupname="kworker",state="Waiting"} 0
namedprocess_namegroup_states{groupname="kworker",state="Zombie"} 0
namedprocess_namegroup_states{groupname="kworker",state="Other"} 1
namedprocess_namegroup_states{groupname="train",state="Running"} 0
namedprocess_namegroup_states{groupname="train",state="Sleeping"} 2
namedprocess_namegroup_states{groupname="train",state="Waiting"} 0
namedprocess_namegroup_states{groupname="train",state="Zombie"} 0
namedprocess_namegroup_states{groupname="train",state="Other"} 0
namedprocess_namegroup_oldest_start_time_seconds{groupname="kworker"} 1690000000.12
namedprocess_namegroup_oldest_start_time_seconds{groupname="train"} 1690000256
host_process_started_total{groupname="kworker"} 0
host_process_started_total{groupname="train"} 0
host_process_group_memory_peak_bytes{groupname="train"} 8192
host_top_process_memory_bytes{pid="10",comm="train",user="1000",cgroup=""} 8192
host_top_process_memory_bytes{pid="11",comm="train",user="1000",cgroup=""} 8192
host_process_exit_source{source="bpf"} 0
host_process_exit_source{source="taskstats"} 0
host_process_exit_source{source="parents"} 1
host_process_unreadable_total{reason="denied"} 0
host_process_unreadable_total{reason="malformed"} 0
host_process_unreadable_total{reason="error"} 0
host_process_crowded_out_total 0
host_process_unattributed_cpu_seconds_total 0
host_process_walks_total 1
host_process_sampling_budget_cores 0.005
host_process_sampling_cpu_seconds_total 0
host_process_sampling_interval_seconds 0
host_process_sampled_total{reading="read"} 0
host_process_sampled_total{reading="left_out"} 0
)");
}

TEST_CASE("a group that has lost its processes is shown for two windows") {
  ProcessHost host;
  host.add(10, "train", 150).add(11, "sh", 1);
  REQUIRE(host.refresh(0));
  host.remove(10);
  REQUIRE(host.refresh(600));
  CHECK_THAT(host.samples(), Contains("num_procs{groupname=\"train\"} 0\n") &&
                                 Contains("{groupname=\"train\",mode=\"user\"} 1.5\n") &&
                                 Contains("read_bytes_total{groupname=\"train\"} 21\n") &&
                                 Contains("memtype=\"swapped\"} 0\n") &&
                                 !Contains("open_filedesc{groupname=\"train\"}") &&
                                 !Contains("oldest_start_time_seconds{groupname=\"train\"}"));
  REQUIRE(host.refresh(601));
  CHECK_THAT(host.samples(), !Contains("train"));
}

TEST_CASE("a damaged process is left out and said to be, and the others are shown") {
  ProcessHost host;
  host.add(10, "train", 150).add(11, "sh", 1).write("10/stat", "10 (tr");
  REQUIRE(host.refresh());
  CHECK_THAT(host.samples(),
             !Contains("train") && Contains("num_procs{groupname=\"sh\"} 1\n") &&
                 Contains("host_process_unreadable_total{reason=\"malformed\"} 1\n"));
  host.add(10, "train", 150);
  REQUIRE(host.refresh(60));
  CHECK_THAT(host.samples(),
             Contains("num_procs{groupname=\"train\"} 1\n") &&
                 Contains("host_process_unreadable_total{reason=\"malformed\"} 1\n"));
}

TEST_CASE("the process collector fails when it has nothing to show") {
  ProcessHost host;
  auto expected = Errc::unsupported;
  SECTION("no process") {}
  SECTION("all are damaged") {
    host.add(10, "train", 150).write("10/stat", "10 (tr");
    expected = Errc::malformed;
  }
  SECTION("no time of boot") {
    host.add(10, "train", 150).write("stat", "cpu");
    expected = Errc::malformed;
  }
  const auto refreshed = host.refresh();
  REQUIRE_FALSE(refreshed);
  CHECK(refreshed.error().code == expected);
}

TEST_CASE("nothing is lost or counted twice over a refresh that failed") {
  ProcessHost host;
  host.add(10, "train", 150);
  REQUIRE(host.refresh(0));
  host.write("10/stat", "10 (tr");
  REQUIRE_FALSE(host.refresh(60));
  host.add(10, "train", 170);
  REQUIRE(host.refresh(120));
  CHECK_THAT(host.samples(), Contains("{groupname=\"train\",mode=\"user\"} 1.7\n"));
}

TEST_CASE("the page has at most 150 names of a user who is not root, and other") {
  ProcessHost host;
  for (int pid = 1; pid <= 203; ++pid) host.add(pid, "job-" + std::to_string(pid), pid);
  REQUIRE(host.refresh());
  CHECK_THAT(host.samples(), Contains("num_procs{groupname=\"other\"} 53\n") &&
                                 Contains("{groupname=\"other\",mode=\"user\"} 14.31\n") &&
                                 !Contains("groupname=\"job-53\"") &&
                                 Contains("num_procs{groupname=\"job-54\"} 1\n"));
}

TEST_CASE("a name cannot break out of its label") {
  ProcessHost host;
  host.add(10, "a\"} 1\n# b\\\xff", 150);
  REQUIRE(host.refresh());
  CHECK_THAT(host.samples(),
             Contains("num_procs{groupname=\"a\\\"} 1\\n# b\\\\\xef\xbf\xbd\"} 1\n"));
}

TEST_CASE("every family is declared once, with the kernel file it comes from") {
  ProcessHost host;
  host.add(10, "train", 150);
  REQUIRE(host.refresh());
  const auto page = host.page();
  std::size_t families = 0;
  for (auto at = page.find("# HELP "); at != std::string::npos; at = page.find("# HELP ", at + 1)) {
    ++families;
    CHECK_THAT(page.substr(at, page.find('\n', at) - at), Contains("/proc"));
  }
  CHECK(families == 24);
}

TEST_CASE("a live child with a hostile name is on the page, escaped", "[live]") {
  const tests::Child child("x\"} 1\n\\y\xff) R 1");
  CHECK_THAT(ThisHost().samples(), Contains("namedprocess_namegroup_num_procs{groupname=\"x\\\"} "
                                            "1\\n\\\\y\xef\xbf\xbd) R 1\"} 1\n"));
}

TEST_CASE("live zombies count", "[live]") {
  tests::Child child("undead-by-test");
  child.kill();
  const std::string group = "{groupname=\"undead-by-test\"";
  CHECK_THAT(ThisHost().samples(), Contains("num_procs" + group + "} 1\n") &&
                                       Contains("states" + group + ",state=\"Zombie\"} 1\n") &&
                                       Contains(group + ",memtype=\"resident\"} 0\n"));
}
