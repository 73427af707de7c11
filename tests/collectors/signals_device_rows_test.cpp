// What the signals of a disk or network device are computed from, also when it comes, goes or
// moves.
#include <catch2/catch.hpp>

#include "tests/support/signals_devices.hpp"

using tests::Disk;
using tests::disk;
using tests::Interface;
using tests::kDisksLeftOut;
using tests::network;
using tests::shown;
using tests::SignalsHost;
using tests::write_disks;
using tests::write_network;

TEST_CASE("each row of a disk computes its number") {
  const auto [series, expected] = GENERATE(table<std::string, const char*>({
      {disk("busy_ratio_peak", "sda"), "0.8"},
      {disk("read_bytes_per_second_peak", "sda"), "10240"},
      {disk("written_bytes_per_second_peak", "sda"), "5120"},
      {disk("in_flight_peak", "sda"), "7"},
      {disk("busy_ratio_count", "sda"), "1"},
      {R"(host_disk_busy_ratio_bucket{device="sda",le="0.7"})", "0"},
      {R"(host_disk_busy_ratio_bucket{device="sda",le="0.8"})", "1"},
      {disk("busy_ratio_peak", "sdb"), "1"},  // clamped
      {R"(host_disk_busy_ratio_bucket{device="sdb",le="1.0"})", "1"},
      {disk("read_bytes_per_second_peak", "sdb"), "0"},
  }));
  INFO(series);
  SignalsHost host;
  write_disks(host, {{"sda", 100, 50, 0, 1000}, {"sdb", 0, 0, 0, 0, 16}});
  host.tick(0);
  write_disks(host, {{"sda", 120, 60, 7, 1800}, {"sdb", 0, 0, 0, 1003, 16}});
  host.tick(1);
  CHECK(host.value(series, 1) == expected);
}

TEST_CASE("each row of a network device computes its number") {
  const auto [series, expected] = GENERATE(table<std::string, const char*>({
      {network("receive_bytes_per_second_peak", "eth0"), "1.25e+08"},
      {network("transmit_bytes_per_second_peak", "eth0"), "1000"},
      {network("receive_packets_per_second_peak", "eth0"), "90"},
      {network("transmit_packets_per_second_peak", "eth0"), "9"},
      {network("drops_per_second_peak", "eth0"), "5"},
      {network("receive_bytes_per_second_count", "eth0"), "1"},
      {R"(host_network_receive_bytes_per_second_bucket{device="eth0",le="1.25e+07"})", "0"},
      {R"(host_network_receive_bytes_per_second_bucket{device="eth0",le="1.25e+08"})", "1"},
      {R"(host_network_transmit_bytes_per_second_bucket{device="eth0",le="10000.0"})", "1"},
  }));
  INFO(series);
  SignalsHost host;
  write_network(host, {{"lo", 0, 0, 0, 0, 0, 0}, {"eth0", 1000, 10, 1, 500, 1, 10}});
  host.tick(0);
  write_network(host, {{"lo", 99, 9, 9, 99, 9, 9}, {"eth0", 125'001'000, 100, 3, 1500, 10, 13}});
  host.tick(1);
  CHECK(std::stod(host.value(series, 1)) == std::stod(expected));
}

TEST_CASE("a device has at most ten buckets") {
  SignalsHost host;
  write_disks(host, {{"sda"}});
  write_network(host, {{"eth0"}});
  host.tick(0);
  const auto samples = host.samples(0);
  for (const std::string name : {"host_disk_busy_ratio_bucket{device=\"sda\"",
                                 "host_network_receive_bytes_per_second_bucket{device=\"eth0\""}) {
    int buckets = 0;
    for (auto at = samples.find(name); at != std::string::npos; at = samples.find(name, at + 1)) {
      ++buckets;
    }
    CHECK(buckets == 10);
  }
}

TEST_CASE("virtual devices are out by default and in on demand, partitions never") {
  const std::vector<Disk> disks = {{"loop0"}, {"zram0"}, {"dm-0"}, {"sda"}, {"sda1"}};
  const std::vector<Interface> interfaces = {{"lo"}, {"veth1"}, {"eth0"}};
  SignalsHost host;
  write_disks(host, disks);
  write_network(host, interfaces);
  SECTION("by default") {
    host.tick(0);
    CHECK(shown(host, 0) == "sda ");
    CHECK_THAT(host.samples(0),
               Catch::Contains("eth0") && !Catch::Contains("\"lo\"") && !Catch::Contains("veth"));
    CHECK(host.value(kDisksLeftOut, 0) == "0");
  }
  SECTION("on demand") {
    host.fixture().settings.set("signals.virtual-devices", {"true"});
    host.tick(0);
    CHECK(shown(host, 0) == "loop0 zram0 dm-0 sda ");
    CHECK_THAT(host.samples(0), Catch::Contains("\"lo\"") && Catch::Contains("veth1"));
  }
}

