// Work of the disks, from /proc/diskstats, and what udev knows of them. Families of node_exporter.
#include "procfs/diskstats.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/catalog.hpp"
#include "collectors/device_names.hpp"
#include "procfs/text.hpp"
#include "procfs/udev_data.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;
using procfs::DiskDiscards;
using procfs::DiskFlushes;
using procfs::DiskStats;

constexpr const char* kUdevDirectory = "run/udev/data";

using Unit = double (*)(std::uint64_t);
double count(std::uint64_t value) { return static_cast<double>(value); }
double seconds(std::uint64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }
double bytes(std::uint64_t sectors) {
  return static_cast<double>(sectors) * static_cast<double>(procfs::kDiskSectorBytes);
}

/// A family and the counter of DiskStats or of one of its optional parts that it shows.
template <class Part>
struct Column {
  Family family;
  std::uint64_t Part::*value;
  Unit unit;
};
template <class Part>
constexpr Column<Part> counter(std::string_view name, std::string_view help,
                               std::uint64_t Part::*value, Unit unit) {
  return {{name, help, Kind::counter}, value, unit};
}

constexpr std::array kColumns = {
    counter("node_disk_reads_completed_total", "Reads done, from /proc/diskstats.",
            &DiskStats::reads_completed, count),
    counter("node_disk_reads_merged_total", "Reads merged with others, from /proc/diskstats.",
            &DiskStats::reads_merged, count),
    counter("node_disk_read_bytes_total", "Bytes read, from /proc/diskstats.",
            &DiskStats::read_sectors, bytes),
    counter("node_disk_read_time_seconds_total", "Time of all reads, from /proc/diskstats.",
            &DiskStats::read_milliseconds, seconds),
    counter("node_disk_writes_completed_total", "Writes done, from /proc/diskstats.",
            &DiskStats::writes_completed, count),
    counter("node_disk_writes_merged_total", "Writes merged with others, from /proc/diskstats.",
            &DiskStats::writes_merged, count),
    counter("node_disk_written_bytes_total", "Bytes written, from /proc/diskstats.",
            &DiskStats::written_sectors, bytes),
    counter("node_disk_write_time_seconds_total", "Time of all writes, from /proc/diskstats.",
            &DiskStats::write_milliseconds, seconds),
    Column<DiskStats>{{"node_disk_io_now", "Requests in progress, from /proc/diskstats."},
                      &DiskStats::in_progress,
                      count},
    counter("node_disk_io_time_seconds_total",
            "Time with a request in progress, from /proc/diskstats.", &DiskStats::io_milliseconds,
            seconds),
    counter("node_disk_io_time_weighted_seconds_total",
            "Time with a request in progress, times their number, from /proc/diskstats.",
            &DiskStats::weighted_io_milliseconds, seconds),
};
constexpr std::array kDiscardColumns = {
    counter("node_disk_discards_completed_total", "Discards done, from /proc/diskstats.",
            &DiskDiscards::completed, count),
    counter("node_disk_discards_merged_total", "Discards merged with others, from /proc/diskstats.",
            &DiskDiscards::merged, count),
    counter("node_disk_discarded_sectors_total",
            "Sectors of 512 bytes discarded, from /proc/diskstats.", &DiskDiscards::sectors, count),
    counter("node_disk_discard_time_seconds_total", "Time of all discards, from /proc/diskstats.",
            &DiskDiscards::milliseconds, seconds),
};
constexpr std::array kFlushColumns = {
    counter("node_disk_flush_requests_total", "Flushes done, from /proc/diskstats.",
            &DiskFlushes::completed, count),
    counter("node_disk_flush_requests_time_seconds_total",
            "Time of all flushes, from /proc/diskstats.", &DiskFlushes::milliseconds, seconds),
};

