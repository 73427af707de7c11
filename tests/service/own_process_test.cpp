#include "service/own_process.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "tests/support/file_tree.hpp"

using service::OwnProcess;

namespace {

double unix_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace

TEST_CASE("a process knows when it began, not when somebody asked") {
  const auto began = OwnProcess().start_time_seconds();
  REQUIRE(began);
  CHECK(*began <= unix_seconds());
  const auto again = OwnProcess().start_time_seconds();
  REQUIRE(again);
  CHECK(*again == Approx(*began).margin(0.5));
  // The first process of the machine, or of the container, was there before.
  const auto first = OwnProcess("/proc/1").start_time_seconds();
  REQUIRE(first);
  CHECK(*first <= *began + 0.01);
}

TEST_CASE("ticks since boot become a time of the wall clock") {
  tests::FileTree tree;
  const auto stat = [](const std::string& start) {
    return "7 (a) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + start +
           " 4096 1 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
  };
  tree.write("boot/stat", stat("0"));
  tree.write("later/stat", stat(std::to_string(100 * ::sysconf(_SC_CLK_TCK))));
  const auto boot = OwnProcess(tree.path() / "boot").start_time_seconds();
  const auto later = OwnProcess(tree.path() / "later").start_time_seconds();
  REQUIRE(boot);
  REQUIRE(later);
  CHECK(*later - *boot == Approx(100).margin(0.5));
}

TEST_CASE("memory is that of statm, in bytes, as it is now") {
  tests::FileTree tree;
  tree.write("statm", "20 10 5 1 0 8 0\n");
  OwnProcess process(tree.path());
  const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const auto memory = process.memory();
  REQUIRE(memory);
  CHECK(memory->virtual_bytes == 20 * page_bytes);
  CHECK(memory->resident_bytes == 10 * page_bytes);
  tree.write("statm", "20 11 5 1 0 8 0\n");
  REQUIRE(process.memory());
  CHECK(process.memory()->resident_bytes == 11 * page_bytes);
}

TEST_CASE("what cannot be read is nothing, and no zero") {
  tests::FileTree tree;
  tree.write("damaged/statm", "20 many\n").write("damaged/stat", "7 (a) S\n");
  for (const auto* folder : {"damaged", "proc", "missing"}) {
    INFO(folder);
    OwnProcess process(tree.path() / folder);
    CHECK_FALSE(process.memory());
    CHECK_FALSE(process.start_time_seconds());
  }
}

TEST_CASE("this process has memory and used time") {
  OwnProcess process;
  const auto memory = process.memory();
  REQUIRE(memory);
  CHECK(memory->resident_bytes > 0);
  CHECK(memory->resident_bytes <= memory->virtual_bytes);
  CHECK(OwnProcess::cpu_seconds() > 0);
}
