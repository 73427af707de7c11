#include "exporter/options.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using exporter::Exit;
using exporter::Options;

namespace {

std::variant<Options, Exit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "resource_exporter");
  return exporter::parse_options(static_cast<int>(arguments.size()), arguments.data());
}

Options options_of(const std::vector<const char*>& arguments) {
  auto parsed = parse(arguments);
  if (const auto* exit = std::get_if<Exit>(&parsed)) FAIL(exit->text);
  return std::get<Options>(std::move(parsed));
}

Exit exit_of(const std::vector<const char*>& arguments) {
  auto parsed = parse(arguments);
  REQUIRE(std::holds_alternative<Exit>(parsed));
  return std::get<Exit>(std::move(parsed));
}

/// How many collectors run when nobody says anything.
std::size_t default_count() {
  const auto all = collectors::catalog();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [](const auto* spec) { return spec->enabled_by_default; }));
}

std::vector<std::string> names_of(const Options& options) {
  std::vector<std::string> names;
  for (const auto* spec : options.collectors) names.emplace_back(spec->name);
  return names;
}

}  // namespace

TEST_CASE("without arguments everything is at its documented default") {
  const auto options = options_of({});
  CHECK(options.listen_addresses == std::vector<std::string>{":8888"});
  CHECK(options.telemetry_path == "/metrics");
  CHECK(options.max_connections == 256);
  CHECK(options.has_exporter_metrics);
  CHECK(options.proc_path == "/proc");
  CHECK(options.window == std::chrono::minutes(5));
  CHECK(options.sample_interval == std::chrono::seconds(1));
  CHECK(options.log_level == exporter::LogLevel::info);
  CHECK(options.collectors.size() == default_count());
}

TEST_CASE("the listen address may be given again and again") {
  const auto options =
      options_of({"--web.listen-address=127.0.0.1:1", "--web.listen-address", "[::1]:2"});
  CHECK(options.listen_addresses == std::vector<std::string>{"127.0.0.1:1", "[::1]:2"});
}

TEST_CASE("collectors are switched one by one") {
  SECTION("off") {
    const auto names = names_of(options_of({"--no-collector.cpu"}));
    CHECK(names.size() == default_count() - 1);
    CHECK(std::find(names.begin(), names.end(), "cpu") == names.end());
  }
  SECTION("only those asked for, in page order") {
    const auto options =
        options_of({"--collector.disable-defaults", "--collector.meminfo", "--collector.cpu"});
    CHECK(names_of(options) == std::vector<std::string>{"cpu", "meminfo"});
  }
}

TEST_CASE("a collector's own settings are flags of the form --collector.<collector>.<setting>") {
  constexpr collectors::Setting kMaxDevices = {"max-devices", "", "7"};
  const auto max_devices = [&](const std::vector<const char*>& arguments) {
    return options_of(arguments).settings.text("signals", kMaxDevices);
  };
  CHECK(max_devices({}) == "7");
  CHECK(max_devices({"--collector.signals.max-devices=64"}) == "64");
  CHECK(max_devices({"--collector.signals.max-devices", "64"}) == "64");
  // What it may be, the collector says when it is made.
  CHECK(max_devices({"--collector.signals.max-devices=many"}) == "many");
}

TEST_CASE("the flag of a collector that has one takes values, and they switch it on") {
  constexpr collectors::Setting kValue = {"", "", ""};
  const auto is_on = [](const Options& options) {
    const auto names = names_of(options);
    return std::find(names.begin(), names.end(), "upstream") != names.end();
  };
  CHECK_FALSE(is_on(options_of({})));
  const auto options = options_of({"--collector.upstream=a=http://b/", "--collector.upstream",
                                   "c=http://d/", "--collector.disable-defaults"});
  CHECK(names_of(options) == std::vector<std::string>{"upstream"});
  CHECK(options.settings.texts("upstream", kValue) ==
        std::vector<std::string>{"a=http://b/", "c=http://d/"});
  CHECK_FALSE(is_on(options_of({"--collector.upstream=a=http://b/", "--no-collector.upstream"})));
  tests::FileTree tree;
  tree.write("config.toml",
             "collector.upstream = [\"a=http://b/\", \"c=http://d/\"]\n"
             "collector.upstream.timeout = 100\n");
  const auto flag = "--config.file=" + (tree.path() / "config.toml").string();
  const auto configured = options_of({flag.c_str()});
  CHECK(is_on(configured));
  CHECK(configured.settings.texts("upstream", kValue).size() == 2);
  CHECK(configured.settings.text("upstream", {"timeout", "", ""}) == "100");
}

