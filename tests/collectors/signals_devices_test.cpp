// Which disks and network devices have signals, and for how long.
#include "tests/support/signals_devices.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

using namespace std::chrono_literals;
using tests::Disk;
using tests::disk;
using tests::kDisksLeftOut;
using tests::network;
using tests::shown;
using tests::SignalsHost;
using tests::write_disks;
using tests::write_network;

TEST_CASE("a device that went is shown until its window is over, and goes on if it comes back") {
  SignalsHost host;
  host.host().window = 30s;  // two and a bucket: 61 s
  write_disks(host, {{"sda"}, {"sdb", 0, 0, 0, 0, 16}});
  host.tick(0);
  write_disks(host, {{"sda"}, {"sdb", 8, 0, 0, 500, 16}});
  host.tick(1);
  write_disks(host, {{"sda"}});
  const bool comes_back = GENERATE(false, true);
  for (int second = 2; second <= 70; ++second) {
    if (comes_back && second == 50) write_disks(host, {{"sda"}, {"sdb", 0, 0, 0, 0, 16}});
    host.tick(second);
    INFO(second);
    CHECK(shown(host, second) == (second <= 62 || comes_back ? "sda sdb " : "sda "));
    if (second <= 61) CHECK(host.value(disk("busy_ratio_peak", "sdb"), second) == "0.5");
  }
  // Of the ticks 51 to 70, and of that at 1.
  if (comes_back) CHECK(host.value(disk("busy_ratio_count", "sdb"), 70) == "21");
}

TEST_CASE("places are bounded: who is left out is counted") {
  SignalsHost host;
  host.fixture().settings.set("signals.max-devices", {"2"});
  write_disks(host, {{"sda"}, {"sdb"}, {"sdc"}, {"sdd"}, {"loop0"}});
  host.tick(0);
  CHECK(shown(host, 0) == "sda sdb ");
  CHECK(host.value(kDisksLeftOut, 0) == "2");
  write_disks(host, {{"sda"}, {"sdc"}, {"sdd"}});
  host.tick(1);  // one vanished; that is known at the next list
  host.tick(2);
  CHECK(shown(host, 2) == "sda sdc ");
  CHECK(host.value(kDisksLeftOut, 2) == "1");
}

TEST_CASE("with no place at all there are no device signals") {
  SignalsHost host;
  host.fixture().settings.set("signals.max-devices", {"0"});
  for (int second = 0; second < 3; ++second) {
    write_disks(host, {{"sda", static_cast<unsigned>(second)}});
    host.tick(second);
  }
  CHECK(shown(host, 2).empty());
  CHECK(host.value(kDisksLeftOut, 2) == "1");
}

TEST_CASE("an active device takes the place of one idle for longer than the window, no sooner") {
  SignalsHost host;
  host.host().window = 30s;
  host.fixture().settings.set("signals.max-devices", {"2"});
  // sda did something long ago and is idle; sdb is always active; sdc begins at 10.
  for (int second = 0; second <= 70; ++second) {
    const auto active = static_cast<unsigned>(second);
    write_disks(host, {{"sda", 5}, {"sdb", active + 1}, {"sdc", second < 10 ? 1 : active}});
    host.tick(second);
    INFO(second);
    CHECK(shown(host, second) == (second <= 61 ? "sda sdb " : "sdc sdb "));
    CHECK(host.value(kDisksLeftOut, second) == "1");
  }
}

TEST_CASE("a device that has never done anything keeps no active one waiting") {
  SignalsHost host;
  host.fixture().settings.set("signals.max-devices", {"1"});
  write_disks(host, {{"sda"}, {"sdb", 7}});
  host.tick(0);
  CHECK(shown(host, 0) == "sdb ");  // that did something before the first list
  write_disks(host, {{"sda"}, {"sdb", 8}});
  host.tick(1);
  CHECK(shown(host, 1) == "sdb ");
  CHECK(host.value(kDisksLeftOut, 1) == "1");
}

TEST_CASE("the first work of a device that had no place is a sample") {
  SignalsHost host;
  host.fixture().settings.set("signals.max-devices", {"1"});
  const int at = GENERATE(0, 1000);  // just after boot, too
  for (int second = 0; second < 2; ++second) {
    write_disks(host, {{"sda"}, {"sdb"}});
    host.tick(at + second);
    CHECK(shown(host, at + second) == "sda ");
  }
  write_disks(host, {{"sda"}, {"sdb", 8}});
  host.tick(at + 2);
  CHECK(shown(host, at + 2) == "sdb ");
  CHECK(host.value(disk("read_bytes_per_second_peak", "sdb"), at + 2) == "4096");
}

