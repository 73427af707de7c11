// What a device is, from the name that the kernel gave it.
#pragma once

#include <string_view>

namespace collectors {

/// A disk that is memory, a file or a floppy: ^(ram|loop|fd)\d+$. Together with is_partition(),
/// what node_exporter leaves out by default.
bool is_memory_disk(std::string_view name);

/// A part of a disk, whose work the disk counts too: ^((h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$
bool is_partition(std::string_view name);

/// is_partition(), and those of all other disks whose own names end in a digit: the kernel then
/// puts a p between the name and the part's number, as in mmcblk0p1.
bool is_part_of_disk(std::string_view name);

/// A block device that stands for files, memory or other disks, or that takes removable media:
/// is_memory_disk(), and zram, dm-, md, sr and nbd.
bool is_virtual_disk(std::string_view name);

/// A network device whose traffic is counted by another one too, or never leaves the host, as far
/// as its name tells: the loopback, and what containers and virtual machines are joined to and by.
bool is_virtual_interface(std::string_view name);

}  // namespace collectors
