#include "exporter/metric_list.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "collectors/catalog.hpp"
#include "exporter/pass.hpp"
#include "exporter/self_metrics.hpp"
#include "metrics/family_list.hpp"

namespace exporter {
namespace {

using metrics::FamilyList;
using metrics::ListedFamily;

struct Section {
  std::string_view name, summary;
  bool is_on;
  void (*list)(FamilyList& list);
};
constexpr std::array kOwnSections = {
    Section{"scrape", "How each collector did.", true, Pass::list},
    Section{"exporter", "The exporter itself; --web.disable-exporter-metrics leaves it out.", true,
            SelfMetrics::list},
};

std::string_view name_of(metrics::Kind kind) {
  static constexpr std::array<std::string_view, 5> kNames = {"gauge", "counter", "histogram",
                                                             "summary", "untyped"};
  return kNames.at(static_cast<std::size_t>(kind));
}

/// As far as the name tells it.
std::string unit_of(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kUnits = {
      "seconds", "bytes", "ratio", "percent", "cores", "pages", "sectors", "rpm"};
  constexpr std::string_view kRate = "_per_second";
  if (name.ends_with("_timestamp_seconds")) return "seconds";
  std::string unit;
  const bool is_rate = name.find(kRate) != std::string_view::npos;
  for (auto rest = name; !rest.empty();) {
    const auto word = rest.substr(0, rest.find('_'));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (std::ranges::find(kUnits, word) != kUnits.end()) unit = word;
  }
  if (is_rate) unit.append(unit.empty() ? "per second" : " per second");
  return unit;
}

std::string text_heading(const Section& section) {
  return std::string(section.name) + (section.is_on ? " (on): " : " (off): ") +
         std::string(section.summary) + "\n";
}

/// node_cpu_seconds_total{cpu,mode} (counter, seconds): ...
std::string text_line(const ListedFamily& family) {
  auto line = "  " + family.name;
  if (!family.labels.empty()) line += "{" + family.labels + "}";
  line.append(" (").append(name_of(family.kind));
  if (const auto unit = unit_of(family.name); !unit.empty()) line += ", " + unit;
  if (!family.condition.empty()) line.append("; only ").append(family.condition);
  return line + "): " + family.help + "\n";
}

/// Text in which nothing is Markdown's.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    if (std::string_view("<*|\\").find(letter) != std::string_view::npos) safe += '\\';
    safe += letter;
  }
  return safe;
}

std::string markdown_heading(const Section& section) {
  return "\n## " + std::string(section.name) + "\n\n" + escaped(section.summary) +
         (section.is_on ? "" : " Off by default.") +
         "\n\n| metric | type | unit | labels | what |\n|---|---|---|---|---|\n";
}

std::string markdown_line(const ListedFamily& family) {
  std::string labels;
  for (const char letter : family.labels) labels += letter == ',' ? "`, `" : std::string(1, letter);
  if (!labels.empty()) labels = "`" + labels + "`";
  auto what = escaped(family.help);
  if (!what.ends_with('.')) what += '.';
  if (!family.condition.empty()) what.append(" Only ").append(family.condition).append(".");
  return "| `" + family.name + "` | " + std::string(name_of(family.kind)) + " | " +
         unit_of(family.name) + " | " + labels + " | " + what + " |\n";
}

}  // namespace

std::string metric_list(MetricListFormat format) {
  const bool is_text = format == MetricListFormat::text;
  std::string all;
  const auto add = [&](const Section& section) {
    FamilyList list;
    section.list(list);
    if (list.families().empty()) return;
    all += is_text ? text_heading(section) : markdown_heading(section);
    for (const auto& family : list.families()) {
      all += is_text ? text_line(family) : markdown_line(family);
    }
  };
  for (const auto* spec : collectors::catalog()) {
    add({spec->name, spec->summary, spec->enabled_by_default, spec->list});
  }
  for (const auto& section : kOwnSections) add(section);
  return all;
}

}  // namespace exporter