TEST_CASE("a mistake is one line that says what is allowed, and exit code 1") {
  const auto [argument, hint] = GENERATE(table<const char*, const char*>({
      {"--no-such-flag", "--no-such-flag"},
      {"stray", "stray"},
      {"--window=5", "not a duration such as 5m"},
      {"--window=500ms", "--window must not be shorter than --sample-interval"},
      {"--sample-interval=0s", "not a duration"},
      {"--sample-interval=1ms", "must not hold more than 100000"},
      {"--log.level=loud", "debug"},
      {"--log.format=xml", "logfmt"},
      {"--list-metrics=xml", "markdown"},
      {"--web.max-connections=0", "4"},
      {"--web.max-connections=many", "many"},
      {"--web.telemetry-path=metrics", "not a path such as /metrics"},
      {"--web.telemetry-path=/-/healthy", "not a path"},
      {"--collector.nothing", "--collector.nothing"},
      {"--collector.signals.nothing=1", "--collector.signals.nothing"},
      {"--collector.signals.max-devices", "--collector.signals.max-devices"},
      {"--collector.upstream", "--collector.upstream"},
      {"--config.file=/no/such/file", "/no/such/file"},
  }));
  INFO(argument);
  const auto exit = exit_of({argument});
  CHECK(exit.code == 1);
  CHECK_THAT(exit.text, Catch::Contains(hint));
  CHECK(exit.text.find('\n') == std::string::npos);
}

TEST_CASE("help, version and the list of collectors go to stdout with exit code 0") {
  const auto [argument, hint] = GENERATE(table<const char*, const char*>({
      {"--help", "--web.listen-address"},
      {"--help", "--collector.signals.max-devices"},
      {"--help", "Most disks, and most network devices"},
      {"--version", "resource_exporter, version "},
      {"--list-collectors", "meminfo (on): "},
      {"--list-collectors", "upstream (off): "},
      {"--list-metrics", "\n  node_cpu_seconds_total{cpu,mode} (counter, seconds): Time each CPU "},
      {"--list-metrics", "\n  host_disk_read_bytes_per_second_peak{device} (gauge, bytes per "},
      {"--list-metrics", "{groupname,reason} (counter; only with BPF or taskstats): "},
      {"--list-metrics=text", "upstream (off): "},
      {"--list-metrics=markdown", "\n## cpu\n\nTime of each CPU by mode (/proc/stat).\n\n| metric"},
      {"--list-metrics=markdown",
       "\n| `node_cpu_seconds_total` | counter | seconds | `cpu`, `mode` |"},
      {"--list-metrics=markdown", " | \\<field> of /proc/vmstat. |\n"},
  }));
  const auto exit = exit_of({argument});
  CHECK(exit.code == 0);
  CHECK_THAT(exit.text, Catch::Contains(hint));
}

TEST_CASE("the configuration file takes every option, and the command line wins over it") {
  tests::FileTree tree;
  tree.write("config.toml",
             "web.listen-address = [\"127.0.0.1:1\", \"[::1]:2\"]\n"
             "window = \"10m\"\n"
             "log.level = \"debug\"\n"
             "collector.cpu = false\n"
             "collector.signals.max-devices = 5\n"
             "collector.signals.virtual-devices = true\n");
  const auto flag = "--config.file=" + (tree.path() / "config.toml").string();
  const auto options = options_of({flag.c_str(), "--window=20m"});
  CHECK(options.listen_addresses == std::vector<std::string>{"127.0.0.1:1", "[::1]:2"});
  CHECK(options.window == std::chrono::minutes(20));
  CHECK(options.log_level == exporter::LogLevel::debug);
  CHECK(options.collectors.size() == default_count() - 1);
  CHECK(options.settings.text("signals", {"max-devices", "", ""}) == "5");
  CHECK(options.settings.truth("signals", {"virtual-devices", "", ""}));
}

TEST_CASE("an unknown key in the configuration file is a mistake, not a wish ignored") {
  tests::FileTree tree;
  tree.write("config.toml", "web.listen-adress = \":1\"\n");
  const auto exit = exit_of({("--config.file=" + (tree.path() / "config.toml").string()).c_str()});
  CHECK(exit.code == 1);
  CHECK_THAT(exit.text, Catch::Contains("web.listen-adress"));
}
