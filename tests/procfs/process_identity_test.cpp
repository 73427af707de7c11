#include "procfs/process_identity.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/fixture_host.hpp"

using metrics::Errc;
using procfs::parse_process_cgroup;
using procfs::parse_process_cmdline;
using procfs::ProcessCgroup;
using namespace std::string_literals;

TEST_CASE("parse_process_cmdline splits as process-exporter does") {
  using Arguments = std::vector<std::string>;
  const auto [what, text, arguments] = GENERATE(table<const char*, std::string, Arguments>({
      {"a kernel thread or a zombie", "", {}},
      {"the usual", "/bin/sleep\0 60\0"s, {"/bin/sleep", " 60"}},
      {"no zero at the end, after setproctitle", "nginx: master", {"nginx: master"}},
      {"an empty first argument", "\0"s + "60\0"s, {"", "60"}},
      {"nothing but an empty first argument", "\0"s, {""}},
      {"empty ones at the end are lost", "a\0\0\0"s, {"a"}},
      {"empty ones within are kept", "a\0\0b\0"s, {"a", "", "b"}},
      {"any bytes", "\xff\n\x1b\0"s, {"\xff\n\x1b"}},
  }));
  INFO(what);
  CHECK(parse_process_cmdline(text) == tests::command_line_of(arguments));
}

TEST_CASE("parse_process_cgroup reads version 2, version 1 and both") {
  using Cgroups = std::vector<ProcessCgroup>;
  const auto [what, text, cgroups] = GENERATE(table<const char*, std::string, Cgroups>({
      {"version 2", "0::/system.slice/ssh.service\n", {{"", "/system.slice/ssh.service"}}},
      {"both",
       "4:memory:/a\n3:cpu,cpuacct:/b\n1:name=systemd:/c\n0::/\n",
       {{"memory", "/a"}, {"cpu,cpuacct", "/b"}, {"name=systemd", "/c"}, {"", "/"}}},
      {"a path with colons", "0::/x.slice:cri-containerd:1\n", {{"", "/x.slice:cri-containerd:1"}}},
      {"removed, but a zombie is left", "0::/a/b (deleted)\n", {{"", "/a/b"}}},
      {"above the namespace's root", "0::/../../init.scope\n", {{"", "/../../init.scope"}}},
      {"any bytes", "0::/\xff\x1b\n", {{"", "/\xff\x1b"}}},
  }));
  INFO(what);
  const auto parsed = parse_process_cgroup(text);
  REQUIRE(parsed);
  CHECK(*parsed == cgroups);
}

TEST_CASE("parse_process_cgroup rejects text that is not the cgroup of a process") {
  const auto [what, text] = GENERATE(table<const char*, const char*>({
      {"empty file", ""},
      {"an empty line", "0::/\n\n"},
      {"no path", "0::\n"},
      {"a path that is not one", "0::a\n"},
      {"one colon", "0:/a\n"},
      {"none", "/a\n"},
  }));
  INFO(what);
  const auto parsed = parse_process_cgroup(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == Errc::malformed);
}

TEST_CASE("the parsers of a process' identity survive truncation and damage") {
  tests::survives_truncation_and_damage("/bin/sh\0-c\0true\0\0"s, parse_process_cmdline);
  tests::survives_truncation_and_damage("4:memory:/a (deleted)\n0::/b\n", parse_process_cgroup);
}
