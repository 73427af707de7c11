#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "collectors/process/namer.hpp"
#include "metrics/escape.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::GroupNamer;
using collectors::kMaxGroupNameBytes;
using collectors::NeededFacts;
using collectors::parse_naming_config;
using collectors::ProcessFacts;
using Arguments = std::vector<std::string>;

namespace {

GroupNamer namer_of(const std::string& entries) {
  auto config = parse_naming_config("process_names:\n" + entries, "test.yml");
  if (!config) FAIL(config.error().detail);
  return GroupNamer(*std::move(config));
}

ProcessFacts process(const char* comm, const Arguments& arguments) {
  ProcessFacts facts;
  facts.comm = comm;
  facts.command_line = tests::command_line_of(arguments);
  return facts;
}

ProcessFacts kernel_thread(const char* comm) {
  ProcessFacts facts;
  facts.comm = comm;
  facts.is_kernel_thread = true;
  return facts;
}

}  // namespace

TEST_CASE("by default a group is all processes of a comm, and needs no other fact") {
  const GroupNamer namer;
  CHECK(namer.needs() == NeededFacts{});
  CHECK(namer.name(process("sleep", {"/bin/other"})) == "sleep");
  CHECK(namer.name(process("kworker/0:1", {})) == "kworker/0:1");
  CHECK(namer.name(process("", {})) == "");
  CHECK(namer.name(process("a\xff", {})) == "a\xEF\xBF\xBD");
}

TEST_CASE("by default a kernel thread's CPU, device and work are no part of its name") {
  const auto [comm, name] = GENERATE(table<const char*, const char*>({
      {"kthreadd", "kthreadd"},
      {"kworker/0:1-events", "kworker"},
      {"kworker/u64:3-events_freezable_power_", "kworker"},
      {"kworker/R-rcu_gp", "kworker"},
      {"ksoftirqd/15", "ksoftirqd"},
      {"jbd2/sda1-8", "jbd2"},
      {"xfs-cil/nvme0n1", "xfs-cil"},
      {"a:b", "a"},
      {"/x", "/x"},
      {":", ":"},
      {"", ""},
  }));
  CHECK(GroupNamer().name(kernel_thread(comm)) == name);
}

