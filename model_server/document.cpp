#include "model_server/document.hpp"

#include <boost/json/parse.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace model_server {
namespace {

namespace json = boost::json;

constexpr unsigned kBadRequest = 400;
constexpr unsigned kTooLarge = 413;
constexpr std::size_t kMostDepth = 16;

/// Behind the string whose opening quote is at `begin`, or the end of the text.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  for (auto at = begin + 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

/// `text` with what JSON lacks as numbers that are infinite; nothing when there is none of it.
std::optional<std::string> with_infinities(std::string_view text) {
  std::string changed;
  bool is_changed = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    std::string_view part = text.substr(at, 1);
    if (text[at] == '"') {
      end = end_of_string(text, at);
      part = text.substr(at, end - at);
    }
    for (const std::string_view token : {"NaN", "Infinity"}) {
      if (!text.substr(at).starts_with(token)) continue;
      end = at + token.size();
      part = "1e999";
      is_changed = true;
    }
    changed.append(part);
    at = end;
  }
  return is_changed ? std::optional(std::move(changed)) : std::nullopt;
}

json::value parse(std::string_view text, json::error_code& error) {
  json::parse_options options;
  options.max_depth = kMostDepth;
  return json::parse({text.data(), text.size()}, error, {}, options);
}

/// What a string of JSON, with its quotes, says: a letter of a name may be written as an escape.
std::string unescaped(std::string_view quoted) {
  const auto spelled = quoted.substr(1, quoted.size() - 2);
  if (spelled.find('\\') == std::string_view::npos) return std::string(spelled);
  json::error_code error;
  const auto value = parse(quoted, error);
  const auto* said = value.if_string();
  return said == nullptr ? std::string(spelled) : std::string(said->data(), said->size());
}

/// The name of a member that its object has twice, however it is spelled; `text` is JSON.
std::optional<std::string> repeated_member(std::string_view text) {
  std::vector<std::set<std::string>> objects;  // names in those that are open
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '{') objects.emplace_back();
    if (text[at] == '}') objects.pop_back();
    if (text[at] != '"') continue;
    const auto end = end_of_string(text, at);
    const auto next = text.find_first_not_of(" \t\r\n", end);
    const bool is_name = next != std::string_view::npos && text[next] == ':';
    if (is_name) {
      auto name = unescaped(text.substr(at, end - at));
      if (!objects.back().insert(name).second) return name;
    }
    at = end - 1;
  }
  return std::nullopt;
}

}  // namespace

Rejection reject(Reason reason, std::string_view field, std::string problem) {
  return {.status = reason == Reason::too_large ? kTooLarge : kBadRequest,
          .reason = reason,
          .field = std::string(field),
          .problem = std::move(problem)};
}

Read<Document> parse_document(std::string_view text, std::string_view field) {
  json::error_code error;
  Document document{.value = parse(text, error)};
  if (error) {
    document.flaw = reject(Reason::json, field, "is not JSON: " + error.message());
    const auto changed = with_infinities(text);
    if (changed) document.value = parse(*changed, error);
    if (error) return *std::move(document.flaw);
  }
  if (const auto name = repeated_member(text)) {
    return reject(Reason::shape, *name, "is there more than once");
  }
  return document;
}

}  // namespace model_server
