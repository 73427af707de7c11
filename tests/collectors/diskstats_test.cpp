#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

namespace {

/// A line of /proc/diskstats of a disk that has done nothing.
std::string idle(const std::string& numbers_and_name) {
  return numbers_and_name + " 0 0 0 0 0 0 0 0 0 0 0\n";
}

/// The samples whose name starts with `prefix`.
std::string samples_named(const collectors::Collector& collector, std::string_view prefix) {
  const auto all = tests::samples_of(collector);
  std::string chosen;
  for (std::size_t at = 0; at < all.size();) {
    const auto end = all.find('\n', at) + 1;
    if (std::string_view(all).substr(at).starts_with(prefix)) chosen.append(all, at, end - at);
    at = end;
  }
  return chosen;
}

}  // namespace

TEST_CASE("diskstats shows each counter under its name in base units") {
  tests::FileTree tree;
  tree.write("proc/diskstats",
             " 254       0 vda 1 2 3 1004 5 6 7 1008 9 1010 1011 12 13 14 1015 16 1017\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(tests::samples_of(*collector) ==
        "node_disk_reads_completed_total{device=\"vda\"} 1\n"
        "node_disk_reads_merged_total{device=\"vda\"} 2\n"
        "node_disk_read_bytes_total{device=\"vda\"} 1536\n"
        "node_disk_read_time_seconds_total{device=\"vda\"} 1.004\n"
        "node_disk_writes_completed_total{device=\"vda\"} 5\n"
        "node_disk_writes_merged_total{device=\"vda\"} 6\n"
        "node_disk_written_bytes_total{device=\"vda\"} 3584\n"
        "node_disk_write_time_seconds_total{device=\"vda\"} 1.008\n"
        "node_disk_io_now{device=\"vda\"} 9\n"
        "node_disk_io_time_seconds_total{device=\"vda\"} 1.01\n"
        "node_disk_io_time_weighted_seconds_total{device=\"vda\"} 1.011\n"
        "node_disk_discards_completed_total{device=\"vda\"} 12\n"
        "node_disk_discards_merged_total{device=\"vda\"} 13\n"
        "node_disk_discarded_sectors_total{device=\"vda\"} 14\n"
        "node_disk_discard_time_seconds_total{device=\"vda\"} 1.015\n"
        "node_disk_flush_requests_total{device=\"vda\"} 16\n"
        "node_disk_flush_requests_time_seconds_total{device=\"vda\"} 1.017\n"
        "node_disk_info{device=\"vda\",major=\"254\",minor=\"0\",model=\"\",path=\"\","
        "revision=\"\",serial=\"\",wwn=\"\"} 1\n");
  CHECK_THAT(tests::page_of(*collector),
             Catch::Contains("# TYPE node_disk_io_now gauge\n") &&
                 Catch::Contains("# TYPE node_disk_info gauge\n") &&
                 Catch::Contains("# TYPE node_disk_read_bytes_total counter\n") &&
                 Catch::Contains("# TYPE node_disk_discarded_sectors_total counter\n") &&
                 Catch::Contains("# TYPE node_disk_flush_requests_total counter\n"));
}

TEST_CASE("diskstats has no family for what the kernel does not count") {
  tests::FileTree tree;
  tree.write("proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(tests::page_of(*collector), Catch::Contains("node_disk_io_now") &&
                                             !Catch::Contains("discard") &&
                                             !Catch::Contains("flush"));
  tree.write("proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n");
  REQUIRE(collector->refresh(at_second(1)));
  CHECK_THAT(tests::page_of(*collector),
             Catch::Contains("node_disk_discards_completed_total") && !Catch::Contains("flush"));
}

