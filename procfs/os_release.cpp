#include "procfs/os_release.hpp"

#include <array>
#include <optional>

#include "procfs/text.hpp"

namespace procfs {
namespace {

constexpr std::string_view kBlanks = " \t";

struct Variable {
  std::string_view key;
  std::string OsRelease::*value;
};
constexpr std::array kVariables = {
    Variable{"BUILD_ID", &OsRelease::build_id},
    Variable{"ID", &OsRelease::id},
    Variable{"ID_LIKE", &OsRelease::id_like},
    Variable{"IMAGE_ID", &OsRelease::image_id},
    Variable{"IMAGE_VERSION", &OsRelease::image_version},
    Variable{"NAME", &OsRelease::name},
    Variable{"PRETTY_NAME", &OsRelease::pretty_name},
    Variable{"VARIANT", &OsRelease::variant},
    Variable{"VARIANT_ID", &OsRelease::variant_id},
    Variable{"VERSION", &OsRelease::version},
    Variable{"VERSION_CODENAME", &OsRelease::version_codename},
    Variable{"VERSION_ID", &OsRelease::version_id},
};

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// What a shell makes of the right side of an assignment, expansions apart. Nothing when a quote
/// or an escape has no end.
std::optional<std::string> unquote(std::string_view text) {
  constexpr std::string_view kEscapableInDoubleQuotes = "\"\\$`";
  std::string value;
  char quote = '\0';  // the one that is open
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char byte = text[at];
    if (byte == '\\' && quote != '\'') {
      if (++at == text.size()) return std::nullopt;
      const bool is_escape =
          quote == '\0' || kEscapableInDoubleQuotes.find(text[at]) != std::string_view::npos;
      if (!is_escape) value += byte;
      value += text[at];
    } else if (quote != '\0' && byte == quote) {
      quote = '\0';
    } else if (quote == '\0' && (byte == '"' || byte == '\'')) {
      quote = byte;
    } else {
      value += byte;
    }
  }
  if (quote != '\0') return std::nullopt;
  return value;
}

}  // namespace

metrics::Result<OsRelease> parse_os_release(std::string_view text) {
  OsRelease release;
  bool found = false;
  while (!text.empty()) {
    const auto line = trim(take_line(text));
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    if (equals == 0 || equals == std::string_view::npos) return malformed("os-release", line);
    for (const auto& variable : kVariables) {
      if (line.substr(0, equals) != variable.key) continue;
      auto value = unquote(line.substr(equals + 1));
      if (!value) return malformed("os-release", line);
      release.*variable.value = *std::move(value);
      found = true;
    }
  }
  if (!found) return malformed("os-release", "no variable that is known");
  return release;
}

}  // namespace procfs
