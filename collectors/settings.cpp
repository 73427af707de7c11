#include "collectors/settings.hpp"

#include <stdexcept>
#include <utility>

#include "procfs/text.hpp"

namespace collectors {

std::string key_of(std::string_view collector, const Setting& setting) {
  std::string key(collector);
  if (!setting.name.empty()) key.append(".").append(setting.name);
  return key;
}

namespace {

[[noreturn]] void refuse(std::string_view collector, const Setting& setting,
                         const std::string& value, const std::string& allowed) {
  throw std::invalid_argument("--collector." + key_of(collector, setting) + ": '" + value +
                              "' is not " + allowed);
}

}  // namespace

void Settings::set(std::string key, std::vector<std::string> values) {
  given_.insert_or_assign(std::move(key), std::move(values));
}

std::vector<std::string> Settings::texts(std::string_view collector, const Setting& setting) const {
  const auto found = given_.find(key_of(collector, setting));
  if (found != given_.end()) return found->second;
  if (setting.default_value.empty()) return {};
  return {std::string(setting.default_value)};
}

std::string Settings::text(std::string_view collector, const Setting& setting) const {
  auto all = texts(collector, setting);
  return all.empty() ? "" : std::move(all.back());
}

std::uint64_t Settings::number(std::string_view collector, const Setting& setting,
                               std::uint64_t least, std::uint64_t most) const {
  const auto value = text(collector, setting);
  std::uint64_t number = 0;
  if (!procfs::to_number(value, number) || number < least || number > most) {
    refuse(collector, setting, value,
           "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

double Settings::share(std::string_view collector, const Setting& setting) const {
  constexpr double kWhole = 100;
  const auto value = text(collector, setting);
  double percent = 0;
  const bool is_percentage =
      value.ends_with('%') &&
      procfs::to_number(std::string_view(value).substr(0, value.size() - 1), percent);
  if (!is_percentage || !(percent > 0 && percent <= kWhole)) {
    refuse(collector, setting, value, "a percentage above 0% and up to 100%, such as 0.5%");
  }
  return percent / kWhole;
}

bool Settings::truth(std::string_view collector, const Setting& setting) const {
  const auto value = text(collector, setting);
  if (value != "true" && value != "false") refuse(collector, setting, value, "true or false");
  return value == "true";
}

}  // namespace collectors
