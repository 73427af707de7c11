#include "exporter/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "collectors/catalog.hpp"
#include "exporter/duration.hpp"
#include "exporter/metric_list.hpp"
#include "exporter/version.hpp"

namespace exporter {
namespace {

// std::map, because CLI11 lists the allowed names from it.
const std::map<std::string, LogLevel> kLogLevels = {{"debug", LogLevel::debug},
                                                    {"info", LogLevel::info},
                                                    {"warn", LogLevel::warn},
                                                    {"error", LogLevel::error}};
const std::map<std::string, MetricListFormat> kMetricListFormats = {
    {"text", MetricListFormat::text}, {"markdown", MetricListFormat::markdown}};
const std::map<std::string, LogFormat> kLogFormats = {{"logfmt", LogFormat::logfmt},
                                                      {"json", LogFormat::json}};

struct Switches {
  CLI::Option* on = nullptr;   // a flag that may be given as false, too, or takes values
  CLI::Option* off = nullptr;  // null for the flag
};

/// What CLI11 writes into before it is checked and becomes Options.
struct Raw {
  Options options;
  std::string window = "5m";
  std::string sample_interval = "1s";
  std::string log_level = "info";
  std::string log_format = "logfmt";
  bool disable_exporter_metrics = false;
  bool disable_defaults = false;
  bool list_collectors = false;
  std::string list_metrics;  // in which format
  std::map<const collectors::CollectorSpec*, Switches> collector_flags;
};

std::string check_duration(const std::string& text) {
  if (parse_duration(text)) return {};
  return "'" + text + "' is not a duration such as 5m, 1h30m or 500ms";
}

std::string check_path(const std::string& text) {
  const bool is_path = text.starts_with('/') && text.find_first_of("?#% ") == std::string::npos;
  if (is_path && !text.starts_with("/-/")) return {};
  return "'" + text + "' is not a path such as /metrics";
}

template <class Value>
CLI::IsMember names_of(const std::map<std::string, Value>& values) {
  std::vector<std::string> names;
  names.reserve(values.size());
  for (const auto& [name, value] : values) names.push_back(name);
  return CLI::IsMember(names);
}

/// What a value may be is the collector's business, when it is made.
CLI::Option* add_setting(CLI::App& app, const collectors::CollectorSpec& spec,
                         const collectors::Setting& setting, collectors::Settings& settings) {
  const auto key = collectors::key_of(spec.name, setting);
  auto summary = std::string(setting.summary);
  if (setting.is_repeatable) summary += "; may be repeated";
  auto* option = app.add_option_function<std::vector<std::string>>(
      "--collector." + key,
      [&settings, key](const std::vector<std::string>& values) { settings.set(key, values); },
      summary);
  option->group("Collectors")->default_str(std::string(setting.default_value));
  if (setting.is_repeatable) {
    option->take_all()->allow_extra_args(false);
  } else {
    option->expected(1);
  }
  return option;
}

/// The flags of a collector. The one that switches it on may have a value, such as what to read.
void add_collector(CLI::App& app, Raw& raw, const collectors::CollectorSpec* spec) {
  const auto flag = std::string("--collector.").append(spec->name);
  const auto no_flag = std::string("--no-collector.").append(spec->name);
  const std::string summary(spec->summary);  // an lvalue: CLI11 tells a text from a target so
  auto& switches = raw.collector_flags[spec];
  for (const auto& setting : spec->settings) {
    auto* option = add_setting(app, *spec, setting, raw.options.settings);
    if (setting.name.empty()) switches.on = option;
  }
  if (switches.on == nullptr) {
    switches.on = app.add_flag(flag + ",!" + no_flag, summary)->group("Collectors");
  } else {
    const auto off = "No: " + summary;
    switches.off = app.add_flag(no_flag, off)->group("Collectors");
  }
}

void add_options(CLI::App& app, Raw& raw) {
  auto& options = raw.options;
  app.add_option("--web.listen-address", options.listen_addresses,
                 "Where to answer: host:port, [v6]:port or :port; may be repeated")
      ->take_all()
      ->capture_default_str();
  app.add_option("--web.telemetry-path", options.telemetry_path, "Path of the metrics page")
      ->check(check_path)
      ->capture_default_str();
  app.add_option("--web.max-connections", options.max_connections,
                 "Connections at once, a quarter of them from one address")
      ->check(CLI::Range(4, 65536))
      ->capture_default_str();
  app.add_flag("--web.disable-exporter-metrics", raw.disable_exporter_metrics,
               "Leave out what the exporter says of its own process and requests");
  app.add_option("--path.procfs", options.proc_path, "Where procfs is mounted")
      ->capture_default_str();
  app.add_option("--path.sysfs", options.sys_path, "Where sysfs is mounted")->capture_default_str();
  app.add_option("--path.rootfs", options.root_path, "Where the host's root is mounted")
      ->capture_default_str();
  app.add_option("--window", raw.window, "Time that cpu_percent is averaged over")
      ->check(check_duration)
      ->capture_default_str();
  app.add_option("--sample-interval", raw.sample_interval, "Time between two samples")
      ->check(check_duration)
      ->capture_default_str();
  app.add_option("--log.level", raw.log_level, "Least level to log")
      ->check(names_of(kLogLevels))
      ->capture_default_str();
  app.add_option("--log.format", raw.log_format, "Format of the log")
      ->check(names_of(kLogFormats))
      ->capture_default_str();
  app.add_flag("--collector.disable-defaults", raw.disable_defaults,
               "Run only the collectors that are asked for");
  app.add_flag("--list-collectors", raw.list_collectors, "Print the collectors and exit");
  app.add_flag("--list-metrics{text}", raw.list_metrics,
               "Print every metric that any host may have, as text or =markdown, and exit")
      ->check(names_of(kMetricListFormats));
  for (const auto* spec : collectors::catalog()) {
    add_collector(app, raw, spec);
  }
}

std::string list_collectors() {
  std::string text;
  for (const auto* spec : collectors::catalog()) {
    text.append(spec->name).append(spec->enabled_by_default ? " (on): " : " (off): ");
    text.append(spec->summary).append("\n");
  }
  return text;
}

bool is_on(const Switches& switches, bool is_default) {
  if (switches.on->count() == 0) return is_default;
  if (switches.off != nullptr) return switches.off->count() == 0;
  return switches.on->as<bool>();
}

std::variant<Options, Exit> resolve(Raw raw) {
  if (raw.list_collectors) return Exit{.code = 0, .text = list_collectors()};
  if (!raw.list_metrics.empty()) {
    return Exit{.code = 0, .text = metric_list(kMetricListFormats.at(raw.list_metrics))};
  }
  auto& options = raw.options;
  options.has_exporter_metrics = !raw.disable_exporter_metrics;
  options.window = *parse_duration(raw.window);
  options.sample_interval = *parse_duration(raw.sample_interval);
  options.log_level = kLogLevels.at(raw.log_level);
  options.log_format = kLogFormats.at(raw.log_format);
  if (options.window < options.sample_interval) {
    return Exit{.code = 1, .text = "--window must not be shorter than --sample-interval"};
  }
  constexpr int kMostSamples = 100'000;  // a window keeps them all
  if (options.window / options.sample_interval > kMostSamples) {
    return Exit{.code = 1, .text = "--window must not hold more than 100000 --sample-intervals"};
  }
  for (const auto* spec : collectors::catalog()) {
    const bool is_default = spec->enabled_by_default && !raw.disable_defaults;
    if (is_on(raw.collector_flags.at(spec), is_default)) options.collectors.push_back(spec);
  }
  return std::move(options);
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::variant<Options, Exit> parse_options(int argc, const char* const* argv) {
  CLI::App app("Host metrics for Prometheus, right at a 5-minute scrape.", "resource_exporter");
  Raw raw;
  add_options(app, raw);
  app.set_version_flag("--version", version_text());
  app.set_config("--config.file", "", "TOML file with any of these options, without the dashes");
  // A dot belongs to the option's name and does not open a section.
  const auto config = std::make_shared<CLI::ConfigTOML>();
  config->parentSeparator('\0');
  app.config_formatter(config);
  app.allow_config_extras(false);
  try {
    app.parse(argc, argv);
    return resolve(std::move(raw));        // a flag's value is converted only now
  } catch (const CLI::Success& request) {  // --help, --version
    std::ostringstream text;
    app.exit(request, text, text);
    return Exit{.code = 0, .text = text.str()};
  } catch (const CLI::Error& error) {
    return Exit{.code = 1, .text = one_line(error.what()) + "; see --help"};
  }
}

}  // namespace exporter