/// A label and the property of udev that it shows.
struct Field {
  std::string_view label, key;
};
constexpr std::array kDiskFields = {
    Field{"major", "MAJOR"},  Field{"minor", "MINOR"},          Field{"model", "ID_MODEL"},
    Field{"path", "ID_PATH"}, Field{"revision", "ID_REVISION"}, Field{"serial", "ID_SERIAL_SHORT"},
    Field{"wwn", "ID_WWN"},
};
constexpr std::array kFilesystemFields = {
    Field{"type", "ID_FS_TYPE"},
    Field{"usage", "ID_FS_USAGE"},
    Field{"uuid", "ID_FS_UUID"},
    Field{"version", "ID_FS_VERSION"},
};
constexpr std::array kDeviceMapperFields = {
    Field{"lv_layer", "DM_LV_LAYER"}, Field{"lv_name", "DM_LV_NAME"}, Field{"name", "DM_NAME"},
    Field{"uuid", "DM_UUID"},         Field{"vg_name", "DM_VG_NAME"},
};

/// A family of one sample for each disk that has `required_key`.
struct UdevFamily {
  Family family;
  std::string_view required_key;
  std::string_view value_key;     // a disk where it is no number has no sample; "" for the value 1
  std::span<const Field> fields;  // besides `device`
};
constexpr UdevFamily info(std::string_view name, std::string_view help,
                          std::string_view required_key, std::span<const Field> fields) {
  return {{name, help}, required_key, "", fields};
}
constexpr UdevFamily ata(std::string_view name, std::string_view help, std::string_view key) {
  return {{name, help}, "ID_ATA", key, {}};
}
constexpr std::array kUdevFamilies = {
    info("node_disk_info", "What the disk is, from /proc/diskstats and /run/udev/data.", "MAJOR",
         kDiskFields),
    info("node_disk_filesystem_info", "What the disk is formatted as, from /run/udev/data.",
         "ID_FS_TYPE", kFilesystemFields),
    info("node_disk_device_mapper_info", "Names of a mapped disk, from /run/udev/data.", "DM_NAME",
         kDeviceMapperFields),
    ata("node_disk_ata_rotation_rate_rpm",
        "Turns per minute, 0 for a disk without moving parts, from /run/udev/data.",
        "ID_ATA_ROTATION_RATE_RPM"),
    ata("node_disk_ata_write_cache", "1 if the disk has a write cache, from /run/udev/data.",
        "ID_ATA_WRITE_CACHE"),
    ata("node_disk_ata_write_cache_enabled", "1 if its write cache is on, from /run/udev/data.",
        "ID_ATA_WRITE_CACHE_ENABLED"),
};

/// What a disk is. Made once, so that a scrape only looks at it.
struct Identity {
  struct Sample {
    std::vector<std::string> labels;  // by UdevFamily::fields
    double value = 1;
  };
  std::string device, major, minor;
  std::array<std::optional<Sample>, kUdevFamilies.size()> samples;
};

std::optional<Identity::Sample> sample_of(const UdevFamily& shown, const procfs::UdevData& udev) {
  if (udev.find(shown.required_key).empty()) return std::nullopt;
  Identity::Sample sample;
  if (!shown.value_key.empty()) {
    std::uint64_t value = 0;
    if (!procfs::to_number(udev.find(shown.value_key), value)) return std::nullopt;
    sample.value = static_cast<double>(value);
  }
  for (const auto& field : shown.fields) sample.labels.emplace_back(udev.find(field.key));
  return sample;
}

Identity identify(const DiskStats& disk, procfs::UdevData udev) {
  Identity identity;
  identity.device = disk.name;
  identity.major = std::to_string(disk.major);
  identity.minor = std::to_string(disk.minor);
  // udev has these two from the kernel and so does not store them.
  udev.properties.insert(udev.properties.begin(),
                         {{"MAJOR", identity.major}, {"MINOR", identity.minor}});
  for (std::size_t i = 0; i < kUdevFamilies.size(); ++i) {
    identity.samples[i] = sample_of(kUdevFamilies[i], udev);
  }
  return identity;
}

