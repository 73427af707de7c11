#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

namespace {

const std::string kHeadings =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
    "fifo colls carrier compressed\n";

std::string device(const std::string& name) { return name + ": 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"; }

std::string no_handler_of(const std::string& name) {
  return "sys/class/net/" + name + "/statistics/rx_nohandler";
}

/// The samples of packets that no protocol wanted, which come last.
std::string no_handler_samples(const collectors::Collector& collector) {
  const auto samples = tests::samples_of(collector);
  const auto begin = samples.find("node_network_receive_nohandler_total");
  return begin == std::string::npos ? "" : samples.substr(begin);
}

}  // namespace

TEST_CASE("netdev shows each counter under its name, in file order, without the loopback") {
  tests::FileTree tree;
  tree.write("proc/net/dev", kHeadings +
                                 "    lo: 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9\n"
                                 "  eth1:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
                                 "  eth0:73250315 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  tree.write(no_handler_of("eth0"), "3\n").write(no_handler_of("eth1"), "17\n");
  tree.write(no_handler_of("lo"), "9\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kNetdev.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "node_network_receive_bytes_total{device=\"eth1\"} 1\n"
        "node_network_receive_bytes_total{device=\"eth0\"} 73250315\n"
        "node_network_receive_compressed_total{device=\"eth1\"} 7\n"
        "node_network_receive_compressed_total{device=\"eth0\"} 0\n"
        "node_network_receive_drop_total{device=\"eth1\"} 4\n"
        "node_network_receive_drop_total{device=\"eth0\"} 0\n"
        "node_network_receive_errs_total{device=\"eth1\"} 3\n"
        "node_network_receive_errs_total{device=\"eth0\"} 0\n"
        "node_network_receive_fifo_total{device=\"eth1\"} 5\n"
        "node_network_receive_fifo_total{device=\"eth0\"} 0\n"
        "node_network_receive_frame_total{device=\"eth1\"} 6\n"
        "node_network_receive_frame_total{device=\"eth0\"} 0\n"
        "node_network_receive_multicast_total{device=\"eth1\"} 8\n"
        "node_network_receive_multicast_total{device=\"eth0\"} 0\n"
        "node_network_receive_packets_total{device=\"eth1\"} 2\n"
        "node_network_receive_packets_total{device=\"eth0\"} 0\n"
        "node_network_transmit_bytes_total{device=\"eth1\"} 9\n"
        "node_network_transmit_bytes_total{device=\"eth0\"} 0\n"
        "node_network_transmit_carrier_total{device=\"eth1\"} 15\n"
        "node_network_transmit_carrier_total{device=\"eth0\"} 0\n"
        "node_network_transmit_colls_total{device=\"eth1\"} 14\n"
        "node_network_transmit_colls_total{device=\"eth0\"} 0\n"
        "node_network_transmit_compressed_total{device=\"eth1\"} 16\n"
        "node_network_transmit_compressed_total{device=\"eth0\"} 0\n"
        "node_network_transmit_drop_total{device=\"eth1\"} 12\n"
        "node_network_transmit_drop_total{device=\"eth0\"} 0\n"
        "node_network_transmit_errs_total{device=\"eth1\"} 11\n"
        "node_network_transmit_errs_total{device=\"eth0\"} 0\n"
        "node_network_transmit_fifo_total{device=\"eth1\"} 13\n"
        "node_network_transmit_fifo_total{device=\"eth0\"} 0\n"
        "node_network_transmit_packets_total{device=\"eth1\"} 10\n"
        "node_network_transmit_packets_total{device=\"eth0\"} 0\n"
        "node_network_receive_nohandler_total{device=\"eth1\"} 17\n"
        "node_network_receive_nohandler_total{device=\"eth0\"} 3\n");
}

TEST_CASE("netdev's families are all counters") {
  tests::FileTree tree;
  tree.write("proc/net/dev", kHeadings + device("eth0"));
  tree.write(no_handler_of("eth0"), "0\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kNetdev.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  const auto page = tests::page_of(*collector);
  std::size_t counters = 0;
  for (auto at = page.find("_total counter\n"); at != std::string::npos;
       at = page.find("_total counter\n", at + 1)) {
    ++counters;
  }
  CHECK(counters == 17);
  CHECK_THAT(page, !Catch::Contains(" gauge\n"));
}

TEST_CASE("netdev leaves out the packets without a handler where sysfs does not tell them") {
  tests::FileTree tree;
  tree.write("proc/net/dev", kHeadings + device("a") + device("b") + device("c"));
  const auto* const text = GENERATE("", "\n", "-1\n", "many\n", "18446744073709551616\n");
  tree.write(no_handler_of("b"), text).write(no_handler_of("c"), "4\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kNetdev.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(no_handler_samples(*collector) == "node_network_receive_nohandler_total{device=\"c\"} 4\n");
  tree.remove("sys/class");
  const auto elsewhere = collectors::kNetdev.make(fixture.host);
  REQUIRE(elsewhere->refresh(at_second(1)));
  CHECK_THAT(tests::page_of(*elsewhere), !Catch::Contains("nohandler"));
}

TEST_CASE("netdev follows devices that come, go and change places") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kNetdev.make(fixture.host);
  const auto samples_after = [&](int second, const std::string& devices) {
    tree.write("proc/net/dev", kHeadings + devices);
    REQUIRE(collector->refresh(at_second(second)));
    return no_handler_samples(*collector);
  };
  const std::string a = "node_network_receive_nohandler_total{device=\"a\"} ";
  const std::string b = "node_network_receive_nohandler_total{device=\"b\"} ";
  tree.write(no_handler_of("a"), "1\n").write(no_handler_of("b"), "2\n");
  CHECK(samples_after(0, device("a")) == a + "1\n");
  CHECK(samples_after(1, device("a") + device("b")) == a + "1\n" + b + "2\n");
  tree.write(no_handler_of("b"), "3\n");
  CHECK(samples_after(2, device("a") + device("b")) == a + "1\n" + b + "3\n");
  CHECK(samples_after(3, device("b")) == b + "3\n");

  // Both renamed: sysfs moves the folders, a descriptor that is open moves with them.
  CHECK(samples_after(4, device("a") + device("b")) == a + "1\n" + b + "3\n");
  const auto net = tree.path() / "sys/class/net";
  std::filesystem::rename(net / "a", net / "c");
  std::filesystem::rename(net / "b", net / "a");
  std::filesystem::rename(net / "c", net / "b");
  CHECK(samples_after(5, device("b") + device("a")) == b + "1\n" + a + "3\n");
}

TEST_CASE("netdev reads nothing outside a device's folder") {
  tests::FileTree tree;
  const auto* const name = GENERATE("..", ".", "../net", "a/b", "/etc");
  tree.write("proc/net/dev", kHeadings + device(name));
  tree.write("sys/class/statistics/rx_nohandler", "1\n");
  tree.write("sys/class/net/statistics/rx_nohandler", "1\n");
  tree.write("sys/class/net/a/b/statistics/rx_nohandler", "1\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kNetdev.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(no_handler_samples(*collector).empty());
  CHECK_THAT(tests::samples_of(*collector),
             Catch::Contains("receive_bytes_total{device=\"" + std::string(name) + "\"} 0\n"));
}

TEST_CASE("netdev keeps at most 64 files open") {
  tests::FileTree tree;
  std::string devices;
  for (int i = 0; i < 70; ++i) {
    const auto name = "veth" + std::to_string(i);
    devices += device(name);
    tree.write(no_handler_of(name), "1\n");
  }
  tree.write("proc/net/dev", kHeadings + devices);
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kNetdev.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(tests::samples_of(*collector),
             Catch::Contains("receive_bytes_total{device=\"veth69\"}") &&
                 Catch::Contains("receive_nohandler_total{device=\"veth63\"}") &&
                 !Catch::Contains("receive_nohandler_total{device=\"veth64\"}"));
}

TEST_CASE("netdev fails on a file that is not /proc/net/dev, and recovers") {
  tests::FileTree tree;
  tree.write("proc/net/dev", kHeadings + "eth0: 1 2 3\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kNetdev.make(fixture.host);
  const auto malformed = collector->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
  tree.write("proc/net/dev", kHeadings + device("eth0"));
  CHECK(collector->refresh(at_second(1)));
}

TEST_CASE("netdev is unsupported where there is no /proc/net/dev") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kNetdev.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