// What process-exporter 0.7.10 of Debian 12 made of such processes, but where said.
TEST_CASE("a process belongs to the first rule whose matchers it satisfies") {
  const auto [what, entries, comm, arguments,
              name] = GENERATE(table<const char*, const char*, const char*, Arguments,
                                     std::optional<std::string>>({
      {"comm", "- comm: [a, sleep]", "sleep", {"/bin/sleep"}, "sleep"},
      {"not a comm", "- comm: [slee]", "sleep", {"/bin/sleep"}, std::nullopt},
      {"comm is exact", "- comm: [Sleep, sleepy]", "sleep", {"x"}, std::nullopt},
      {"the first", "- {comm: [a], name: A}\n- {exe: [x], name: X}", "a", {"x"}, "A"},
      {"the second", "- {comm: [b], name: B}\n- {exe: [x], name: X}", "a", {"x"}, "X"},
      {"all matchers", "- {comm: [a], exe: [x], cmdline: [z]}", "a", {"x", "z"}, "x"},
      {"not all: comm", "- {comm: [b], exe: [x], cmdline: [z]}", "a", {"x", "z"}, std::nullopt},
      {"not all: exe", "- {comm: [a], exe: [y], cmdline: [z]}", "a", {"x", "z"}, std::nullopt},
      {"not all: cmdline", "- {comm: [a], exe: [x], cmdline: [q]}", "a", {"x"}, std::nullopt},

      {"exe by base", "- exe: [two]", "sleep", {"/a/two", "1"}, "two"},
      {"exe by path", "- {exe: [/a/two], name: N}", "sleep", {"/a/two", "1"}, "N"},
      {"exe by another path", "- exe: [/b/two]", "sleep", {"/a/two"}, std::nullopt},
      {"exe is no part of a path", "- exe: [a/two]", "sleep", {"/a/two"}, std::nullopt},
      {"exe is not comm", "- exe: [sleep]", "sleep", {"/a/two"}, std::nullopt},
      {"exe of a login shell", "- exe: [-bash]", "bash", {"-bash"}, "-bash"},
      {"exe with blanks", "- exe: [a b]", "sleep", {"/sp ace/a b"}, "a b"},
      {"exe with a slash behind", "- exe: [x]", "sleep", {"/opt/x/"}, "x"},
      {"the same, by path", "- {exe: [/opt/x/], name: N}", "sleep", {"/opt/x/"}, "N"},
      {"exe of an empty argument", "- {exe: ['.'], name: N}", "sleep", {"", "1"}, "N"},
      {"exe of slashes", "- {exe: [/], name: A}\n- {exe: [///], name: B}", "s", {"///"}, "B"},

      {"cmdline is joined by blanks",
       "- {cmdline: ['^/a b c$'], name: N}",
       "x",
       {"/a b", "c"},
       "N"},
      {"cmdline anywhere", "- {cmdline: ['b c'], name: N}", "x", {"ab", "cd"}, "N"},
      {"all of cmdline", "- {cmdline: [a, b], name: N}", "x", {"a", "b"}, "N"},
      {"not all of cmdline", "- cmdline: [a, b, z]", "x", {"a", "b"}, std::nullopt},
      {"cmdline minds the case", "- cmdline: [A]", "x", {"a"}, std::nullopt},
      {"unless told", "- {cmdline: ['(?i)A'], name: N}", "x", {"a"}, "N"},
      {"$ is the end of all", "- cmdline: ['a$']", "x", {"a\nb"}, std::nullopt},
      {". is not a newline", "- cmdline: ['a.b']", "x", {"a\nb"}, std::nullopt},
      {"but any character",
       "- {cmdline: ['^a.b$'], name: N}",
       "x",
       {"a\xE2\x82\xAC"
        "b"},
       "N"},
      {"and any bad byte, as in Go",
       "- {cmdline: ['^a..b$'], name: N}",
       "x",
       {"a\xff\xfe"
        "b"},
       "N"},
      {"classes of Unicode", "- {cmdline: ['^\\pL+$'], name: N}", "x", {"\xC3\xA4"}, "N"},

      {"captures",
       "- {cmdline: ['(?P<k>[a-z]+)=(?P<v>[0-9])'], name: '{{.Matches.v}}{{.Matches.k}}'}",
       "x",
       {"alpha=1", "beta=2"},
       "1alpha"},
      {"the leftmost alternative",
       "- {cmdline: ['(?P<v>a|ab)'], name: '{{.Matches.v}}'}",
       "x",
       {"ab"},
       "a"},
      {"the last pattern's capture counts",
       "- {cmdline: ['(?P<v>al)', '(?P<v>[0-9])'], name: '{{.Matches.v}}'}",
       "x",
       {"al=3"},
       "3"},
      {"a capture that took no part",
       "- {cmdline: ['x(?P<v>q)?'], name: '<{{.Matches.v}}>'}",
       "x",
       {"x"},
       "<>"},
      {"an empty name", "- {cmdline: ['x(?P<v>q)?'], name: '{{.Matches.v}}'}", "x", {"x"}, ""},
      {"captures of a rule that failed are lost",
       "- {cmdline: ['(?P<v>a)', z], name: '{{.Matches.v}}'}\n"
       "- {cmdline: ['(?P<v>q)?'], name: '<{{.Matches.v}}>'}",
       "x",
       {"a"},
       "<>"},
      {"of groups with the same name the last counts",
       "- {cmdline: ['(?P<v>a)(?P<v>b)'], name: '<{{.Matches.v}}>'}",
       "x",
       {"ab"},
       "<b>"},
      {"unnamed groups do not matter",
       "- {cmdline: ['(a)(b)(?P<v>c)(d)'], name: '{{.Matches.v}}'}",
       "x",
       {"abcd"},
       "c"},

      {"kernel threads keep their name", "- comm: [kworker/0:1]", "kworker/0:1", {}, "kworker/0:1"},
      // process-exporter forgets all but the last of them.
      {"two paths with the same end", "- exe: [/a/two, /b/two]", "sleep", {"/a/two"}, "two"},
      {"a name and a path with the same end", "- exe: [two, /b/two]", "x", {"/a/two"}, "two"},
  }));
  INFO(what);
  CHECK(namer_of(entries).name(process(comm, arguments)) == name);
}

