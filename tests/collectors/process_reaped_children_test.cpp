// What was found of children that ended, walk by walk. Counts are user ticks unless said otherwise.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/process/reaped_children.hpp"

using collectors::FamilyReading;
using collectors::ReapedChildren;
using collectors::StatCounts;
using collectors::StorageBytes;

namespace {

constexpr std::int32_t kInit = 1;
constexpr std::int32_t kParent = 10;
constexpr std::int32_t kChild = 20;
constexpr std::int32_t kGrandchild = 30;

struct Ticks {
  std::uint64_t own = 0;
  std::uint64_t children = 0;
};

/// Started as many ticks after boot as its pid says, so that all are older than their children.
FamilyReading reading(std::int32_t pid, std::int32_t parent_pid, Ticks ticks,
                      std::optional<StorageBytes> storage = {}) {
  return {.identity = {pid, static_cast<std::uint64_t>(pid)},
          .parent_pid = parent_pid,
          .own = {ticks.own},
          .children = {ticks.children},
          .storage = storage};
}

class KinFamily {
 public:
  /// Reads in that order, then lists all of them, and `unread`, again.
  KinFamily& walk(const std::vector<FamilyReading>& readings,
                  const std::vector<std::int32_t>& unread = {}) {
    return walk_but(readings, unread, {});
  }
  /// The same; `ended` were read, but had ended when all were listed again.
  KinFamily& walk_but(const std::vector<FamilyReading>& readings,
                      const std::vector<std::int32_t>& unread,
                      const std::vector<std::int32_t>& ended) {
    std::vector<std::int32_t> listed = unread;
    for (const auto& one : readings) listed.push_back(one.identity.pid);
    std::ranges::sort(listed);
    children_.keep(listed);
    for (const auto& one : readings) children_.see(one);
    if (children_.must_list_again()) {
      for (const auto pid : ended) std::erase(listed, pid);
      children_.keep(listed);
    }
    children_.settle();
    return *this;
  }
  [[nodiscard]] std::uint64_t unseen(std::int32_t pid) const { return children_.of(pid).unseen[0]; }
  [[nodiscard]] const ReapedChildren& children() const { return children_; }

 private:
  ReapedChildren children_;
};

/// After a first walk with a parent, and init above it.
KinFamily family() {
  KinFamily family;
  family.walk({reading(kInit, 0, {5, 1000}), reading(kParent, kInit, {7, 300})});
  return family;
}

FamilyReading init(std::uint64_t children = 1000) { return reading(kInit, 0, {5, children}); }
FamilyReading parent(std::uint64_t children = 300) {
  return reading(kParent, kInit, {7, children});
}
FamilyReading child(Ticks ticks, std::int32_t parent_pid = kParent) {
  return reading(kChild, parent_pid, ticks);
}
FamilyReading grandchild(Ticks ticks, std::int32_t parent_pid = kChild) {
  return reading(kGrandchild, parent_pid, ticks);
}

}  // namespace

TEST_CASE("what children used before the first walk is nobody's") {
  CHECK(family().unseen(kParent) == 0);
}

TEST_CASE("a child that nobody saw is its parent's, in full and once") {
  auto all = family();
  CHECK(all.walk({init(), parent(340)}).unseen(kParent) == 40);
  CHECK(all.walk({init(), parent(340)}).unseen(kParent) == 40);
  CHECK(all.unseen(kInit) == 0);
}

TEST_CASE("of a child that was seen only the rest is its parent's") {
  auto all = family();
  all.walk({init(), parent(), child({30})});
  CHECK(all.walk({init(), parent(342)}).unseen(kParent) == 12);
}

TEST_CASE("a parent that was read before it waited for its child has it in the next walk") {
  auto all = family();
  all.walk({init(), parent(), child({30})});
  CHECK(all.walk({init(), parent()}).unseen(kParent) == 0);
  CHECK(all.children().wanted() == std::vector<std::int32_t>{kInit, kParent});
  CHECK(all.walk({init(), parent(342)}).unseen(kParent) == 12);
  CHECK(all.children().wanted().empty());
}

