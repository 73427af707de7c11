#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "collectors/process/descent.hpp"

using collectors::Ancestor;
using collectors::inherited_name;
using Family = std::map<std::int32_t, Ancestor>;

namespace {

constexpr std::nullopt_t kNone = std::nullopt;

std::optional<std::string> inherited(const Family& family, std::int32_t parent_pid) {
  return inherited_name(parent_pid, [&](std::int32_t pid) {
    const auto found = family.find(pid);
    return found == family.end() ? nullptr : &found->second;
  });
}

}  // namespace

TEST_CASE("a child inherits the name of its nearest ancestor with one") {
  using Name = std::optional<std::string>;
  const auto [what, family, parent_pid, name] =
      GENERATE(table<const char*, Family, std::int32_t, Name>({
          {"nobody", {}, 1, kNone},
          {"the parent", {{1, {0, "A"}}}, 1, "A"},
          {"the grandparent", {{1, {0, "A"}}, {2, {1, kNone}}}, 2, "A"},
          {"the nearest", {{1, {0, "A"}}, {2, {1, "B"}}, {3, {2, kNone}}}, 3, "B"},
          {"none with one", {{1, {0, kNone}}, {2, {1, kNone}}}, 2, kNone},
          {"not a brother's", {{1, {0, kNone}}, {2, {1, "B"}}}, 1, kNone},
          {"the line breaks off", {{1, {0, "A"}}, {3, {2, kNone}}}, 3, kNone},
          {"an empty name is one", {{1, {0, "A"}}, {2, {1, ""}}}, 2, ""},
          {"its own parent", {{1, {1, kNone}}}, 1, kNone},
          {"a circle", {{1, {3, kNone}}, {2, {1, kNone}}, {3, {2, kNone}}}, 2, kNone},
          {"a name within a circle", {{1, {3, "A"}}, {2, {1, kNone}}, {3, {2, kNone}}}, 3, "A"},
      }));
  INFO(what);
  CHECK(inherited(family, parent_pid) == name);
}

TEST_CASE("a line of descent is followed for so many generations and no more") {
  constexpr auto kMost = static_cast<std::int32_t>(collectors::kMaxGenerations);
  Family family = {{1, {0, "A"}}};
  for (std::int32_t pid = 2; pid <= kMost + 1; ++pid) family[pid] = {pid - 1, kNone};
  CHECK(inherited(family, kMost) == "A");
  CHECK(inherited(family, kMost + 1) == kNone);
}