TEST_CASE("diskstats leaves out partitions and disks in memory as node_exporter does") {
  const auto [name, shown] = GENERATE(table<const char*, bool>({
      {"sda", true},           {"sda1", false},      {"sdz15", false},
      {"sdaa", true},          {"sdaa1", true},      {"sdp1", false},
      {"sd1", true},           {"sdA1", true},       {"hda", true},
      {"hda1", false},         {"vda", true},        {"vda1", false},
      {"xvda", true},          {"xvda1", false},     {"xxvda1", true},
      {"wda1", true},          {"nvme0n1", true},    {"nvme0n1p1", false},
      {"nvme10n11p12", false}, {"nvme0c0n1", true},  {"nvmen1p1", true},
      {"nvme0np1", true},      {"xnvme0n1p1", true}, {"nvme0n1p", true},
      {"loop0", false},        {"loop", true},       {"xloop0", true},
      {"ram15", false},        {"zram0", true},      {"fd0", false},
      {"dm-0", true},          {"md127", true},      {"mmcblk0p1", true},
      {"sr0", true},           {"0", true},          {"cciss/c0d0", true},
  }));
  INFO(name);
  tests::FileTree tree;
  tree.write("proc/diskstats", idle("8 0 " + std::string(name)));
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  const auto label = "device=\"" + std::string(name) + "\"";
  CHECK((samples_named(*collector, "node_disk_io_now{" + label).empty()) == !shown);
  CHECK((samples_named(*collector, "node_disk_info{" + label).empty()) == !shown);
}

TEST_CASE("diskstats shows what udev knows of a disk") {
  tests::FileTree tree;
  tree.write("proc/diskstats", idle("8 0 sda") + idle("254 1 dm-1") + idle("259 2 nvme0n1"));
  tree.write("root/run/udev/data/b8:0",
             "S:disk/by-id/ata-x\n"
             "E:ID_ATA=1\n"
             "E:ID_MODEL=WDC_WD10EZEX\n"
             "E:ID_REVISION=01.01A01\n"
             "E:ID_SERIAL=WDC_WD10EZEX_WD-WCC6Y1\n"
             "E:ID_SERIAL_SHORT=WD-WCC6Y1\n"
             "E:ID_ATA_WRITE_CACHE=1\n"
             "E:ID_ATA_WRITE_CACHE_ENABLED=0\n"
             "E:ID_ATA_ROTATION_RATE_RPM=7200\n"
             "E:ID_WWN=0x50014ee2\n"
             "E:ID_PATH=pci-0000:00:1f.2-ata-1\n"
             "E:MAJOR=1\n");
  tree.write("root/run/udev/data/b254:1",
             "E:DM_NAME=vg-\"root\"\n"
             "E:DM_UUID=LVM-abc\n"
             "E:DM_VG_NAME=vg\n"
             "E:DM_LV_NAME=root\n"
             "E:DM_LV_LAYER=layer\n"
             "E:ID_FS_TYPE=ext4\n"
             "E:ID_FS_USAGE=filesystem\n"
             "E:ID_FS_UUID=e0a1\n"
             "E:ID_FS_VERSION=1.0\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK(samples_named(*collector, "node_disk_info") ==
        "node_disk_info{device=\"sda\",major=\"8\",minor=\"0\",model=\"WDC_WD10EZEX\","
        "path=\"pci-0000:00:1f.2-ata-1\",revision=\"01.01A01\",serial=\"WD-WCC6Y1\","
        "wwn=\"0x50014ee2\"} 1\n"
        "node_disk_info{device=\"dm-1\",major=\"254\",minor=\"1\",model=\"\",path=\"\","
        "revision=\"\",serial=\"\",wwn=\"\"} 1\n"
        "node_disk_info{device=\"nvme0n1\",major=\"259\",minor=\"2\",model=\"\",path=\"\","
        "revision=\"\",serial=\"\",wwn=\"\"} 1\n");
  CHECK(samples_named(*collector, "node_disk_filesystem_info") ==
        "node_disk_filesystem_info{device=\"dm-1\",type=\"ext4\",usage=\"filesystem\","
        "uuid=\"e0a1\",version=\"1.0\"} 1\n");
  CHECK(samples_named(*collector, "node_disk_device_mapper_info") ==
        "node_disk_device_mapper_info{device=\"dm-1\",lv_layer=\"layer\",lv_name=\"root\","
        "name=\"vg-\\\"root\\\"\",uuid=\"LVM-abc\",vg_name=\"vg\"} 1\n");
  CHECK(samples_named(*collector, "node_disk_ata") ==
        "node_disk_ata_rotation_rate_rpm{device=\"sda\"} 7200\n"
        "node_disk_ata_write_cache{device=\"sda\"} 1\n"
        "node_disk_ata_write_cache_enabled{device=\"sda\"} 0\n");
}

