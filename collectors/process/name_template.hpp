// The name of a group as process-exporter's configuration writes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/process/facts.hpp"
#include "metrics/result.hpp"

namespace collectors {

/// Texts of the named groups (?P<x>...) of a rule's regular expressions, by x.
using Captures = std::map<std::string, std::string, std::less<>>;

/// Longer group names are cut.
inline constexpr std::size_t kMaxGroupNameBytes = 256;

/// What a part of a template stands for.
enum class NameField : std::uint8_t {
  literal,
  comm,
  exe_base,
  exe_full,
  user,
  pid,
  started_at,
  cgroups,
  capture,
};

/// Text with fields between {{ and }}. Of Go's templates only these, which render as there:
///   {{.Comm}}       the name in /proc/PID/stat
///   {{.ExeBase}}    what follows the last '/' of the first argument; .Comm without arguments
///   {{.ExeFull}}    the first argument; .Comm without arguments
///   {{.Username}}   the effective user's name, or its number
///   {{.PID}}        the pid
///   {{.StartTime}}  as 2026-11-24 18:34:50.84 +0000 UTC
///   {{.Cgroups}}    the paths in /proc/PID/cgroup, as [/a /b]
///   {{.Matches.x}}  what (?P<x>...) of the rule matched; "" where it took no part
/// A fact that is absent renders as "", but for the first argument, as said. Immutable.
class NameTemplate {
 public:
  /// Fails with `malformed` for anything else between braces, with its column and what is allowed.
  static metrics::Result<NameTemplate> parse(std::string_view text);

  /// Valid UTF-8 of at most kMaxGroupNameBytes; see bounded_text().
  [[nodiscard]] std::string render(const ProcessFacts& facts, const Captures& captures) const;
  [[nodiscard]] NeededFacts needs() const;
  /// Each x of a {{.Matches.x}}.
  [[nodiscard]] std::vector<std::string_view> captures() const;

 private:
  struct Part {
    NameField field;
    std::string text;  // of a literal, or the x of a capture
  };

  static std::string value_of(const Part& part, const ProcessFacts& facts,
                              const Captures& captures);

  std::vector<Part> parts_;
};

}  // namespace collectors
