#include "collectors/process/namer.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "collectors/process/bounded_text.hpp"
#include "metrics/escape.hpp"

namespace collectors {
namespace {

/// Go takes a bad byte for U+FFFD, which any '.' matches; RE2 would match it with nothing.
std::string joined(std::string_view arguments) {
  if (arguments.ends_with('\0')) arguments.remove_suffix(1);
  // Cut before it is copied, but behind the last character that may count.
  std::string line(arguments.substr(0, GroupNamer::kMaxCommandLineBytes + 4));
  std::ranges::replace(line, '\0', ' ');
  return bounded_text(line, GroupNamer::kMaxCommandLineBytes);
}

bool matches_comm(const NamingRule& rule, const ProcessFacts& facts) {
  return rule.comms.empty() || std::ranges::find(rule.comms, facts.comm) != rule.comms.end();
}

/// Whether only its comm is left of a process that had arguments, and stands for them.
bool is_known_by_comm(const ProcessFacts& facts) {
  return !facts.is_kernel_thread && !first_argument(facts);
}

/// Whether the kernel calls a process so that runs `exe`: its start, where it is long.
bool is_comm_of(std::string_view exe, std::string_view comm) {
  constexpr std::size_t kLongestComm = 15;
  const auto base = base_name(exe);
  return comm.size() < kLongestComm ? base == comm : base.starts_with(comm);
}

bool matches_exe(const NamingRule& rule, const ProcessFacts& facts) {
  if (rule.exes.empty()) return true;
  if (is_known_by_comm(facts)) {
    return std::ranges::any_of(rule.exes,
                               [&](std::string_view exe) { return is_comm_of(exe, facts.comm); });
  }
  const auto full = first_argument(facts);
  if (!full) return false;
  const auto base = base_name(*full);
  return std::ranges::any_of(rule.exes, [&](std::string_view exe) {
    return exe == (exe.find('/') == std::string_view::npos ? base : *full);
  });
}

std::string seen_line_of(const ProcessFacts& facts) {
  return joined(is_known_by_comm(facts) ? facts.comm : facts.command_line.value_or(""));
}

/// Adds what the pattern captured; false when it is not found.
bool find_pattern(const CommandLinePattern& pattern, const std::string& line, Captures& captures) {
  std::size_t count = 0;
  for (const auto& capture : pattern.captures) count = std::max(count, capture.group + 1);
  std::vector<re2::StringPiece> found(count);
  if (!pattern.regex->Match(line, 0, line.size(), re2::RE2::UNANCHORED, found.data(),
                            static_cast<int>(count))) {
    return false;
  }
  for (const auto& [group, name] : pattern.captures) {
    captures.insert_or_assign(name, std::string(found[group]));
  }
  return true;
}

}  // namespace

std::string_view plain_name(std::string_view comm, bool is_kernel_thread) {
  return is_kernel_thread ? comm.substr(0, comm.find_first_of("/:", 1)) : comm;
}

std::optional<std::string> GroupNamer::name(const ProcessFacts& facts) const {
  if (!config_)
    return bounded_text(plain_name(facts.comm, facts.is_kernel_thread), kMaxGroupNameBytes);
  std::optional<std::string> line;  // made once, and only when a rule comes as far as this
  for (const auto& rule : config_->rules) {
    if (!matches_comm(rule, facts) || !matches_exe(rule, facts)) continue;
    Captures captures;
    if (!rule.command_line.empty()) {
      if (!line) line = seen_line_of(facts);
      const auto is_found = [&](const auto& pattern) {
        return find_pattern(pattern, *line, captures);
      };
      if (!std::ranges::all_of(rule.command_line, is_found)) continue;
    }
    return rule.name.render(facts, captures);
  }
  return std::nullopt;
}

NeededFacts GroupNamer::needs() const {
  NeededFacts needs;
  if (!config_) return needs;
  for (const auto& rule : config_->rules) {
    needs |= rule.name.needs();
    needs.command_line |= !rule.exes.empty() || !rule.command_line.empty();
  }
  return needs;
}

}  // namespace collectors
