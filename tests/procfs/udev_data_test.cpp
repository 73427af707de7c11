#include "procfs/udev_data.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_udev_data;

TEST_CASE("parse_udev_data takes the properties and nothing else") {
  const std::string text =
      "S:disk/by-id/nvme-eui.0025385b71b0a2c4\n"
      "L:10\n"
      "I:2087483\n"
      "E:ID_MODEL=Samsung SSD 980 PRO\n"
      "E:ID_WWN=eui.0025385b71b0a2c4\n"
      "G:systemd\n"
      "Q:systemd\n"
      "V:1\n";
  const auto udev = parse_udev_data(text);
  REQUIRE(udev.properties.size() == 2);
  CHECK(udev.properties[0].key == "ID_MODEL");
  CHECK(udev.properties[0].value == "Samsung SSD 980 PRO");
  CHECK(udev.find("ID_WWN") == "eui.0025385b71b0a2c4");
  CHECK(udev.find("ID_SERIAL").empty());
  CHECK(udev.find("ID").empty());
  CHECK(udev.find("").empty());
}

TEST_CASE("parse_udev_data keeps a value as it is") {
  const auto [text, value] = GENERATE(table<const char*, const char*>({
      {"E:A=1", "1"},
      {"E:A=\n", ""},
      {"E:A==\n", "="},
      {"E:A=b=c\n", "b=c"},
      {"E:A= b \n", " b "},
      {"E:A=\"b\"\\x20\xff\n", "\"b\"\\x20\xff"},
      {"E:A=first\nE:A=second\n", "first"},
  }));
  INFO(text);
  const auto udev = parse_udev_data(text);
  CHECK_FALSE(udev.properties.empty());
  CHECK(udev.find("A") == value);
}

TEST_CASE("parse_udev_data passes over lines of another shape") {
  const auto text = GENERATE(as<std::string>{}, "", "\n\n", "E", "E:", "E:\n", "E:A", "E:=A",
                             "e:A=1", " E:A=1", "A=1", "EE:A=1", "E A=1", "E:A\n=1\n");
  INFO(text);
  CHECK(parse_udev_data(text).properties.empty());
}

TEST_CASE("parse_udev_data survives any truncation and damage") {
  tests::survives_truncation_and_damage(
      "S:disk/by-path/x\nE:ID_PATH=pci-0000:00:1f.2-ata-1\nE:ID_ATA=1\nG:systemd\n",
      [](const std::string& text) { (void)parse_udev_data(text); });
}
