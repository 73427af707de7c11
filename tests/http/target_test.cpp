#include "http/target.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using http::parse_target;

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

Parameters parameters_of(std::string_view text) {
  const auto target = parse_target(text);
  REQUIRE(target);
  Parameters parameters;
  for (const auto& [name, value] : target->parameters) parameters.emplace_back(name, value);
  return parameters;
}

std::string with_parameters(std::size_t count) {
  std::string text = "/?";
  for (std::size_t i = 0; i < count; ++i) text += "a=1&";
  return text;
}

}  // namespace

TEST_CASE("parse_target leaves the path as it was sent") {
  const auto [text, path] = GENERATE(table<const char*, const char*>({
      {"/", "/"},
      {"/metrics", "/metrics"},
      {"/metrics?", "/metrics"},
      {"/metrics?a=/b?c", "/metrics"},
      {"/%6detrics", "/%6detrics"},  // not decoded: it is not /metrics
      {"/metrics/../etc", "/metrics/../etc"},
      {"//metrics", "//metrics"},
      {"/a+b", "/a+b"},
      {"/%", "/%"},
      {"/metrics#top", "/metrics#top"},
  }));
  INFO(text);
  const auto target = parse_target(text);
  REQUIRE(target);
  CHECK(target->path == path);
}

TEST_CASE("parse_target decodes the parameters") {
  const auto [text, parameters] = GENERATE(table<const char*, Parameters>({
      {"/", {}},
      {"/?", {}},
      {"/?&&", {}},
      {"/?a", {{"a", ""}}},
      {"/?a=", {{"a", ""}}},
      {"/?=b", {{"", "b"}}},
      {"/?a=b=c", {{"a", "b=c"}}},
      {"/?a=b?c", {{"a", "b?c"}}},
      {"/?a=1&a=2", {{"a", "1"}, {"a", "2"}}},
      {"/?collect[]=cpu&collect%5b%5D=stat", {{"collect[]", "cpu"}, {"collect[]", "stat"}}},
      {"/?a=b+c%20d", {{"a", "b c d"}}},
      {"/?a=%2B%26%3D%25", {{"a", "+&=%"}}},
      {"/?a=%41%7a%c3%A9", {{"a", "Az\xC3\xA9"}}},
      {"/?a=%2541", {{"a", "%41"}}},  // decoded once
      {"/?a=%00b", {{"a", std::string("\0b", 2)}}},
  }));
  INFO(text);
  CHECK(parameters_of(text) == parameters);
}

TEST_CASE("parse_target refuses what is not a path with a whole query") {
  const auto text = GENERATE("", "metrics", "*", "http://host/metrics", "?a=b", " /", "/?a=%",
                             "/?a=%4", "/?a=%4&b=1", "/?a=%zz", "/?a=%-1", "/?a=%+1", "/?a=% 1",
                             "/?a=%0x", "/?%=b", "/?a=1&%gg=2");
  INFO(text);
  CHECK_FALSE(parse_target(text));
}

TEST_CASE("parse_target takes as many parameters as anybody needs") {
  CHECK(parameters_of(with_parameters(http::kMaxParameters)).size() == http::kMaxParameters);
  CHECK_FALSE(parse_target(with_parameters(http::kMaxParameters + 1)));
}

TEST_CASE("parse_target survives any truncation and any damage") {
  const std::string whole = "/metrics?collect[]=cpu&exclude%5B%5d=%41+b&&x";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    // A copy of its own size, so that ASan sees a read behind the end.
    const std::vector<char> text(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    (void)parse_target({text.data(), text.size()});
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      auto damaged = whole;
      damaged[at] = static_cast<char>(byte);
      (void)parse_target(damaged);
    }
  }
}
