#include "collectors/process/naming_config.hpp"

#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "collectors/process/bounded_text.hpp"
#include "collectors/process/yaml_document.hpp"

namespace collectors {
namespace {

// What is wrong goes up as the exception that the library itself throws: a text and a place. It
// ends in parse_naming_config().
[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) {
  throw YAML::Exception(mark, what);
}

/// A piece of the file, so that a message stays readable whatever it is.
std::string quoted(std::string_view text) {
  constexpr std::size_t kShownBytes = 60;
  return "'" + bounded_text(text, kShownBytes) + "'";
}

/// Calls `use(key, value)` for each entry of a map, whose keys must be of `allowed` and differ.
template <class Use>
void for_each_entry(const YAML::Node& map, std::span<const std::string_view> allowed, Use use) {
  std::vector<std::string> seen;
  for (const auto& entry : map) {
    const auto mark = entry.first.Mark();
    const auto key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::ranges::find(allowed, key) == allowed.end()) {
      std::string list;
      for (const auto& name : allowed) list.append(list.empty() ? "" : ", ").append(name);
      refuse(mark, quoted(key) + " is no key here; allowed: " + list);
    }
    if (std::ranges::find(seen, key) != seen.end()) {
      refuse(mark, quoted(key) + " is there twice; allowed is once");
    }
    seen.push_back(key);
    use(key, entry.second, mark);
  }
}

/// The texts of a list; numbers and the like are texts too, as written.
std::vector<YAML::Node> texts_of(const YAML::Node& list, const std::string& key,
                                 const YAML::Mark& key_mark) {
  const auto mark = list.IsNull() ? key_mark : list.Mark();
  if (!list.IsSequence() || list.size() == 0) {
    refuse(mark, quoted(key) + " must be a list of at least one text, as [text]");
  }
  const auto most = key == "cmdline" ? NamingConfig::kMaxPatterns : NamingConfig::kMaxTexts;
  if (list.size() > most) {
    refuse(mark, quoted(key) + " is too long; allowed are " + std::to_string(most) + " entries");
  }
  std::vector<YAML::Node> texts;
  for (const auto& item : list) {
    if (!item.IsScalar()) {
      refuse(item.IsNull() ? mark : item.Mark(), "an entry of " + quoted(key) + " must be a text");
    }
    texts.push_back(item);
  }
  return texts;
}

std::vector<std::string> strings_of(const std::vector<YAML::Node>& nodes) {
  std::vector<std::string> strings;
  strings.reserve(nodes.size());
  for (const auto& node : nodes) strings.push_back(node.Scalar());
  return strings;
}

CommandLinePattern pattern_of(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (text.size() > NamingConfig::kMaxPatternBytes) {
    refuse(node.Mark(), "a regular expression of cmdline is too long; allowed are " +
                            std::to_string(NamingConfig::kMaxPatternBytes) + " bytes");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(NamingConfig::kMaxCompiledBytes);
  auto regex = std::make_shared<const re2::RE2>(text, options);
  if (!regex->ok()) {
    refuse(node.Mark(), "cmdline " + quoted(text) + ": " + bounded_text(regex->error(), 200) +
                            "; allowed is the syntax of Go's regexp (RE2)");
  }
  return {std::move(regex), {}};
}

NameTemplate template_of(const std::string& text, const YAML::Mark& mark) {
  auto parsed = NameTemplate::parse(text);
  if (!parsed) refuse(mark, "name " + quoted(text) + ": " + parsed.error().detail);
  return *std::move(parsed);
}

/// Finds out where the groups are that the name shows.
void connect_captures(NamingRule& rule, const YAML::Mark& mark) {
  for (const auto name : rule.name.captures()) {
    bool is_known = false;
    for (auto& pattern : rule.command_line) {
      for (const auto& [group, its_name] : pattern.regex->CapturingGroupNames()) {
        if (its_name != name) continue;
        pattern.captures.push_back({static_cast<std::size_t>(group), its_name});
        is_known = true;
      }
    }
    if (!is_known) {
      refuse(mark, std::string("name: {{.Matches.")
                       .append(name)
                       .append("}} needs a group (?P<")
                       .append(name)
                       .append(">...) in its cmdline"));
    }
  }
}

NamingRule rule_of(const YAML::Node& node, const YAML::Mark& list_mark) {
  static constexpr std::array<std::string_view, 4> kKeys = {"name", "comm", "exe", "cmdline"};
  const auto mark = node.IsNull() ? list_mark : node.Mark();
  if (!node.IsMap()) {
    refuse(mark, "an entry of process_names must be a map of name, comm, exe and cmdline");
  }
  NamingRule rule;
  std::string name;
  auto name_mark = mark;
  for_each_entry(node, kKeys, [&](const std::string& key, const auto& value, const auto& at) {
    if (key == "name") {
      name_mark = value.IsNull() ? at : value.Mark();
      if (!value.IsScalar()) refuse(name_mark, "'name' must be a text, as '{{.Comm}}'");
      name = value.Scalar();
    } else if (key == "comm") {
      rule.comms = strings_of(texts_of(value, key, at));
    } else if (key == "exe") {
      rule.exes = strings_of(texts_of(value, key, at));
    } else {
      for (const auto& text : texts_of(value, key, at)) {
        rule.command_line.push_back(pattern_of(text));
      }
    }
  });
  if (rule.comms.empty() && rule.exes.empty() && rule.command_line.empty()) {
    refuse(mark, "an entry of process_names must have at least one of comm, exe and cmdline");
  }
  rule.name = template_of(name.empty() ? "{{.ExeBase}}" : name, name_mark);
  connect_captures(rule, name_mark);
  return rule;
}

/// Aliases can make much out of a short file.
class Budget {
 public:
  void spend(const NamingRule& rule, const YAML::Mark& mark) {
    take(rules_, 1, mark, "entries");
    take(texts_, rule.comms.size() + rule.exes.size(), mark, "texts");
    take(patterns_, rule.command_line.size(), mark, "regular expressions");
  }

 private:
  struct Limit {
    std::size_t most;
    std::size_t left = most;
  };

  static void take(Limit& limit, std::size_t count, const YAML::Mark& mark, const char* what) {
    if (count > limit.left) {
      refuse(mark, std::string("too many ") + what + "; allowed are " + std::to_string(limit.most) +
                       " in all");
    }
    limit.left -= count;
  }

  Limit rules_{NamingConfig::kMaxRules};
  Limit texts_{NamingConfig::kMaxTexts};
  Limit patterns_{NamingConfig::kMaxPatterns};
};

NamingConfig config_of(const std::string& text) {
  static constexpr std::array<std::string_view, 1> kKeys = {"process_names"};
  const auto root = only_document(text);
  if (root.IsNull()) refuse({}, "process_names is missing; allowed is a list of entries under it");
  if (!root.IsMap()) refuse(root.Mark(), "must be a map with the one key process_names");

  NamingConfig config;
  Budget budget;
  for_each_entry(root, kKeys, [&](const auto&, const auto& list, const auto& at) {
    const auto mark = list.IsNull() ? at : list.Mark();
    if (!list.IsSequence() || list.size() == 0) {
      refuse(mark, "process_names must be a list of at least one entry");
    }
    for (const auto& node : list) {
      config.rules.push_back(rule_of(node, mark));
      budget.spend(config.rules.back(), node.Mark());
    }
  });
  if (config.rules.empty()) refuse(root.Mark(), "process_names is missing; it must be there");
  return config;
}

}  // namespace

metrics::Result<NamingConfig> parse_naming_config(std::string_view text, std::string_view file) {
  const auto error_at = [file](int line, const std::string& what) {
    auto detail = std::string(file) + ":" + std::to_string(std::max(line, 0) + 1) + ": " + what;
    std::ranges::replace(detail, '\n', ' ');
    return metrics::Error{metrics::Errc::malformed, std::move(detail)};
  };
  if (text.size() > NamingConfig::kMaxBytes) {
    return error_at(0,
                    "too long; allowed are " + std::to_string(NamingConfig::kMaxBytes) + " bytes");
  }
  try {
    return config_of(std::string(text));
  } catch (const YAML::Exception& problem) {
    return error_at(problem.mark.line, bounded_text(problem.msg, 1000));
  }
}

}  // namespace collectors
