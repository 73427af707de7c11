#include "procfs/net_dev.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_net_dev;

namespace {

const std::string kHeadings =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
    "fifo colls carrier compressed\n";

}  // namespace

TEST_CASE("parse_net_dev gives every column its own number") {
  const auto text = kHeadings +
                    "    lo:   37108      53    0    0    0     0          0         0    37108"
                    "      53    0    0    0     0       0          0\n"
                    "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
  const auto parsed = parse_net_dev(text);
  REQUIRE(parsed);
  REQUIRE(parsed->devices.size() == 2);
  CHECK(parsed->devices[0].name == "lo");
  CHECK(parsed->devices[0].receive_bytes == 37108);
  CHECK(parsed->devices[0].transmit_packets == 53);
  const auto& eth0 = parsed->devices[1];
  CHECK(eth0.name == "eth0");
  CHECK(eth0.receive_bytes == 1);
  CHECK(eth0.receive_packets == 2);
  CHECK(eth0.receive_errors == 3);
  CHECK(eth0.receive_dropped == 4);
  CHECK(eth0.receive_fifo_errors == 5);
  CHECK(eth0.receive_frame_errors == 6);
  CHECK(eth0.receive_compressed == 7);
  CHECK(eth0.receive_multicast == 8);
  CHECK(eth0.transmit_bytes == 9);
  CHECK(eth0.transmit_packets == 10);
  CHECK(eth0.transmit_errors == 11);
  CHECK(eth0.transmit_dropped == 12);
  CHECK(eth0.transmit_fifo_errors == 13);
  CHECK(eth0.transmit_collisions == 14);
  CHECK(eth0.transmit_carrier_errors == 15);
  CHECK(eth0.transmit_compressed == 16);
}

TEST_CASE("parse_net_dev finds the end of any device name") {
  const std::string numbers = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16";
  const auto [name, line] = GENERATE_COPY(table<std::string, std::string>({
      {"eth0", "eth0: " + numbers},
      {"eth0", "eth0:" + numbers},
      {"wlan0123456789a", "wlan0123456789a:" + numbers},
      {"eth0:1", "eth0:1: " + numbers},
      {"eth0:1", "  eth0:1:" + numbers},
      {":", "::" + numbers},
      {"12", "12:" + numbers},
      {"a\"b\\c\xff", "a\"b\\c\xff: " + numbers},
      {"../..", "../..: " + numbers},
  }));
  INFO(line);
  const auto text = kHeadings + line + "\n";
  const auto parsed = parse_net_dev(text);
  REQUIRE(parsed);
  REQUIRE(parsed->devices.size() == 1);
  CHECK(parsed->devices[0].name == name);
  CHECK(parsed->devices[0].receive_bytes == 1);
  CHECK(parsed->devices[0].transmit_compressed == 16);
}

TEST_CASE("parse_net_dev takes no device, more columns and a missing last newline") {
  CHECK(parse_net_dev(kHeadings)->devices.empty());
  const auto text =
      kHeadings + "eth0: 18446744073709551615 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17";
  const auto parsed = parse_net_dev(text);
  REQUIRE(parsed);
  CHECK(parsed->devices.at(0).receive_bytes == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("parse_net_dev rejects text that is not /proc/net/dev") {
  const auto [what, text] = GENERATE(table<const char*, std::string>({
      {"empty file", ""},
      {"no headings", "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"},
      {"one heading", "Inter-|\neth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"},
      {"15 columns", kHeadings + "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n"},
      {"no column", kHeadings + "eth0:\n"},
      {"no colon", kHeadings + "eth0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"},
      {"no name", kHeadings + " : 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"},
      {"two names", kHeadings + "eth 0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"},
      {"an empty line", kHeadings + "\neth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"},
      {"a negative number", kHeadings + "eth0: 1 2 3 4 5 6 7 8 -9 10 11 12 13 14 15 16\n"},
      {"a word", kHeadings + "eth0: 1 2 3 4 5 6 7 8 9x 10 11 12 13 14 15 16\n"},
      {"past 64 bits",
       kHeadings + "eth0: 18446744073709551616 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"},
  }));
  INFO(what);
  const auto parsed = parse_net_dev(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_net_dev survives any truncation and damage") {
  tests::survives_truncation_and_damage(
      kHeadings + "  eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
      [](const std::string& text) { (void)parse_net_dev(text); });
}
