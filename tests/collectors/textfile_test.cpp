#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

namespace {

/// A host whose directories of text files are a/ and b/.
struct TextfileHost {
  tests::FileTree tree;
  tests::FixtureHost fixture{tree.path()};
  std::unique_ptr<collectors::Collector> collector;

  TextfileHost() {
    tree.write("a/.keep", "").write("b/.keep", "");
    use({path("a"), path("b")});
  }
  void use(std::vector<std::string> directories) {
    fixture.settings.set("textfile.directory", std::move(directories));
    collector = collectors::kTextfile.make(fixture.host);
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (tree.path() / name).string();
  }
  std::string page() {
    REQUIRE(collector->refresh(at_second(0)));
    return tests::page_of(*collector);
  }
  /// The samples, without those of times.
  std::string samples() {
    REQUIRE(collector->refresh(at_second(0)));
    auto text = tests::samples_of(*collector);
    while (text.starts_with("node_textfile_mtime_seconds")) text.erase(0, text.find('\n') + 1);
    return text;
  }
  [[nodiscard]] bool has_time_of(const std::string& name) const {
    return tests::samples_of(*collector).find("{file=\"" + path(name) + "\"}") != std::string::npos;
  }
};

constexpr const char* kNoError = "node_textfile_scrape_error 0\n";
constexpr const char* kError = "node_textfile_scrape_error 1\n";

}  // namespace