TEST_CASE("a device that comes has its first sample a tick later") {
  SignalsHost host;
  write_disks(host, {{"sda", 10}});
  host.tick(0);
  write_disks(host, {{"sda", 10}, {"sdb", 1'000'000}});
  host.tick(1);
  CHECK(host.value(disk("read_bytes_per_second_peak", "sdb"), 1) == "absent");
  CHECK(host.value(disk("busy_ratio_count", "sdb"), 1) == "0");
  CHECK(host.value(disk("busy_ratio_count", "sda"), 1) == "1");
  write_disks(host, {{"sda", 10}, {"sdb", 1'000'002}});
  host.tick(2);
  CHECK(host.value(disk("read_bytes_per_second_peak", "sdb"), 2) == "1024");
}

TEST_CASE("a device whose counters went back, or that is another one, has no sample") {
  const auto [what, after] = GENERATE(table<const char*, Disk>({
      {"reads went back", {"sda", 5, 2000, 0, 3000, 0}},
      {"writes went back", {"sda", 2000, 5, 0, 3000, 0}},
      {"another device under the name", {"sda", 2000, 2000, 0, 3000, 16}},
  }));
  INFO(what);
  SignalsHost host;
  write_disks(host, {{"sda", 1000, 1000, 0, 1000, 0}});
  host.tick(0);
  write_disks(host, {after});
  host.tick(1);
  CHECK_THAT(host.samples(1), !Catch::Contains("disk_read_bytes_per_second_peak") &&
                                  !Catch::Contains("disk_written_bytes_per_second_peak") &&
                                  Catch::Contains("host_disk_busy_ratio_count{device=\"sda\"} 0"));
}

TEST_CASE("the milliseconds of a disk start again at 0: that signal alone has no sample") {
  SignalsHost host;
  write_disks(host, {{"sda", 10, 0, 0, 4'294'967'000U}});
  host.tick(0);
  write_disks(host, {{"sda", 12, 0, 0, 100}});
  host.tick(1);
  CHECK(host.value(disk("busy_ratio_count", "sda"), 1) == "0");
  CHECK(host.value(disk("read_bytes_per_second_peak", "sda"), 1) == "1024");
}

TEST_CASE("a network device that was made anew has no sample") {
  SignalsHost host;
  write_network(host, {{"eth0", 5000, 50, 0, 10, 1, 0}});
  host.tick(0);
  write_network(host, {{"eth0", 100, 1, 0, 900'000, 9, 0}});
  host.tick(1);
  CHECK_THAT(host.samples(1), !Catch::Contains("host_network_transmit_bytes_per_second_peak"));
}

TEST_CASE("devices are known again wherever they stand in the list") {
  SignalsHost host;
  write_disks(host, {{"sda", 100}, {"sdb", 200}, {"sdc", 300}});
  host.tick(0);
  SECTION("the first went") { write_disks(host, {{"sdb", 202}, {"sdc", 304}}); }
  SECTION("one came in front") {
    write_disks(host, {{"sdaa", 9}, {"sda", 100}, {"sdb", 202}, {"sdc", 304}});
  }
  SECTION("one came between, one went") {
    write_disks(host, {{"sdb", 202}, {"sdba", 9}, {"sdc", 304}});
  }
  host.tick(1);
  CHECK(host.value(disk("read_bytes_per_second_peak", "sdb"), 1) == "1024");
  CHECK(host.value(disk("read_bytes_per_second_peak", "sdc"), 1) == "2048");
}

TEST_CASE("devices that changed places may have changed names: no sample, then on as before") {
  SignalsHost host;
  write_network(host, {{"eth0", 1000}, {"eth1", 9'000'000}});
  host.tick(0);
  write_network(host, {{"eth1", 1000}, {"eth0", 9'000'000}});  // renamed, each to the other
  host.tick(1);
  CHECK_THAT(host.samples(1), !Catch::Contains("network_receive_bytes_per_second_peak"));
  write_network(host, {{"eth1", 1500}, {"eth0", 9'000'100}});
  host.tick(2);
  CHECK(host.value(network("receive_bytes_per_second_peak", "eth1"), 2) == "500");
  CHECK(host.value(network("receive_bytes_per_second_peak", "eth0"), 2) == "100");
}