TEST_CASE("diskstats has no ATA value for a disk that is not ATA or a value that is no number") {
  const std::string properties =
      GENERATE("E:ID_ATA_WRITE_CACHE=1\n", "E:ID_ATA=1\n", "E:ID_ATA=1\nE:ID_ATA_WRITE_CACHE=yes\n",
               "E:ID_ATA=1\nE:ID_ATA_WRITE_CACHE=nan\n", "E:ID_ATA=1\nE:ID_ATA_WRITE_CACHE=\n");
  INFO(properties);
  tests::FileTree tree;
  tree.write("proc/diskstats", idle("8 0 sda"));
  tree.write("root/run/udev/data/b8:0", properties);
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(tests::page_of(*collector), !Catch::Contains("node_disk_ata"));
}

TEST_CASE("diskstats reads udev's data again only when its folder or the disks changed") {
  tests::FileTree tree;
  const auto folder = tree.path() / "root/run/udev/data";
  tree.write("proc/diskstats", idle("8 0 sda"));
  tree.write("root/run/udev/data/b8:0", "E:ID_MODEL=old\n");
  tree.write("root/run/udev/data/b8:16", "E:ID_MODEL=newer\n");
  tree.write("root/run/udev/data/b9:0", "E:ID_MODEL=newer\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  const auto model_after = [&](int second) {
    REQUIRE(collector->refresh(at_second(second)));
    const auto samples = tests::samples_of(*collector);
    const auto begin = samples.find("model=\"") + 7;
    return samples.substr(begin, samples.find('"', begin) - begin);
  };
  CHECK(model_after(0) == "old");
  // In place, as udev never does: the folder's time stays.
  tree.write("root/run/udev/data/b8:0", "E:ID_MODEL=new\n");
  CHECK(model_after(1) == "old");
  std::filesystem::last_write_time(
      folder, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  CHECK(model_after(2) == "new");

  tree.write("root/run/udev/data/b8:0", "E:ID_MODEL=newer\n");
  CHECK(model_after(3) == "new");
  const auto* const disks = GENERATE("8 0 sdb", "8 16 sda", "9 0 sda");
  tree.write("proc/diskstats", idle(disks));
  CHECK(model_after(4) == "newer");

  tree.remove("root/run/udev");
  CHECK(model_after(5).empty());
}

TEST_CASE("diskstats reads udev's data again when it could not") {
  tests::FileTree tree;
  tree.write("proc/diskstats", idle("8 0 sda"));
  const auto folder = tree.path() / "root/run/udev/data";
  std::filesystem::create_directories(folder / "b8:0");  // reading it is an I/O error
  const auto modified = std::filesystem::last_write_time(folder);
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains("model=\"\""));
  tree.remove("root/run/udev/data/b8:0");
  tree.write("root/run/udev/data/b8:0", "E:ID_MODEL=x\n");
  std::filesystem::last_write_time(folder, modified);
  REQUIRE(collector->refresh(at_second(1)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains("model=\"x\""));
}

TEST_CASE("diskstats follows disks that come and go") {
  tests::FileTree tree;
  tree.write("proc/diskstats", idle("8 0 sda") + idle("8 16 sdb"));
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  CHECK_THAT(samples_named(*collector, "node_disk_i"),
             Catch::Contains("sda") && Catch::Contains("sdb"));
  tree.write("proc/diskstats", idle("8 16 sdb"));
  REQUIRE(collector->refresh(at_second(1)));
  CHECK_THAT(tests::samples_of(*collector), !Catch::Contains("sda") && Catch::Contains("sdb"));
  tree.write("proc/diskstats", "");
  REQUIRE(collector->refresh(at_second(2)));
  CHECK(tests::page_of(*collector).empty());
}

TEST_CASE("diskstats fails on a file that is not /proc/diskstats, and recovers") {
  tests::FileTree tree;
  tree.write("proc/diskstats", "8 0 sda 1 2 3\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kDiskstats.make(fixture.host);
  const auto malformed = collector->refresh(at_second(0));
  REQUIRE_FALSE(malformed);
  CHECK(malformed.error().code == metrics::Errc::malformed);
  tree.write("proc/diskstats", idle("8 0 sda"));
  CHECK(collector->refresh(at_second(1)));
}

TEST_CASE("diskstats is unsupported where there is no /proc/diskstats") {
  const tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto missing = collectors::kDiskstats.make(fixture.host)->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);
}
