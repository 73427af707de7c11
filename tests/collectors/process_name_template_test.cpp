#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "collectors/process/bounded_text.hpp"
#include "collectors/process/facts.hpp"
#include "collectors/process/name_template.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::base_name;
using collectors::bounded_text;
using collectors::Captures;
using collectors::kMaxGroupNameBytes;
using collectors::NameTemplate;
using collectors::NeededFacts;
using collectors::ProcessFacts;

namespace {

ProcessFacts postgres() {
  ProcessFacts facts;
  facts.comm = "postgres";
  facts.pid = 4711;
  facts.command_line =
      tests::command_line_of({"/usr/lib/postgresql/15/bin/postgres", "-D", "/srv"});
  facts.user_id = 107;
  facts.user = "db";
  facts.started_at = std::chrono::sys_time(std::chrono::milliseconds(1795545290840));
  facts.cgroups = {{"memory", "/a"}, {"name=systemd", "/b"}};
  return facts;
}

std::string rendered(const std::string& text, const ProcessFacts& facts,
                     const Captures& captures = {}) {
  const auto parsed = NameTemplate::parse(text);
  REQUIRE(parsed);
  return parsed->render(facts, captures);
}

}  // namespace

// Each name was also given by process-exporter 0.7.10 of Debian 12 to such a process.
TEST_CASE("a name template renders as process-exporter's") {
  const auto [text, name] = GENERATE(table<const char*, const char*>({
      {"", ""},
      {"all of them", "all of them"},
      {"{{.Comm}}", "postgres"},
      {"{{.ExeBase}}", "postgres"},
      {"{{.ExeFull}}", "/usr/lib/postgresql/15/bin/postgres"},
      {"{{.Username}}:{{.Comm}}", "db:postgres"},
      {"{{.PID}}", "4711"},
      {"{{.StartTime}}", "2026-11-24 18:34:50.84 +0000 UTC"},
      {"{{.Cgroups}}", "[/a /b]"},
      {"<{{.Matches.role_1}}>", "<writer>"},
      {"{{  .Comm\t}}", "postgres"},
      {"{{\n.Comm\r\n}}", "postgres"},
      {"}}{{.Comm}}{ {", "}}postgres{ {"},
      {"{{.PID}}{{.PID}}", "47114711"},
  }));
  INFO(text);
  CHECK(rendered(text, postgres(), {{"role_1", "writer"}}) == name);
}

TEST_CASE("a name template refuses what it does not know, with the column") {
  const auto [text, column, what] = GENERATE(table<std::string, const char*, const char*>({
      {"{{.Foo}}", "column 1: ", "'.Foo' is no field"},
      {"ab{{.Comm}}{{.comm}}", "column 12: ", "'.comm' is no field"},
      {"{{Comm}}", "column 1: ", "'Comm' is no field"},
      {"{{. Comm}}", "column 1: ", "'. Comm' is no field"},
      {"{{}}", "column 1: ", "'' is no field"},
      {"{{ }}", "column 1: ", "'' is no field"},
      {"{{.}}", "column 1: ", "'.' is no field"},
      {"{{.Comm.x}}", "column 1: ", "'.Comm.x' is no field"},
      {"{{.Comm .PID}}", "column 1: ", "is no field"},
      {"{{- .Comm -}}", "column 1: ", "is no field"},
      {"{{.Matches}}", "column 1: ", "'.Matches' is no field"},
      {"{{.Matches.}}", "column 1: ", "is no field"},
      {"{{.Matches.1a}}", "column 1: ", "is no field"},
      {"{{.Matches.a b}}", "column 1: ", "is no field"},
      {"{{.Matches.a.b}}", "column 1: ", "is no field"},
      {"x {{if .Comm}}", "column 3: ", "is no field"},
      {"{{.Comm", "column 1: ", "{{ has no }}"},
      {"{{.Comm}}{{", "column 10: ", "{{ has no }}"},
      {"{{.Comm}", "column 1: ", "{{ has no }}"},
  }));
  INFO(text);
  const auto parsed = NameTemplate::parse(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == metrics::Errc::malformed);
  CHECK_THAT(parsed.error().detail, Catch::StartsWith(column) && Catch::Contains(what) &&
                                        Catch::Contains("allowed are {{.Comm}}, "));
}

