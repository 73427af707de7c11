#include "collectors/process/namer.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "collectors/process/bounded_text.hpp"
#include "metrics/escape.hpp"

namespace collectors {
namespace {

std::string_view default_name(const ProcessFacts& facts) {
  const std::string_view comm = facts.comm;
  if (!facts.is_kernel_thread) return comm;
  return comm.substr(0, comm.find_first_of("/:", 1));
}

/// Go takes a bad byte for U+FFFD, which any '.' matches; RE2 would match it with nothing.
std::string joined(const std::vector<std::string>& arguments) {
  std::string line;
  for (const auto& argument : arguments) {
    if (&argument != arguments.data()) line += ' ';
    line += argument;
    if (line.size() > GroupNamer::kMaxCommandLineBytes) break;
  }
  return bounded_text(line, GroupNamer::kMaxCommandLineBytes);
}

bool matches_comm(const NamingRule& rule, const ProcessFacts& facts) {
  return rule.comms.empty() || std::ranges::find(rule.comms, facts.comm) != rule.comms.end();
}

bool matches_exe(const NamingRule& rule, const ProcessFacts& facts) {
  if (rule.exes.empty()) return true;
  const auto full = first_argument(facts);
  if (!full) return false;
  const auto base = base_name(*full);
  return std::ranges::any_of(rule.exes, [&](std::string_view exe) {
    return exe == (exe.find('/') == std::string_view::npos ? base : *full);
  });
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

std::optional<std::string> GroupNamer::name(const ProcessFacts& facts) const {
  if (!config_) return bounded_text(default_name(facts), kMaxGroupNameBytes);
  std::optional<std::string> line;  // made once, and only when a rule comes as far as this
  for (const auto& rule : config_->rules) {
    if (!matches_comm(rule, facts) || !matches_exe(rule, facts)) continue;
    Captures captures;
    if (!rule.command_line.empty()) {
      if (!facts.command_line) continue;
      if (!line) line = joined(*facts.command_line);
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
