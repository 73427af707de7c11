#include "procfs/file_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/fixture_host.hpp"

using procfs::Errc;
using procfs::FileReader;

namespace {

std::string stat_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/stat"; }

/// Numbered lines, so that a piece that is missing or doubled shows.
std::string long_text(std::size_t bytes) {
  std::string text;
  for (std::size_t line = 0; text.size() < bytes; ++line) text += std::to_string(line) + '\n';
  text.resize(bytes);
  return text;
}

}  // namespace

TEST_CASE("FileReader opens nothing but a directory") {
  tests::FileTree tree;
  tree.write("file", "");
  const auto* const name = GENERATE("none", "file");
  const auto reader = FileReader::open((tree.path() / name).string());
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == Errc::unsupported);
  CHECK_THAT(reader.error().detail, Catch::Contains(name));
}

TEST_CASE("a file is read whole, however long it is") {
  tests::FileTree tree;
  auto reader = tests::open_mount(tree.path());
  auto kept = reader.keep("file");
  const std::size_t bytes = GENERATE(0U, 1U, 16383U, 16384U, 16385U, 49152U, 1000000U);
  INFO(bytes);
  const auto text = long_text(bytes);
  tree.write("file", text);
  CHECK(*reader.read("file") == text);
  CHECK(*kept.read() == text);
}

TEST_CASE("a file that the kernel hands out in pieces is read whole") {
  auto reader = tests::open_mount("/proc");
  const std::string maps(*reader.read("self/smaps"));
  CHECK(maps.size() > 8192);
  CHECK_THAT(maps, Catch::Contains("[stack]"));  // the last but those of the kernel
  CHECK_THAT(std::string(*reader.keep("self/smaps").read()), Catch::Contains("[stack]"));
}

TEST_CASE("a file without an end is an error") {
  tests::FileTree tree;
  tree.write("file", "");
  constexpr std::size_t kTooManyBytes = 17U << 20U;
  std::filesystem::resize_file(tree.path() / "file", kTooManyBytes);
  auto reader = tests::open_mount(tree.path());
  CHECK(reader.read("file").error().code == Errc::io);
  CHECK(reader.keep("file").read().error().code == Errc::io);
}

TEST_CASE("a kept file shows the text of the moment") {
  tests::FileTree tree;
  tree.write("file", long_text(100000));
  const auto reader = tests::open_mount(tree.path());
  auto kept = reader.keep("file");
  CHECK(kept.path() == "file");
  CHECK(*kept.read() == long_text(100000));
  tree.write("file", "short\n");
  CHECK(*kept.read() == "short\n");
  tree.write("file", "");
  CHECK(kept.read()->empty());
  tree.write("file", long_text(200000));
  CHECK(*kept.read() == long_text(200000));
}

TEST_CASE("a kept file that is missing is unsupported until it comes") {
  tests::FileTree tree;
  const auto reader = tests::open_mount(tree.path());
  auto kept = reader.keep("folder/file");
  const auto missing = kept.read();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::unsupported);
  CHECK_THAT(missing.error().detail, Catch::StartsWith("folder/file: "));
  tree.write("folder/file", "text");
  CHECK(*kept.read() == "text");
}

TEST_CASE("a kept file survives being moved") {
  tests::FileTree tree;
  tree.write("a", "of a").write("b", "of b");
  const auto reader = tests::open_mount(tree.path());
  std::optional a(reader.keep("a"));
  std::optional b(reader.keep("b"));
  REQUIRE(a->read());
  REQUIRE(b->read());
  auto moved = *std::move(a);
  a.reset();
  CHECK(*moved.read() == "of a");
  moved = *std::move(b);
  b.reset();
  CHECK(moved.path() == "b");
  CHECK(*moved.read() == "of b");
}

TEST_CASE("a kept file of a process that ended is unsupported") {
  tests::Child child("short-lived");
  const auto reader = tests::open_mount("/proc");
  auto kept = reader.keep(std::to_string(child.pid()) + "/stat");
  CHECK_THAT(std::string(*kept.read()), Catch::Contains("(short-lived)"));
  child.kill();
  child.reap();
  const auto ended = kept.read();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == Errc::unsupported);
}

TEST_CASE("a kept file follows its path when the object behind it is gone") {
  const tests::FileTree tree;
  const auto link = tree.path() / "stat";
  tests::Child first("first");
  const tests::Child second("second");
  const auto reader = tests::open_mount(tree.path());
  auto kept = reader.keep("stat");
  std::filesystem::create_symlink(stat_of(first.pid()), link);
  CHECK_THAT(std::string(*kept.read()), Catch::Contains("(first)"));

  std::filesystem::remove(link);
  std::filesystem::create_symlink(stat_of(second.pid()), link);
  CHECK_THAT(std::string(*kept.read()), Catch::Contains("(first)"));
  first.kill();
  first.reap();
  CHECK_THAT(std::string(*kept.read()), Catch::Contains("(second)"));
}

TEST_CASE("read finds the file that is there now, and a missing one gone") {
  tests::FileTree tree;
  auto reader = tests::open_mount(tree.path());
  CHECK(reader.read("file").error().code == Errc::gone);
  CHECK(reader.read("no/such/folder").error().code == Errc::gone);
  tree.write("file", "first");
  CHECK(*reader.read("file") == "first");
  tree.remove("file");
  tree.write("file", "second");
  CHECK(*reader.read("file") == "second");
  tree.remove("file");
  CHECK(reader.read("file").error().code == Errc::gone);
}

