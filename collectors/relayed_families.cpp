#include "collectors/relayed_families.hpp"

#include <algorithm>
#include <array>

#include "collectors/reserved_names.hpp"
#include "metrics/exposition_family.hpp"
#include "metrics/text_encoder.hpp"

namespace collectors {
namespace {

bool has_label(metrics::Labels labels, std::string_view name) {
  return std::any_of(labels.begin(), labels.end(),
                     [name](const metrics::Label& label) { return label.name == name; });
}

/// As Prometheus calls a label that is in the way of one of its own.
std::string moved_name(std::string_view label) { return std::string("exported_").append(label); }

/// Whether every sample can have the source's label, keep its own, and be no other's series then.
bool can_be_labelled(const metrics::ExposedFamily& exposed, std::string_view name) {
  return !has_label(exposed.labels, name) || !has_label(exposed.labels, moved_name(name));
}

}  // namespace

std::string_view RelayedFamilies::name_of(Refusal refusal) {
  static constexpr std::array<std::string_view, 5> kNames = {"reserved", "type", "duplicate",
                                                             "label", "help"};
  return kNames.at(static_cast<std::size_t>(refusal));
}

std::vector<RelayedFamilies::Refused> RelayedFamilies::add(const metrics::Exposition& page,
                                                           const Source& source) {
  std::vector<Refused> refused;
  for (const auto& exposed : page.families) {
    const auto refusal = add_family(exposed, source);
    if (refusal) refused.push_back({*refusal, exposed.family.name});
  }
  return refused;
}

std::optional<RelayedFamilies::Refusal> RelayedFamilies::add_family(
    const metrics::ExposedFamily& exposed, const Source& source) {
  const auto names = metrics::names_on_page(exposed.family);
  if (std::any_of(names.begin(), names.end(), is_reserved_name)) return Refusal::reserved;
  if (!source.label.name.empty() && !can_be_labelled(exposed, source.label.name)) {
    return Refusal::label;
  }
  const auto known = claims_.find(names.front());
  if (known != claims_.end() && groups_[known->second].family.name == exposed.family.name) {
    return extend(groups_[known->second], exposed, source);
  }
  if (std::any_of(names.begin(), names.end(),
                  [this](const std::string& name) { return claims_.contains(name); })) {
    return Refusal::duplicate;
  }
  for (const auto& name : names) claims_.emplace(name, groups_.size());
  auto& group = groups_.emplace_back();
  group.family = exposed.family;
  group.has_help = !exposed.family.help.empty();
  if (!group.has_help) group.family.help = source.help;
  group.parts.push_back({&exposed, source.label});
  return std::nullopt;
}

std::optional<RelayedFamilies::Refusal> RelayedFamilies::extend(
    Group& group, const metrics::ExposedFamily& exposed, const Source& source) {
  if (group.family.kind != exposed.family.kind) return Refusal::type;
  if (source.label.name.empty()) {  // or the label tells the series apart
    if (group.series.empty()) group.series = metrics::series_of(*group.parts.front().exposed);
    const auto series = metrics::series_of(exposed);
    if (std::any_of(series.begin(), series.end(),
                    [&](const std::string& key) { return group.series.contains(key); })) {
      return Refusal::duplicate;
    }
    group.series.insert(series.begin(), series.end());
  }
  group.parts.push_back({&exposed, source.label});
  const auto help = exposed.family.help;
  if (help.empty() || help == group.family.help) return std::nullopt;
  if (group.has_help) return Refusal::help;
  group.family.help = help;
  group.has_help = true;
  return std::nullopt;
}

void RelayedFamilies::clear() {
  groups_.clear();
  claims_.clear();
}

void RelayedFamilies::emit(metrics::Sink& sink) const {
  std::vector<metrics::Label> labels;
  for (const auto& group : groups_) {
    sink.family(group.family);
    for (const auto& [exposed, own] : group.parts) {
      const auto moved = moved_name(own.name);
      for (const auto& sample : exposed->samples) {
        const auto given = exposed->labels_of(sample);
        labels.assign(given.begin(), given.end());
        if (!own.name.empty()) {
          for (auto& label : labels) {
            if (label.name == own.name) label.name = moved;
          }
          labels.push_back(own);
        }
        sink.part(sample.suffix, labels, sample.value);
      }
    }
  }
}

}  // namespace collectors
