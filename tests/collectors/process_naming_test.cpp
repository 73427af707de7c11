// Names by rules: after an exec, and when the file of rules is another.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "collectors/process/naming.hpp"
#include "tests/support/fixture_host.hpp"

using Catch::Contains;
using Catch::StartsWith;
using collectors::GroupKey;
using collectors::ProcessBasics;
using collectors::ProcessNaming;
using Answer = collectors::GroupResolver::Answer;

namespace {

constexpr const char* kByScript = R"(process_names:
- name: "{{.Matches.script}}"
  cmdline: ['(?P<script>[ab])\.py']
)";
constexpr const char* kByComm = "process_names:\n- name: 'all {{.Comm}}'\n  comm: [python3]\n";

ProcessBasics python(std::int32_t pid, std::uint32_t execs, std::int32_t parent_pid = 1) {
  ProcessBasics process;
  process.identity = {pid, 100};
  process.comm = collectors::comm_of("python3");
  process.parent_pid = parent_pid;
  process.execs = execs;
  return process;
}

class NamingHost {
 public:
  explicit NamingHost(const std::string& config) {
    write_config(config);
    host_.settings.set("process.config", {config_path()});
  }

  ProcessNaming& naming() {
    if (!naming_) naming_.emplace(host_.host, users_);
    return *naming_;
  }
  void write_config(const std::string& text) { tree_.write("groups.yml", text); }
  [[nodiscard]] std::string config_path() const { return (tree_.path() / "groups.yml").string(); }
  void set_command_line(std::int32_t pid, const std::string& script) {
    tree_.write("proc/" + std::to_string(pid) + "/cmdline",
                "python3" + std::string(1, '\0') + script + std::string(1, '\0'));
    tree_.write(
        "proc/" + std::to_string(pid) + "/stat",
        std::to_string(pid) + " (python3) S 1 1 1 0 -1 0 0 0 0 0 1 0 0 0 20 0 1 0 100 65536 1 0\n");
  }

  /// The name once it is known; "none" for none.
  std::string name_of(const ProcessBasics& process, bool has_ended = false) {
    GroupKey key;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      const auto answer = naming().resolve(process, has_ended, key);
      if (answer == Answer::named) return key.name;
      if (answer == Answer::none) return "none";
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

 private:
  tests::FileTree tree_;
  tests::FixtureHost host_{tree_.path()};
  collectors::UserNames users_{host_.host.root};
  std::optional<ProcessNaming> naming_;
};

}  // namespace

TEST_CASE("an exec with another command line gives another name") {
  NamingHost host(kByScript);
  host.set_command_line(10, "a.py");
  REQUIRE(host.name_of(python(10, 1)) == "a");
  host.set_command_line(10, "b.py");
  CHECK(host.name_of(python(10, 1)) == "a");  // not read again without a reason
  CHECK(host.name_of(python(10, 2)) == "b");
}

TEST_CASE("where execs are not told, another name makes the command line be read again") {
  NamingHost host(kByScript);
  host.set_command_line(10, "a.py");
  auto process = python(10, 0);
  REQUIRE(host.name_of(process) == "a");
  host.set_command_line(10, "b.py");
  CHECK(host.name_of(process) == "a");
  process.comm = collectors::comm_of("python3.11");
  CHECK(host.name_of(process) == "b");
}

TEST_CASE("what no rule names keeps the name of before its exec, and its children inherit that") {
  NamingHost host(kByScript);
  host.set_command_line(10, "a.py");
  host.set_command_line(11, "c.py");
  REQUIRE(host.name_of(python(10, 1)) == "a");
  host.set_command_line(10, "c.py");
  CHECK(host.name_of(python(10, 2)) == "a");
  CHECK(host.name_of(python(11, 1, 10)) == "a");
  auto adopted = python(11, 2, 1);
  host.naming().forget({10, 100});
  CHECK(host.name_of(adopted) == "a");
  auto other = python(11, 2, 1);
  other.identity.start_ticks = 200;
  CHECK(host.name_of(other) == "none");
}

TEST_CASE("one that ended after an exec is not named by the command line of before") {
  NamingHost host(kByScript);
  host.set_command_line(10, "a.py");
  host.set_command_line(1, "b.py");
  REQUIRE(host.name_of(python(1, 1, 0)) == "b");
  REQUIRE(host.name_of(python(10, 1)) == "a");
  host.naming().forget({10, 100});
  CHECK(host.name_of(python(10, 2), true) == "b");
}

TEST_CASE("a file that has changed is in force once it is reloaded") {
  NamingHost host(kByScript);
  host.set_command_line(10, "a.py");
  REQUIRE(host.name_of(python(10, 1)) == "a");
  host.write_config(kByComm);
  CHECK(host.name_of(python(10, 1)) == "a");
  REQUIRE(host.naming().reload());
  CHECK(host.name_of(python(10, 1)) == "all python3");
  host.write_config(kByScript);
  REQUIRE(host.naming().reload());
  host.set_command_line(11, "c.py");
  CHECK(host.name_of(python(10, 1)) == "a");
  CHECK(host.name_of(python(11, 1)) == "none");
}

TEST_CASE("names of before a reload are inherited by nobody") {
  NamingHost host(kByComm);
  host.set_command_line(10, "c.py");
  REQUIRE(host.name_of(python(10, 1)) == "all python3");
  host.write_config(kByScript);
  REQUIRE(host.naming().reload());
  CHECK(host.name_of(python(10, 1)) == "none");
}

TEST_CASE("a bad file is told with its line, and the old rules stay in force") {
  NamingHost host(kByComm);
  REQUIRE(host.name_of(python(10, 1)) == "all python3");
  const auto& path = host.config_path();
  std::string start = path + ": ";
  SECTION("a mistake") {
    host.write_config("process_names:\n- name: x\n  com: [y]\n");
    start = path + ":3: ";
  }
  SECTION("nothing in it") {
    host.write_config("");
    start = path + ":1: ";
  }
  SECTION("too long") {
    host.write_config(std::string(collectors::NamingConfig::kMaxBytes + 1, '#'));
    start = path + ":1: too long";
  }
  SECTION("gone") { ::unlink(path.c_str()); }
  SECTION("a FIFO without a writer") {
    ::unlink(path.c_str());
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    start = path + ": is no regular file";
  }
  SECTION("a folder") {
    ::unlink(path.c_str());
    REQUIRE(::mkdir(path.c_str(), 0700) == 0);
    start = path + ": is no regular file";
  }
  const auto reloaded = host.naming().reload();
  REQUIRE_FALSE(reloaded);
  CHECK_THAT(reloaded.error().detail, StartsWith(start) && !Contains("\n"));
  CHECK(host.name_of(python(10, 1)) == "all python3");
}

TEST_CASE("a bad file at the start is a mistake of whoever started us") {
  NamingHost host("process_names: 1\n");
  CHECK_THROWS_WITH(host.naming(), StartsWith(host.config_path() + ":1: "));
}

TEST_CASE("without a file of rules there is nothing to reload") {
  tests::FileTree tree;
  tests::FixtureHost host(tree.path());
  collectors::UserNames users(host.host.root);
  CHECK_FALSE(ProcessNaming(host.host, users).has_rules());
}
