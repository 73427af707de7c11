// Pages of others, as a test wants to see them.
#pragma once

#include <string>

#include "metrics/exposition_parser.hpp"
#include "metrics/text_encoder.hpp"

namespace tests {

/// What was read, as a page.
inline std::string written(const metrics::Exposition& page,
                           metrics::TextFormat format = metrics::TextFormat::prometheus_0_0_4) {
  metrics::TextEncoder encoder(format);
  for (const auto& family : page.families) {
    encoder.family(family.family);
    for (const auto& sample : family.samples) {
      encoder.part(sample.suffix, family.labels_of(sample), sample.value);
    }
  }
  encoder.finish();
  return std::string(encoder.text());
}

/// "reason line family", one behind the other.
inline std::string refusals(const metrics::Exposition& page) {
  std::string all;
  for (const auto& [why, line, family] : page.refused) {
    if (!all.empty()) all += ", ";
    all.append(name_of(why)).append(" ").append(std::to_string(line));
    if (!family.empty()) all.append(" ").append(family);
  }
  return all;
}

}  // namespace tests