TEST_CASE("textfile shows the families of all files, and when those were written") {
  TextfileHost host;
  host.tree.write("b/z.prom", "# HELP heat Degrees.\n# TYPE heat gauge\nheat 2\n")
      .write("a/y.prom", "jobs 1\n")
      .write("a/y.prom.tmp", "half")
      .write("a/prom", "no file of ours");
  std::filesystem::last_write_time(
      host.path("a/y.prom"), std::chrono::file_clock::from_sys(
                                 std::chrono::sys_seconds(std::chrono::seconds(1'600'000'000))));
  const auto page = host.page();
  CHECK_THAT(page, Catch::StartsWith("# HELP node_textfile_mtime_seconds Unixtime mtime of "
                                     "textfiles successfully read.\n# TYPE "
                                     "node_textfile_mtime_seconds gauge\n"
                                     "node_textfile_mtime_seconds{file=\"" +
                                     host.path("a/y.prom") + "\"} 1600000000\n"));
  CHECK(host.has_time_of("b/z.prom"));
  CHECK_THAT(page, Catch::EndsWith("gauge\n" + std::string(kNoError) +
                                   "# HELP jobs Metric read from " + host.path("a/y.prom") +
                                   "\n# TYPE jobs untyped\njobs 1\n"
                                   "# HELP heat Degrees.\n# TYPE heat gauge\nheat 2\n"));
  CHECK(host.collector->complaint().empty());
}

TEST_CASE("textfile puts the samples of several files into one family") {
  TextfileHost host;
  host.tree.write("a/1.prom", "# HELP a One.\n# TYPE a gauge\na{x=\"1\"} 1\n")
      .write("a/2.prom", "# TYPE a gauge\na{x=\"2\"} 2\n");
  CHECK(host.samples() == std::string(kNoError) + "a{x=\"1\"} 1\na{x=\"2\"} 2\n");
  const auto [text, shown] = GENERATE(table<std::string, std::string>({
      {"# HELP a Two.\n# TYPE a gauge\na{x=\"3\"} 3\n", "a{x=\"3\"} 3\n"},
      {"# TYPE a counter\na{x=\"3\"} 3\n", ""},
      {"# TYPE a gauge\na{x=\"2\",y=\"\"} 3\n", ""},
  }));
  host.tree.write("b/3.prom", text);
  CHECK(host.samples() == kError + std::string("a{x=\"1\"} 1\na{x=\"2\"} 2\n") + shown);
  CHECK_THAT(std::string(host.collector->complaint()),
             Catch::StartsWith(host.path("b/3.prom") + ": a: "));
}

TEST_CASE("a bad file costs only itself") {
  TextfileHost host;
  const auto text = GENERATE(values<std::string>(
      {"a 1", "a 1\nb\n", "a 1 1600000000000\n", "# TYPE a gauge_histogram\na 1\n", "a 1\na 2\n",
       "a{x=\"\xFF\"} 1\n", "<html>\n", std::string(100, '\0'),
       "a 1\n# " + std::string((1 << 20) - 6, 'x') + "\n\n"}));
  INFO(text.substr(0, 50));
  host.tree.write("a/1.prom", "good 1\n").write("a/2.prom", text).write("b/3.prom", "fine 2\n");
  CHECK(host.samples() == kError + std::string("good 1\nfine 2\n"));
  CHECK(host.has_time_of("a/1.prom"));
  CHECK_FALSE(host.has_time_of("a/2.prom"));
  CHECK_THAT(std::string(host.collector->complaint()), Catch::Contains("2.prom"));
  host.tree.write("a/2.prom", "a 1\n");
  CHECK(host.samples() == kNoError + std::string("good 1\na 1\nfine 2\n"));
}

TEST_CASE("what is no plain file is not read, and nobody waits for it") {
  TextfileHost host;
  host.tree.write("a/1.prom", "good 1\n").write("secret", "a 1\n");
  const auto odd = host.path("a/2.prom");
  SECTION("a FIFO") { REQUIRE(::mkfifo(odd.c_str(), 0600) == 0); }
  SECTION("a link") { std::filesystem::create_symlink(host.path("secret"), odd); }
  SECTION("a link to nothing") { std::filesystem::create_symlink("nothing", odd); }
  SECTION("a link to a device") { std::filesystem::create_symlink("/dev/zero", odd); }
  SECTION("a directory") { std::filesystem::create_directory(odd); }
  SECTION("a giant") {
    host.tree.write("a/2.prom", "");
    std::filesystem::resize_file(odd, std::uintmax_t{1} << 40U);
  }
  SECTION("a socket") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    odd.copy(address.sun_path, sizeof address.sun_path - 1);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(socket);
  }
  CHECK(host.samples() == kError + std::string("good 1\n"));
  CHECK_THAT(std::string(host.collector->complaint()),
             Catch::StartsWith(host.path("a") + ": 2.prom: "));
}

TEST_CASE("a file cannot replace what the host says") {
  TextfileHost host;
  host.tree.write("a/1.prom", "node_load1 666\nnode_reboot_required 1\n");
  CHECK(host.samples() == kError + std::string("node_reboot_required 1\n"));
}

TEST_CASE("all files together are bounded, too") {
  TextfileHost host;
  for (const auto* name : {"1", "2", "3", "4", "5", "6", "7", "8", "9"}) {
    std::string lines;
    while (lines.size() < (1 << 20) - 2000) lines += "# " + std::string(900, 'x') + "\n";
    host.tree.write("a/" + std::string(name) + ".prom", lines + "n" + name + " 1\n");
  }
  CHECK(host.samples().find("n8 1\n") != std::string::npos);
  CHECK(host.samples().find("n9 1\n") == std::string::npos);
  CHECK_FALSE(host.has_time_of("a/9.prom"));
}

TEST_CASE("directories may be patterns, and one that is missing is an error") {
  TextfileHost host;
  host.tree.write("a/1.prom", "one 1\n").write("b/2.prom", "two 2\n");
  host.use({host.path("[ab]")});
  CHECK(host.samples() == kNoError + std::string("one 1\ntwo 2\n"));
  host.use({host.path("c"), host.path("a/")});
  CHECK(host.samples() == kError + std::string("one 1\n"));
  CHECK(host.has_time_of("a/1.prom"));
  host.use({});
  CHECK(host.samples() == kNoError);
}

TEST_CASE("files are bounded in number, and a directory in names") {
  TextfileHost host;
  for (int i = 0; i < 1001; ++i) {
    host.tree.write("a/" + std::to_string(10'000 + i) + ".prom", "n" + std::to_string(i) + " 1\n");
  }
  CHECK(host.samples().find("n999 1\n") != std::string::npos);
  CHECK(host.samples().find("n1000 1\n") == std::string::npos);
  CHECK(host.collector->complaint() == host.path("a") + ": too many files");
}

TEST_CASE("samples of all files together are bounded") {
  TextfileHost host;
  std::string many;
  for (int i = 0; i < 15'000; ++i) many += "m{x=\"" + std::to_string(i) + "\"} 1\n";
  host.tree.write("a/1.prom", many).write("a/2.prom", "few 1\n");
  many.clear();
  for (int i = 0; i < 15'000; ++i) many += "o{x=\"" + std::to_string(i) + "\"} 1\n";
  host.tree.write("a/3.prom", many).write("a/4.prom", "more 1\n");
  const auto samples = host.samples();
  CHECK(samples.find("m{x=\"14999\"} 1\n") != std::string::npos);
  CHECK(samples.find("few 1\n") != std::string::npos);
  CHECK(samples.find("o{") == std::string::npos);
  CHECK(samples.find("more 1\n") != std::string::npos);
}

TEST_CASE("a directory by two paths is one") {
  TextfileHost host;
  host.tree.write("a/1.prom", "once 1\n");
  host.use({host.path("a"), host.path("a/"), host.path("[ab]")});
  CHECK(host.samples() == kNoError + std::string("once 1\n"));
}