TEST_CASE("the first places go to those that did most since boot") {
  SignalsHost host;
  host.fixture().settings.set("signals.max-devices", {"2"});
  write_disks(host, {{"sda", 1}, {"loop0", 99}, {"sdb", 7}, {"sdc", 2}, {"sdd", 9}});
  host.tick(0);
  CHECK(shown(host, 0) == "sdd sdb ");
  CHECK(host.value(kDisksLeftOut, 0) == "2");
}

TEST_CASE("network names that move on to other devices make no sample") {
  SignalsHost host;
  write_network(host, {{"eth0", 10}, {"eth1", 9'000'000}});
  host.tick(0);
  write_network(host, {{"eth2", 10}, {"eth0", 9'000'000}});  // each is called after the one before
  host.tick(1);
  CHECK(host.value(network("receive_bytes_per_second_count", "eth0"), 1) == "0");
  write_network(host, {{"eth2", 10}, {"eth0", 9'000'100}});
  host.tick(2);
  CHECK(host.value(network("receive_bytes_per_second_peak", "eth0"), 2) == "100");
}

TEST_CASE("an idle device does not push out another idle one") {
  SignalsHost host;
  host.host().window = 1s;
  host.fixture().settings.set("signals.max-devices", {"1"});
  for (int second = 0; second <= 20; ++second) {
    write_disks(host, {{"sda", 1}, {"sdb", 1}});
    host.tick(second);
    CHECK(shown(host, second) == "sda ");
  }
}

TEST_CASE("the set stays bounded and free of twins under churn") {
  SignalsHost host;
  host.host().window = 10s;
  host.fixture().settings.set("signals.max-devices", {"4"});
  unsigned random = 1;
  for (int second = 0; second < 300; ++second) {
    std::vector<Disk> disks;
    for (unsigned i = 0; i < 12; ++i) {
      random = random * 1664525U + 1013904223U;
      if ((random >> 16U) % 3 == 0) continue;
      disks.push_back({"vd" + std::string(1, static_cast<char>('a' + i)), (random >> 20U) % 4});
    }
    write_disks(host, disks);
    host.tick(second);
    INFO(second);
    std::map<std::string, int> seen;
    std::istringstream names(shown(host, second));
    for (std::string name; names >> name;) CHECK(++seen[name] == 1);
    CHECK(seen.size() <= 4);
    std::size_t unplaced = 0;
    for (const auto& each : disks)
      if (seen.count(each.name) == 0) ++unplaced;
    CHECK(std::stoul(host.value(kDisksLeftOut, second)) == unplaced);
  }
}

TEST_CASE("devices whose names look the same after UTF-8 repair are one series") {
  SignalsHost host;
  write_disks(host, {{"sd\xff"}, {"sd\xfe"}, {"sda"}, {"sda"}});
  host.tick(0);
  write_disks(host, {{"sd\xff", 2}, {"sd\xfe", 4}, {"sda", 6}, {"sda", 8}});
  host.tick(1);
  CHECK(shown(host, 1) == "sd\xef\xbf\xbd sda ");
  CHECK(host.value(disk("read_bytes_per_second_peak", "sd\xef\xbf\xbd"), 1) == "1024");
  CHECK(host.value(disk("read_bytes_per_second_peak", "sda"), 1) == "3072");
  CHECK(host.value(kDisksLeftOut, 1) == "2");
}

TEST_CASE("a list that cannot be read costs a sample and keeps the devices") {
  SignalsHost host;
  write_disks(host, {{"sda", 2}});
  host.tick(0);
  host.tree().write("proc/diskstats", "8 0 sda 1\n");
  host.tick(1);
  CHECK(shown(host, 1) == "sda ");
  CHECK(host.value("host_signal_read_failures_total{file=\"diskstats\"}", 1) == "1");
  write_disks(host, {{"sda", 2'000'000}});
  host.tick(2);
  CHECK(host.value(disk("read_bytes_per_second_peak", "sda"), 2) == "absent");
  write_disks(host, {{"sda", 2'000'002}});
  host.tick(3);
  CHECK(host.value(disk("read_bytes_per_second_peak", "sda"), 3) == "1024");
}

TEST_CASE("a setting that is not what it must be stops the start with a line that says what is") {
  const auto [key, value, line] = GENERATE(table<const char*, const char*, const char*>({
      {"signals.max-devices", "many",
       "--collector.signals.max-devices: 'many' is not a whole number from 0 to 4096"},
      {"signals.max-devices", "4097",
       "--collector.signals.max-devices: '4097' is not a whole number from 0 to 4096"},
      {"signals.virtual-devices", "yes",
       "--collector.signals.virtual-devices: 'yes' is not true or false"},
  }));
  SignalsHost host;
  host.fixture().settings.set(key, {value});
  CHECK_THROWS_WITH(host.make(), line);
}