TEST_CASE("a FIFO in a file's place neither hangs nor succeeds") {
  const tests::FileTree tree;
  REQUIRE(::mkfifo((tree.path() / "fifo").c_str(), S_IRUSR | S_IWUSR) == 0);
  auto reader = tests::open_mount(tree.path());
  CHECK(reader.read("fifo").error().code == Errc::io);
  CHECK(reader.keep("fifo").read().error().code == Errc::io);
}

TEST_CASE("a directory in a file's place is an error") {
  const tests::FileTree tree;
  auto reader = tests::open_mount(tree.path());
  CHECK(reader.read("proc").error().code == Errc::io);
  CHECK(reader.keep("proc").read().error().code == Errc::io);
}

TEST_CASE("a file that is not ours to read is denied") {
  tests::FileTree tree;
  tree.write("file", "secret");
  std::filesystem::permissions(tree.path() / "file", std::filesystem::perms::none);
  auto reader = tests::open_mount(tree.path());
  CHECK(tests::holds_without_privilege([&] {
    const auto read = reader.read("file");
    const auto kept = reader.keep("file").read();
    return !read && read.error().code == Errc::denied && !kept && kept.error().code == Errc::denied;
  }));
}

TEST_CASE("list gives the names in a directory") {
  tests::FileTree tree;
  tree.write("folder/file", "").write("folder/.hidden", "").write("folder/below/file", "");
  auto reader = tests::open_mount(tree.path());
  std::vector<std::string> names = {"from before"};
  REQUIRE(reader.list("folder", names));
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{".hidden", "below", "file"});
}

TEST_CASE("list of what is no directory is gone") {
  tests::FileTree tree;
  tree.write("file", "");
  auto reader = tests::open_mount(tree.path());
  std::vector<std::string> names = {"from before"};
  CHECK(reader.list("none", names).error().code == Errc::gone);
  CHECK(reader.list("file", names).error().code == Errc::gone);
  CHECK(names.empty());
}

TEST_CASE("status tells size and time of a change") {
  tests::FileTree tree;
  auto reader = tests::open_mount(tree.path());
  CHECK(reader.status("file").error().code == Errc::gone);
  tree.write("file", "12345");
  const timespec modified = {.tv_sec = 1577934245, .tv_nsec = 7};
  const std::array times = {modified, modified};
  REQUIRE(::utimensat(AT_FDCWD, (tree.path() / "file").c_str(), times.data(), 0) == 0);
  const auto status = reader.status("file");
  REQUIRE(status);
  CHECK(status->size_bytes == 5);
  CHECK(status->modified_nanoseconds == 1577934245000000007);
}

TEST_CASE("a FileReader survives being moved") {
  tests::FileTree tree;
  tree.write("one/file", "of one").write("two/file", "of two");
  std::optional two(tests::open_mount(tree.path() / "two"));
  auto reader = tests::open_mount(tree.path() / "one");
  CHECK(*reader.read("file") == "of one");
  reader = *std::move(two);
  two.reset();
  CHECK(*reader.read("file") == "of two");
}

TEST_CASE("read_start gives no more of a file than asked for") {
  tests::FileTree tree;
  tree.write("proc/short", "abc").write("proc/long", std::string(10'000, 'x') + "y");
  auto files = tests::open_mount(tree.path() / "proc");
  CHECK(*files.read_start("short", 4096) == "abc");
  CHECK(*files.read_start("short", 2) == "ab");
  CHECK(*files.read_start("long", 5000) == std::string(5000, 'x'));
  CHECK(files.read_start("long", 20'000)->size() == 10'001);
  const auto missing = files.read_start("missing", 1);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::gone);
}

TEST_CASE("read_plain takes plain files alone, whole or not at all") {
  tests::FileTree tree;
  tree.write("full", "12345").write("empty", "").write("directory/file", "");
  std::filesystem::create_symlink("full", tree.path() / "link");
  std::filesystem::create_symlink("/dev/zero", tree.path() / "device");
  REQUIRE(::mkfifo((tree.path() / "fifo").c_str(), 0600) == 0);
  auto reader = tests::open_mount(tree.path());
  const timespec modified = {.tv_sec = 1577934245, .tv_nsec = 7};
  const std::array times = {modified, modified};
  REQUIRE(::utimensat(AT_FDCWD, (tree.path() / "full").c_str(), times.data(), 0) == 0);
  const auto plain = reader.read_plain("full", 5);
  REQUIRE(plain);
  CHECK(plain->text == "12345");
  CHECK(plain->modified_nanoseconds == 1577934245000000007);
  CHECK(reader.read_plain("empty", 5)->text.empty());
  CHECK(reader.read_plain("full", 4).error().code == Errc::unsupported);
  CHECK(reader.read_plain("missing", 5).error().code == Errc::gone);
  for (const auto* name : {"link", "device", "fifo", "directory"}) {
    INFO(name);
    const auto odd = reader.read_plain(name, 5);
    REQUIRE_FALSE(odd);
    CHECK(odd.error().code == Errc::unsupported);
    CHECK_THAT(odd.error().detail, Catch::StartsWith(std::string(name) + ": "));
  }
}