TEST_CASE("a parent that waited for its child after that was read has it in the same walk") {
  auto all = family();
  all.walk({init(), parent(), child({30})});
  const std::vector<std::int32_t> ended = {kChild};
  SECTION("the child was read before its parent") {
    all.walk_but({init(), child({30}), parent(342)}, {}, ended);
  }
  SECTION("the child was not read") { all.walk_but({init(), parent(342)}, {kChild}, ended); }
  CHECK(all.unseen(kParent) == 12);
}

TEST_CASE("a second list is asked for only where a child may have ended meanwhile") {
  ReapedChildren children;
  const std::vector<std::int32_t> listed = {kInit, kParent, kChild};
  children.keep(listed);
  for (const auto& one : {init(), parent(), child({30})}) children.see(one);
  CHECK_FALSE(children.must_list_again());
  children.settle();
  children.keep(listed);
  SECTION("nothing grew") {
    children.see(parent());
    CHECK_FALSE(children.must_list_again());
  }
  SECTION("it was read after its parent") {
    for (const auto& one : {init(), parent(342), child({30})}) children.see(one);
    CHECK_FALSE(children.must_list_again());
  }
  SECTION("it was read before its parent") {
    for (const auto& one : {init(), child({30}), parent(342)}) children.see(one);
    CHECK(children.must_list_again());
  }
  SECTION("it was not read") {
    children.see(parent(342));
    CHECK(children.must_list_again());
  }
}

TEST_CASE("a child brings along its own children, seen or not, once") {
  auto all = family();
  all.walk({init(), parent(), child({30}), grandchild({4})});
  SECTION("the child waited for it and ended, both between two walks") {
    all.walk({init(), parent(300 + 30 + 4 + 9)});
    CHECK(all.unseen(kParent) == 9);
  }
  SECTION("the child waited for it, was seen, and ended") {
    all.walk({init(), parent(), child({30, 6})});
    CHECK(all.unseen(kChild) == 2);
    all.walk({init(), parent(300 + 30 + 6 + 9)});
    CHECK(all.unseen(kParent) == 9);
  }
  SECTION("the child waited for it after it was read itself, and ended") {
    all.walk({init(), parent(), child({30})});
    all.walk({init(), parent(300 + 30 + 4 + 9)});
    CHECK(all.unseen(kParent) == 9);
  }
}

TEST_CASE("what is new has all its children since its start") {
  auto all = family();
  CHECK(all.walk({init(), parent(), child({3, 8})}).unseen(kChild) == 8);
  CHECK(all.walk({init(), parent(300 + 3 + 8)}).unseen(kParent) == 0);
}

TEST_CASE("what is older than the first walk but was hidden in it has none of before") {
  auto all = family();
  CHECK(all.walk({init(), reading(5, kInit, {3, 800}), parent()}).unseen(5) == 0);
  CHECK(all.walk({init(), reading(5, kInit, {3, 805}), parent()}).unseen(5) == 5);
}

TEST_CASE("a child whose parent was listed later than it has that one when it ends") {
  auto all = family();
  all.walk({init(), parent(), grandchild({4})});  // its parent came after the list
  CHECK(all.walk({init(), parent(), child({1, 6})}).unseen(kChild) == 2);
}

TEST_CASE("a parent that dies leaves its child to an ancestor") {
  auto all = family();
  all.walk({init(), parent(), child({30})});
  SECTION("seen as an orphan, with a new parent") {
    all.walk({init(1000 + 7 + 300), child({31}, kInit)});
    CHECK(all.unseen(kInit) == 0);
    CHECK(all.walk({init(1307 + 35)}).unseen(kInit) == 4);
  }
  SECTION("not seen again, and the new parent waits for it later") {
    all.walk({init(1000 + 7 + 300)}, {kChild});
    CHECK(all.unseen(kInit) == 0);
    CHECK(all.children().wanted() == std::vector<std::int32_t>{kChild});
    CHECK(all.walk({init(1307 + 35)}).unseen(kInit) == 5);
  }
  SECTION("both ended between two walks, the parent first") {
    all.walk({init(1000 + 7 + 300 + 35)});
    CHECK(all.unseen(kInit) == 5);
  }
}