TEST_CASE("a name template does without what is not known") {
  ProcessFacts facts;
  facts.comm = "kthreadd";
  CHECK(rendered("{{.ExeBase}}|{{.ExeFull}}", facts) == "kthreadd|kthreadd");
  CHECK(rendered("<{{.Username}}{{.StartTime}}{{.Cgroups}}{{.Matches.x}}>", facts) == "<>");
  facts.user_id = 12345;
  CHECK(rendered("{{.Username}}", facts) == "12345");
  facts.command_line.emplace();
  CHECK(rendered("{{.ExeBase}}|{{.ExeFull}}", facts) == "kthreadd|kthreadd");
  facts.command_line = tests::command_line_of({""});
  CHECK(rendered("{{.ExeBase}}|{{.ExeFull}}", facts) == ".|");
}

TEST_CASE("a start time is shown as Go does, with only the digits it has") {
  const auto [milliseconds, text] = GENERATE(table<std::int64_t, const char*>({
      {1795545290900, "2026-11-24 18:34:50.9 +0000 UTC"},
      {1795545290000, "2026-11-24 18:34:50 +0000 UTC"},
      {1795545290010, "2026-11-24 18:34:50.01 +0000 UTC"},
      {1709164799999, "2024-02-28 23:59:59.999 +0000 UTC"},
      {1709164800000, "2024-02-29 00:00:00 +0000 UTC"},
      {0, "1970-01-01 00:00:00 +0000 UTC"},
  }));
  ProcessFacts facts;
  facts.started_at = std::chrono::sys_time(std::chrono::milliseconds(milliseconds));
  CHECK(rendered("{{.StartTime}}", facts) == text);
}

TEST_CASE("base_name is Go's filepath.Base") {
  const auto [path, base] = GENERATE(table<const char*, const char*>({
      {"", "."},
      {"/", "/"},
      {"///", "/"},
      {"sleep", "sleep"},
      {"/bin/sleep", "sleep"},
      {"/opt/x/", "x"},
      {"x//", "x"},
      {"-bash", "-bash"},
      {"/sp ace/a b", "a b"},
      {"nginx: worker", "nginx: worker"},
  }));
  CHECK(base_name(path) == base);
}

TEST_CASE("a name template tells which facts it needs") {
  const auto [text, needs] = GENERATE(table<const char*, NeededFacts>({
      {"{{.Comm}}{{.PID}}", {}},
      {"{{.ExeBase}}", {.command_line = true}},
      {"{{.ExeFull}}", {.command_line = true}},
      {"{{.Matches.x}}", {.command_line = true}},
      {"{{.Username}}", {.user = true}},
      {"{{.StartTime}}", {.started_at = true}},
      {"{{.Cgroups}}", {.cgroups = true}},
      {"{{.Username}}{{.Cgroups}}", {.user = true, .cgroups = true}},
  }));
  INFO(text);
  CHECK(NameTemplate::parse(text)->needs() == needs);
}

TEST_CASE("a name is valid UTF-8 and bounded, whatever the process is called") {
  ProcessFacts facts;
  facts.comm = "a\xff\n\x1b";
  CHECK(rendered("{{.Comm}}", facts) == "a\xEF\xBF\xBD\n\xEF\xBF\xBD");
  facts.command_line = tests::command_line_of({std::string(200'000, 'x')});
  CHECK(rendered("{{.ExeFull}}{{.ExeFull}}", facts) == std::string(kMaxGroupNameBytes, 'x'));
  CHECK(rendered("{{.Comm}}{{.ExeFull}}", facts).size() == kMaxGroupNameBytes);
}

TEST_CASE("bounded_text cuts between characters") {
  const std::string euro = "\xE2\x82\xAC";
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(bounded_text("", 3).empty());
  CHECK(bounded_text("abc", 3) == "abc");
  CHECK(bounded_text("abcd", 3) == "abc");
  CHECK(bounded_text(euro, 3) == euro);
  CHECK(bounded_text(euro, 2).empty());
  CHECK(bounded_text("ab" + euro, 4) == "ab");
  CHECK(bounded_text("\xF0\x9F\x98\x80", 3).empty());
  CHECK(bounded_text("ab" + euro + "c", 5) == "ab" + euro);
  CHECK(bounded_text("\xff\xff", 5) == bad);
  CHECK(bounded_text("\xff\xff", 6) == bad + bad);
  CHECK(bounded_text(std::string("a\0b", 3), 9) == "a" + bad + "b");
  CHECK(bounded_text("abc", 0).empty());
}

TEST_CASE("a name template survives truncation and damage") {
  tests::survives_truncation_and_damage(
      "{{.Comm}}:{{ .ExeBase }}-{{.Matches.x}}{{.Cgroups}}{{.StartTime}}",
      [](const std::string& text) {
        if (const auto parsed = NameTemplate::parse(text)) {
          return parsed->render(postgres(), {{"x", "\xff"}});
        }
        return std::string();
      });
}
