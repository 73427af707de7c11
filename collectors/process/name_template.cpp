#include "collectors/process/name_template.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "collectors/process/bounded_text.hpp"

namespace collectors {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kCapture = ".Matches.";
constexpr std::string_view kAllowed =
    "allowed are {{.Comm}}, {{.ExeBase}}, {{.ExeFull}}, {{.Username}}, {{.PID}}, {{.StartTime}}, "
    "{{.Cgroups}} and {{.Matches.x}}";

constexpr std::array<std::pair<std::string_view, NameField>, 7> kFields = {{
    {".Comm", NameField::comm},
    {".ExeBase", NameField::exe_base},
    {".ExeFull", NameField::exe_full},
    {".Username", NameField::user},
    {".PID", NameField::pid},
    {".StartTime", NameField::started_at},
    {".Cgroups", NameField::cgroups},
}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_identifier(std::string_view text) {
  const auto is_letter = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  const auto is_allowed = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, is_allowed);
}

std::optional<NameField> field_of(std::string_view action) {
  const auto* const found = std::ranges::find(kFields, action, [](auto& row) { return row.first; });
  if (found != kFields.end()) return found->second;
  if (!action.starts_with(kCapture)) return std::nullopt;
  if (!is_identifier(action.substr(kCapture.size()))) return std::nullopt;
  return NameField::capture;
}

metrics::Error error_at(std::size_t offset, const std::string& what) {
  return {metrics::Errc::malformed,
          "column " + std::to_string(offset + 1) + ": " + what + "; " + std::string(kAllowed)};
}

std::string digits(std::uint64_t number, std::size_t width) {
  const auto text = std::to_string(number);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

/// As Go prints a time in UTC: fractions of a second without zeros at their end.
std::string time_text(std::chrono::sys_time<std::chrono::milliseconds> time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto two = [](auto count) { return digits(static_cast<std::uint64_t>(count), 2); };
  auto text = std::to_string(int(date.year())) + "-" + two(unsigned(date.month())) + "-" +
              two(unsigned(date.day())) + " " + two(clock.hours().count()) + ":" +
              two(clock.minutes().count()) + ":" + two(clock.seconds().count());
  if (const auto part = clock.subseconds().count(); part != 0) {
    text += "." + digits(static_cast<std::uint64_t>(part), 3);
    text.resize(text.find_last_not_of('0') + 1);
  }
  return text + " +0000 UTC";
}

std::string cgroups_text(const std::vector<procfs::ProcessCgroup>& cgroups) {
  std::string text = "[";
  for (const auto& cgroup : cgroups) {
    if (text.size() > 1) text += ' ';
    text += cgroup.path;
  }
  return text + "]";
}

}  // namespace

metrics::Result<NameTemplate> NameTemplate::parse(std::string_view text) {
  NameTemplate result;
  for (std::size_t at = 0; at < text.size();) {
    const auto open = std::min(text.find(kOpen, at), text.size());
    if (open > at) {
      result.parts_.push_back({NameField::literal, std::string(text.substr(at, open - at))});
    }
    if (open == text.size()) break;
    const auto begin = open + kOpen.size();
    const auto close = text.find(kClose, begin);
    if (close == std::string_view::npos) return error_at(open, "{{ has no }}");
    const auto action = trimmed(text.substr(begin, close - begin));
    const auto field = field_of(action);
    if (!field) return error_at(open, "'" + std::string(action) + "' is no field");
    const auto capture = *field == NameField::capture ? action.substr(kCapture.size()) : "";
    result.parts_.push_back({*field, std::string(capture)});
    at = close + kClose.size();
  }
  return result;
}

std::string NameTemplate::value_of(const Part& part, const ProcessFacts& facts,
                                   const Captures& captures) {
  switch (part.field) {
    case NameField::literal:
      return part.text;
    case NameField::comm:
      return facts.comm;
    case NameField::exe_base: {
      const auto full = first_argument(facts);
      return full ? std::string(base_name(*full)) : facts.comm;
    }
    case NameField::exe_full:
      return std::string(first_argument(facts).value_or(facts.comm));
    case NameField::user:
      return user_text(facts);
    case NameField::pid:
      return std::to_string(facts.pid);
    case NameField::started_at:
      return facts.started_at ? time_text(*facts.started_at) : "";
    case NameField::cgroups:
      return facts.cgroups ? cgroups_text(*facts.cgroups) : "";
    case NameField::capture:
      break;
  }
  const auto found = captures.find(part.text);
  return found == captures.end() ? "" : found->second;
}

std::string NameTemplate::render(const ProcessFacts& facts, const Captures& captures) const {
  std::string name;
  for (const auto& part : parts_) {
    name += value_of(part, facts, captures);
    if (name.size() > 2 * kMaxGroupNameBytes) break;  // The rest is cut off anyway.
  }
  return bounded_text(name, kMaxGroupNameBytes);
}

NeededFacts NameTemplate::needs() const {
  NeededFacts needs;
  for (const auto& part : parts_) {
    const auto field = part.field;
    needs.command_line |=
        field == NameField::exe_base || field == NameField::exe_full || field == NameField::capture;
    needs.user |= field == NameField::user;
    needs.started_at |= field == NameField::started_at;
    needs.cgroups |= field == NameField::cgroups;
  }
  return needs;
}

std::vector<std::string_view> NameTemplate::captures() const {
  std::vector<std::string_view> names;
  for (const auto& part : parts_) {
    if (part.field == NameField::capture) names.emplace_back(part.text);
  }
  return names;
}

}  // namespace collectors