class Diskstats final : public Collector {
 public:
  explicit Diskstats(const Host& host) : host_(host) {}

  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& disks = host_.files.diskstats.at(now);
    if (!disks) return disks.error();
    disks_ = *disks;
    std::erase_if(disks_, [](const DiskStats& disk) {
      return is_memory_disk(disk.name) || is_partition(disk.name);
    });
    follow_udev();
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    emit_columns(sink, kColumns, [](const DiskStats& disk) { return &disk; });
    emit_columns(sink, kDiscardColumns,
                 [](const DiskStats& disk) { return disk.discards ? &*disk.discards : nullptr; });
    emit_columns(sink, kFlushColumns,
                 [](const DiskStats& disk) { return disk.flushes ? &*disk.flushes : nullptr; });
    for (std::size_t i = 0; i < kUdevFamilies.size(); ++i) emit_udev_family(sink, i);
  }

  static void list(metrics::FamilyList& list) {
    list.add_rows(kColumns, "device");
    list.add_rows(kDiscardColumns, "device");
    list.add_rows(kFlushColumns, "device");
    for (const auto& shown : kUdevFamilies) {
      std::string labels = "device";
      for (const auto& field : shown.fields) labels.append(",").append(field.label);
      list.add({shown.family}, labels);
    }
  }

 private:
  /// Reads udev's data only when it or the disks changed: a scrape normally costs one stat(2).
  void follow_udev() {
    // Asked before the files are read: a change during the reading shows at the next scrape.
    const auto status = host_.root.status(kUdevDirectory);
    const auto modified = status ? std::optional(status->modified_nanoseconds) : std::nullopt;
    const auto is_same = [](const Identity& identity, const DiskStats& disk) {
      return identity.device == disk.name && identity.major == std::to_string(disk.major) &&
             identity.minor == std::to_string(disk.minor);
    };
    if (modified == udev_modified_ && std::ranges::equal(identities_, disks_, is_same)) return;
    udev_modified_ = modified;
    identities_.clear();
    for (const auto& disk : disks_) {
      identities_.push_back(identify(disk, modified ? read_udev(disk) : procfs::UdevData{}));
    }
  }

  /// Valid until the next one is read.
  procfs::UdevData read_udev(const DiskStats& disk) {
    const auto path = std::string(kUdevDirectory) + "/b" + std::to_string(disk.major) + ':' +
                      std::to_string(disk.minor);
    const auto text = host_.root.read(path.c_str());
    if (text) return procfs::parse_udev_data(*text);
    // A missing file is a disk that udev does not know; after anything else, try again.
    if (text.error().code != metrics::Errc::gone) udev_modified_.reset();
    return {};
  }

  template <class Columns, class PartOf>
  void emit_columns(metrics::Sink& sink, const Columns& columns, PartOf part_of) const {
    if (std::ranges::none_of(disks_, part_of)) return;
    for (const auto& column : columns) {
      sink.family(column.family);
      for (const auto& disk : disks_) {
        const auto* part = part_of(disk);
        if (part == nullptr) continue;
        sink.sample({{"device", disk.name}}, column.unit(part->*column.value));
      }
    }
  }

  void emit_udev_family(metrics::Sink& sink, std::size_t index) const {
    const auto& shown = kUdevFamilies[index];
    bool announced = false;
    for (const auto& identity : identities_) {
      const auto& sample = identity.samples[index];
      if (!sample) continue;
      if (!std::exchange(announced, true)) sink.family(shown.family);
      std::array<metrics::Label, kDiskFields.size() + 1> labels = {{{"device", identity.device}}};
      for (std::size_t i = 0; i < shown.fields.size(); ++i) {
        labels[i + 1] = {shown.fields[i].label, sample->labels[i]};
      }
      sink.sample({labels.data(), shown.fields.size() + 1}, sample->value);
    }
  }

  Host host_;
  std::vector<DiskStats> disks_;  // their names are views into the file
  std::vector<Identity> identities_;
  std::optional<std::int64_t> udev_modified_;  // as identities_ shows it, in nanoseconds
};

}  // namespace

constinit const CollectorSpec kDiskstats = {
    "diskstats",
    "Work and identity of each disk (/proc/diskstats, udev).",
    true,
    Reads::memory,
    make_collector<Diskstats>,
    Diskstats::list};

}  // namespace collectors
