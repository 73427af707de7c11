#include "procfs/snapshot.hpp"

#include <catch2/catch.hpp>
#include <string_view>

#include "tests/support/fixture_host.hpp"

using procfs::Errc;
using procfs::Result;
using procfs::Snapshot;
using tests::at_second;

namespace {

/// What a parser may give: a view into the text.
Result<std::string_view> parse_word(std::string_view text) {
  if (text.empty()) return procfs::Error{Errc::malformed, "empty"};
  return text;
}

}  // namespace

TEST_CASE("a snapshot is the same for all who ask at one point in time") {
  tests::FileTree tree;
  tree.write("file", "first");
  const auto reader = tests::open_mount(tree.path());
  Snapshot<std::string_view> snapshot(reader.keep("file"), parse_word);
  const auto& reading = snapshot.at(at_second(0));
  CHECK(*reading == "first");
  tree.write("file", "second");
  CHECK(*snapshot.at(at_second(0)) == "first");
  CHECK(&snapshot.at(at_second(0)) == &reading);
  CHECK(*snapshot.at(at_second(1)) == "second");
}

TEST_CASE("a snapshot reads at the clock's own zero, too") {
  tests::FileTree tree;
  tree.write("file", "text");
  const auto reader = tests::open_mount(tree.path());
  Snapshot<std::string_view> snapshot(reader.keep("file"), parse_word);
  CHECK(*snapshot.at({}) == "text");
}

TEST_CASE("a snapshot keeps a failure for its point in time and no longer") {
  tests::FileTree tree;
  const auto reader = tests::open_mount(tree.path());
  Snapshot<std::string_view> snapshot(reader.keep("file"), parse_word);
  CHECK(snapshot.at(at_second(0)).error().code == Errc::unsupported);
  tree.write("file", "");
  CHECK(snapshot.at(at_second(0)).error().code == Errc::unsupported);
  CHECK(snapshot.at(at_second(1)).error().code == Errc::malformed);
  tree.write("file", "text");
  CHECK(*snapshot.at(at_second(2)) == "text");
}
