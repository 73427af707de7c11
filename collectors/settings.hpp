// Options of a collector's own: --collector.<collector>.<setting>.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace collectors {

/// Declared constexpr by the collector that reads it.
struct Setting {
  std::string_view name;           ///< As in --collector.<collector>.<name>; "" for the value of
                                   ///< --collector.<collector> itself, which switches it on.
  std::string_view summary;        ///< A line for --help.
  std::string_view default_value;  ///< What holds when it is not given; "" for nothing.
  bool is_repeatable = false;
};

/// What follows "--collector." in the setting's flag.
std::string key_of(std::string_view collector, const Setting& setting);

/// What was given on the command line or in the configuration file. A value that is not what it
/// must be throws std::invalid_argument, with a line that names the flag and what is allowed.
class Settings {
 public:
  /// `key` is what key_of() says.
  void set(std::string key, std::vector<std::string> values);

  /// All that was given for a repeatable setting, in order; its default, unless "", when nothing.
  [[nodiscard]] std::vector<std::string> texts(std::string_view collector,
                                               const Setting& setting) const;
  /// The last that was given, or the default.
  [[nodiscard]] std::string text(std::string_view collector, const Setting& setting) const;
  /// text() as a whole number from `least` to `most`.
  [[nodiscard]] std::uint64_t number(std::string_view collector, const Setting& setting,
                                     std::uint64_t least, std::uint64_t most) const;
  /// text() as a percentage such as "0.5%", above 0 and up to 100: as a share, 0.005.
  [[nodiscard]] double share(std::string_view collector, const Setting& setting) const;
  /// text() as "true" or "false".
  [[nodiscard]] bool truth(std::string_view collector, const Setting& setting) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
};

}  // namespace collectors
