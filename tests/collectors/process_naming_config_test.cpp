#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "collectors/process/naming_config.hpp"
#include "metrics/escape.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::NamingConfig;
using collectors::parse_naming_config;

namespace {

const std::string kWhole = R"(# The example of process-exporter's README, more or less.
process_names:
  - comm: [bash, "sh", 123]
  - name: "{{.ExeFull}}:{{.Matches.Cfgfile}}"
    exe:
      - /usr/local/bin/process-exporter
      - postgres
    cmdline:
      - -config.path\s+(?P<Cfgfile>\S+)
      - '-debug'
  - &any
    name: any
    cmdline: ['.+']
  - *any
)";

std::string problem_of(const std::string& text) {
  const auto config = parse_naming_config(text, "groups.yml");
  REQUIRE_FALSE(config);
  CHECK(config.error().code == metrics::Errc::malformed);
  return config.error().detail;
}

std::string repeated(std::size_t count, const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("parse_naming_config reads process-exporter's configuration") {
  const auto config = parse_naming_config(kWhole, "groups.yml");
  REQUIRE(config);
  REQUIRE(config->rules.size() == 4);
  const auto& bash = config->rules[0];
  CHECK(bash.comms == std::vector<std::string>{"bash", "sh", "123"});
  CHECK(bash.exes.empty());
  CHECK(bash.command_line.empty());
  const auto& exporter = config->rules[1];
  CHECK(exporter.comms.empty());
  CHECK(exporter.exes == std::vector<std::string>{"/usr/local/bin/process-exporter", "postgres"});
  REQUIRE(exporter.command_line.size() == 2);
  REQUIRE(exporter.command_line[0].captures.size() == 1);
  CHECK(exporter.command_line[0].captures[0].name == "Cfgfile");
  CHECK(exporter.command_line[0].captures[0].group == 1);
  CHECK(exporter.command_line[1].captures.empty());
  CHECK(config->rules[3].command_line.size() == 1);
}

TEST_CASE("a name that is not given is the executable's") {
  const auto* const entry = GENERATE("", "\n  name:", "\n  name: ''");
  const auto config =
      parse_naming_config(std::string("process_names:\n- comm: [a]") + entry, "groups.yml");
  if (std::string_view(entry).ends_with(':')) {
    CHECK_FALSE(config);  // Forgotten.
    return;
  }
  REQUIRE(config);
  collectors::ProcessFacts facts;
  facts.command_line = tests::command_line_of({"/bin/sleep"});
  CHECK(config->rules.front().name.render(facts, {}) == "sleep");
}

TEST_CASE("a bad configuration is one line with its place, what is wrong and what is allowed") {
  const auto [text, problem] = GENERATE(table<std::string, const char*>({
      {"", "1: process_names is missing; allowed is a list of entries under it"},
      {"# nothing\n", "1: process_names is missing"},
      {"{}", "1: process_names is missing"},
      {"[]", "1: must be a map with the one key process_names"},
      {"x", "1: must be a map"},
      {"process_name: []", "1: 'process_name' is no key here; allowed: process_names"},
      {"process_names: [{comm: [a]}]\n\nother: 1", "3: 'other' is no key here"},
      {"process_names: [{comm: [a]}]\nprocess_names: [{comm: [a]}]", "2: 'process_names' is there"},
      {"? [a]\n: b", "1: '' is no key here"},
      {"process_names:", "1: process_names must be a list of at least one entry"},
      {"process_names: []", "1: process_names must be a list of at least one entry"},
      {"process_names:\n  x: 1", "2: process_names must be a list of at least one entry"},
      {"process_names: [{comm: [a]}]\n---\nprocess_names: []", "2: more than one document"},

      {"process_names:\n- 3", "2: an entry of process_names must be a map of name, comm, exe and"},
      {"process_names:\n- comm: [a]\n-", "an entry of process_names must be a map"},
      {"process_names:\n- name: x", "2: an entry of process_names must have at least one of comm"},
      {"process_names:\n- comm: [a]\n  foo: [b]",
       "3: 'foo' is no key here; allowed: name, comm, exe, cmdline"},
      {"process_names:\n- comm: [a]\n  comm: [b]", "3: 'comm' is there twice"},
      {"process_names:\n- comm: a", "2: 'comm' must be a list of at least one text, as [text]"},
      {"process_names:\n- exe:", "2: 'exe' must be a list"},
      {"process_names:\n- cmdline: []", "2: 'cmdline' must be a list"},
      {"process_names:\n- cmdline: {a: b}", "2: 'cmdline' must be a list"},
      {"process_names:\n- comm: [a]\n- comm:\n  - b\n  - [c]",
       "5: an entry of 'comm' must be a te"},
      {"process_names:\n- exe: [~]", "2: an entry of 'exe' must be a text"},
      {"process_names:\n- comm: [a]\n  name: [b]", "3: 'name' must be a text, as '{{.Comm}}'"},
      {"process_names:\n- comm: [a]\n  name:", "3: 'name' must be a text"},

      {"process_names:\n- cmdline:\n  - a\n  - b(",
       "4: cmdline 'b(': missing ): b(; allowed is the syntax of Go's regexp (RE2)"},
      {"process_names:\n- cmdline: ['(?=x)']", "2: cmdline '(?=x)': "},
      {"process_names:\n- cmdline: ['(((a{100}){100}){100})']", "2: cmdline "},
      {"process_names:\n- cmdline: ['(\\pL{100}){9}\\pN{900}']", "2: cmdline "},
      {"process_names:\n- cmdline: [\"a\\n(\"]", "2: cmdline 'a ('"},
      {"process_names:\n- comm: [a]\n  name: '{{.Foo}}'",
       "3: name '{{.Foo}}': column 1: '.Foo' is no field; allowed are {{.Comm}}, "},
      {"process_names:\n- comm: [a]\n  name: 'x{{.Comm'",
       "3: name 'x{{.Comm': column 2: {{ has no"},
      {"process_names:\n- name: '{{.Matches.x}}'\n  cmdline: ['(?P<y>.)']",
       "2: name: {{.Matches.x}} needs a group (?P<x>...) in its cmdline"},
      {"process_names:\n- name: '{{.Matches.x}}'\n  comm: [a]", "2: name: {{.Matches.x}} needs"},

      {"process_names:\n- comm: [a", "end of sequence flow not found"},
      {"process_names:\n\t- comm: [a]", "2: "},
      {"process_names: *x", "1: "},
      {"process_names:\n- comm: [a]\n name: x", "3: "},
      {"\xff\xfe\xff", ":1: "},
      // YAML::LoadAll() of yaml-cpp 0.7 makes empty documents of this until the memory is gone.
      {"# a\n, b\nprocess_names:\n- comm: [a]\n", "2: more than one document"},
      {"process_names: [{comm: [a]}]\n]", "2: "},
  }));
  INFO(text);
  const auto detail = problem_of(text);
  CHECK_THAT(detail, Catch::StartsWith("groups.yml:") && Catch::Contains(problem));
  CHECK(detail.find('\n') == std::string::npos);
  CHECK(metrics::repaired(detail) == detail);
}

TEST_CASE("a configuration is bounded, aliases included") {
  const auto [what, text, problem] = GENERATE(table<const char*, std::string, const char*>({
      {"size", std::string(NamingConfig::kMaxBytes + 1, '#'), "1: too long"},
      {"entries", "process_names:\n" + repeated(NamingConfig::kMaxRules + 1, "- comm: [a]\n"),
       "1002: too many entries; allowed are 1000"},
      {"a regular expression", "process_names:\n- cmdline: [" + std::string(4097, 'a') + "]",
       "2: a regular expression of cmdline is too long"},
      {"regular expressions of one", "process_names:\n- cmdline: [" + repeated(1001, "a, ") + "]",
       "2: 'cmdline' is too long"},
      {"regular expressions of all",
       "process_names:\n- cmdline: [" + repeated(999, "a, ") + "]\n- cmdline: [a, b]",
       "3: too many regular expressions; allowed are 1000"},
      {"texts by aliases",
       "process_names:\n- comm: &x [" + repeated(50'000, "a, ") + "]\n- exe: *x\n- comm: *x",
       "4: too many texts; allowed are 100000"},
      {"depth", "process_names: " + std::string(100'000, '['), ":1: "},
      {"depth of maps", repeated(100'000, "{a: "), ":1: "},
      {"depth of blocks", repeated(100'000, "- "), ":1: "},
  }));
  INFO(what);
  CHECK_THAT(problem_of(text), Catch::Contains(problem));
}

TEST_CASE("a configuration's text survives truncation and damage") {
  const auto parse = [](const std::string& text) { return parse_naming_config(text, "x.yml"); };
  tests::survives_truncation_and_damage(
      "# A\nprocess_names:\n- {name: \"{{.Comm}}\", comm: &c [a, 'b']}\n- exe: *c\n  cmdline:\n"
      "  - -x (?P<y>\\S+)\n",
      parse);
  std::mt19937 random(1);  // NOLINT: the same every time, so that a failure can be repeated.
  const std::string alphabet = "[]{}:,-?&*!|>'\"%@`#\n \t\\~a1.<(\xff\0";
  for (int round = 0; round < 500; ++round) {
    auto text = round % 2 == 0 ? kWhole : std::string(random() % 100, ' ');
    for (int i = 0; i < 20 && !text.empty(); ++i) {
      text[random() % text.size()] = alphabet[random() % alphabet.size()];
    }
    (void)parse(text);
  }
}