TEST_CASE("a child that a remoter ancestor adopted is taken off there") {
  constexpr std::int32_t kSubreaper = 5;
  const auto moved = reading(kParent, kSubreaper, {7, 300 + 30});
  KinFamily all;
  all.walk({init(), reading(kSubreaper, kInit, {0, 50}), moved, child({30}), grandchild({4})});
  // The child died, and then its child, which was not its parent's any more but the subreaper's.
  all.walk({init(), reading(kSubreaper, kInit, {0, 54}), moved});
  CHECK(all.unseen(kSubreaper) == 0);
  CHECK(all.unseen(kParent) == 0);
}

TEST_CASE("children that are let go of are added nowhere, and take nothing off for long") {
  auto all = family();
  all.walk({init(), parent(), child({30})});
  // SIGCHLD is ignored: the parent's counters do not grow.
  all.walk({init(), parent()});
  all.walk({init(), parent()});
  CHECK(all.children().wanted().empty());
  CHECK(all.walk({init(), parent(320)}).unseen(kParent) == 20);
}

TEST_CASE("a parent that was added less than was seen owes nothing, and has nothing") {
  auto all = family();
  all.walk({init(), parent(), child({30}), reading(21, kParent, {50})});
  // One of the two was let go of, and it cannot be told which.
  all.walk({init(), parent(350)});
  CHECK(all.unseen(kParent) == 0);
  all.walk({init(), parent(350)});
  CHECK(all.walk({init(), parent(353)}).unseen(kParent) == 3);
}

TEST_CASE("a pid that comes again is another child") {
  auto all = family();
  all.walk({init(), parent(), child({30})});
  auto again = child({2});
  again.identity.start_ticks = 99;
  all.walk({init(), parent(331), again});
  CHECK(all.unseen(kParent) == 1);
  CHECK(all.walk({init(), parent(334)}).unseen(kParent) == 2);
}

TEST_CASE("a process that took the pid of a dead parent is not the parent") {
  auto all = family();
  all.walk({init(), parent(), child({30})});
  auto stranger = reading(kParent, kInit, {1, 40});
  stranger.identity.start_ticks = 99;  // younger than the child
  all.walk({init(1000 + 7 + 300 + 30), stranger});
  CHECK(all.unseen(kParent) == 40);
  CHECK(all.unseen(kInit) == 0);
}

TEST_CASE("parents in a circle end") {
  auto all = family();
  all.walk({init(), reading(40, 41, {1}), reading(41, 40, {1}), reading(42, 41, {1})});
  CHECK(all.walk({init(), reading(40, 40, {1})}).unseen(kInit) == 0);
}

TEST_CASE("a counter that steps back and recovers counts once") {
  auto all = family();
  all.walk({init(), parent(340)});
  all.walk({init(), parent(320)});
  CHECK(all.walk({init(), parent(341)}).unseen(kParent) == 41);
}

TEST_CASE("each count is told apart") {
  auto all = family();
  auto seen = child({});
  seen.own = {1, 2, 30, 4};
  all.walk({init(), parent(), seen});
  auto after = parent();
  after.children = {300 + 1, 7, 35, 4};
  all.walk({init(), after});
  CHECK(all.children().of(kParent).unseen == StatCounts{0, 5, 5, 0});
}

TEST_CASE("the storage bytes of a parent lose those of the children that were seen") {
  auto all = family();
  const auto busy = reading(kChild, kParent, {30}, StorageBytes{1000, 2000});
  all.walk({init(), parent(), busy});
  CHECK(all.children().of(kParent).children == StorageBytes{0, 0});
  SECTION("waited for") {
    all.walk({init(), parent(330)});
    CHECK(all.children().of(kParent).children == StorageBytes{1000, 2000});
  }
  SECTION("let go of") {
    all.walk({init(), parent()}).walk({init(), parent()});
    CHECK(all.children().of(kParent).children == StorageBytes{0, 0});
  }
  SECTION("read last when it was seen before") {
    all.walk({init(), parent(), child({31})}).walk({init(), parent(331)});
    CHECK(all.children().of(kParent).children == StorageBytes{1000, 2000});
  }
}
