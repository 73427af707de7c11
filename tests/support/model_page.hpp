// What the model server's counts look like on its page.
#pragma once

#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>
#include <string>

namespace tests {

/// The page with the families of `metrics` alone.
template <class Metrics>
std::string text_of(const Metrics& metrics) {
  return prometheus::TextSerializer().Serialize(metrics.families());
}

/// The value of the first series of that name which has these labels, spelled as on the page; NAN,
/// which equals nothing, when there is none.
template <class Metrics>
double value_of(const Metrics& metrics, const std::string& name, const std::string& labels = "",
                const std::string& more_labels = "") {
  std::istringstream text(text_of(metrics));
  for (std::string line; std::getline(text, line);) {
    const bool is_series = line.starts_with(name + "{") || line.starts_with(name + " ");
    if (is_series && line.find(labels) != std::string::npos &&
        line.find(more_labels) != std::string::npos) {
      return std::stod(line.substr(line.rfind(' ') + 1));
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace tests
