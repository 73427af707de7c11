#include "collectors/device_names.hpp"

#include <catch2/catch.hpp>

TEST_CASE("disks that stand for something else are told by their names") {
  const auto [name, is_virtual] = GENERATE(table<const char*, bool>({
      {"loop0", true}, {"ram15", true},   {"fd0", true},      {"zram0", true},    {"dm-0", true},
      {"md127", true}, {"md_home", true}, {"md_d0", true},    {"sr0", true},      {"nbd12", true},
      {"sda", false},  {"vda", false},    {"nvme0n1", false}, {"mmcblk0", false}, {"xvda", false},
      {"md", false},   {"mdraid", false}, {"zram", false},    {"loop", false},    {"", false},
      {"0", false},    {"pmem0", false},  {"rbd0", false},    {"sra0", false},
  }));
  INFO(name);
  CHECK(collectors::is_virtual_disk(name) == is_virtual);
}

TEST_CASE("partitions are told from disks") {
  const auto [name, is_partition] = GENERATE(table<const char*, bool>({
      {"sda1", true},
      {"vdz15", true},
      {"hda1", true},
      {"xvda1", true},
      {"nvme0n1p1", true},
      {"sda", false},
      {"nvme0n1", false},
      {"loop0", false},
      {"sd1", false},
      {"", false},
      {"1", false},
      {"wda1", false},
  }));
  INFO(name);
  CHECK(collectors::is_partition(name) == is_partition);
}

TEST_CASE("parts of disks are told whatever the disk is called") {
  const auto [name, is_part] = GENERATE(table<const char*, bool>({
      {"mmcblk0p1", true},
      {"nbd0p12", true},
      {"loop0p1", true},
      {"sda1", true},
      {"nvme0n1p1", true},
      {"mmcblk0", false},
      {"nvme0n1", false},
      {"sda", false},
      {"p1", false},
      {"tap1", false},
      {"pp1", false},
      {"", false},
  }));
  INFO(name);
  CHECK(collectors::is_part_of_disk(name) == is_part);
}

TEST_CASE("network devices that are counted elsewhere are told by their names") {
  const auto [name, is_virtual] = GENERATE(table<const char*, bool>({
      {"lo", true},         {"veth12ab", true},   {"docker0", true},      {"br-1234", true},
      {"virbr0", true},     {"cni0", true},       {"flannel.1", true},    {"cali1", true},
      {"cilium_net", true}, {"lxcbr0", true},     {"lxdbr0", true},       {"tap0", true},
      {"tun0", true},       {"vnet3", true},      {"dummy0", true},       {"ifb1", true},
      {"podman0", true},    {"kube-ipvs0", true}, {"nodelocaldns", true}, {"eth0", false},
      {"enp3s0", false},    {"lo0", false},       {"br0", false},         {"bond0", false},
      {"wlan0", false},     {"ib0", false},       {"eno1", false},        {"", false},
  }));
  INFO(name);
  CHECK(collectors::is_virtual_interface(name) == is_virtual);
}