TEST_CASE("a process without a command line is known by its comm, as by one word") {
  using Name = std::optional<std::string>;
  const auto [entries, comm, name] = GENERATE(table<const char*, const char*, Name>({
      {"- {cmdline: ['.+'], name: '{{.Comm}}'}", "true", "true"},
      {"- {cmdline: ['.+'], name: '{{.ExeBase}}'}", "true", "true"},
      {"- {cmdline: ['.+']}", "a b", "a b"},
      {"- {cmdline: ['^true$'], name: N}", "true", "N"},
      {"- {cmdline: ['(?P<v>\\S+)'], name: '{{.Matches.v}}'}", "true", "true"},
      {"- {cmdline: ['true -x'], name: N}", "true", std::nullopt},
      {"- exe: [true]", "true", "true"},
      {"- {exe: [/usr/bin/true], name: N}", "true", "N"},
      {"- {exe: [/usr/bin/trueish], name: N}", "true", std::nullopt},
      {"- {exe: [/opt/a-very-long-program], name: N}", "a-very-long-pro", "N"},
      {"- {exe: [a-very-long], name: N}", "a-very-long-pro", std::nullopt},
      {"- {comm: [other], cmdline: ['.+'], name: N}", "true", std::nullopt},
      {"- {cmdline: ['.+'], name: N}", "", std::nullopt},
  }));
  INFO(entries << ' ' << comm);
  ProcessFacts facts;
  facts.comm = comm;
  CHECK(namer_of(entries).name(facts) == name);
  facts.command_line.emplace();  // a zombie's
  CHECK(namer_of(entries).name(facts) == name);
}

TEST_CASE("a kernel thread has an empty command line, and its comm does not stand for it") {
  const auto facts = kernel_thread("kthreadd");
  CHECK_FALSE(namer_of("- exe: [kthreadd, '.', '']").name(facts));
  CHECK_FALSE(namer_of("- {cmdline: ['.+'], name: a}").name(facts));
  CHECK(namer_of("- {cmdline: ['^$'], name: N}").name(facts) == "N");
  CHECK(namer_of("- exe: [a]\n- comm: [kthreadd]").name(facts) == "kthreadd");
}

TEST_CASE("a namer needs what its rules look at") {
  const auto [entries, needs] = GENERATE(table<const char*, NeededFacts>({
      {"- {comm: [a], name: '{{.Comm}}'}", {}},
      {"- {comm: [a], name: a}", {}},
      {"- comm: [a]", {.command_line = true}},
      {"- {exe: [a], name: a}", {.command_line = true}},
      {"- {cmdline: [a], name: a}", {.command_line = true}},
      {"- {comm: [a], name: a}\n- {comm: [b], name: '{{.Username}}{{.Cgroups}}'}",
       {.user = true, .cgroups = true}},
      {"- {comm: [a], name: '{{.StartTime}}'}\n- {exe: [b], name: b}",
       {.command_line = true, .started_at = true}},
  }));
  INFO(entries);
  CHECK(namer_of(entries).needs() == needs);
}

TEST_CASE("a long command line is looked at as far as the limit, and costs no more") {
  constexpr auto kMost = GroupNamer::kMaxCommandLineBytes;
  const auto namer = namer_of("- {cmdline: ['end$'], name: N}");
  const std::string filler(kMost - 4, 'x');
  CHECK(namer.name(process("x", {filler, "end"})) == "N");
  CHECK(namer.name(process("x", {filler, "end", "more"})) == "N");
  CHECK_FALSE(namer.name(process("x", {filler, "xend"})));
  CHECK_FALSE(namer.name(process("x", Arguments(1'000'000, "end"))));
}

TEST_CASE("a name stays valid UTF-8 and bounded whatever a command line holds") {
  const auto namer =
      namer_of("- {cmdline: ['(?P<all>(?s).*)'], name: '{{.ExeFull}} {{.Matches.all}}'}");
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
  const auto name = namer.name(process("x", {bytes, bytes}));
  REQUIRE(name);
  CHECK(name->size() <= kMaxGroupNameBytes);
  CHECK(name->size() > kMaxGroupNameBytes - 4);
  CHECK(metrics::repaired(*name) == *name);
}
