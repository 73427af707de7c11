#include "netlink/taskstats.hpp"

#include <linux/acct.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "netlink/message.hpp"

namespace netlink {
namespace {

constexpr std::uint16_t kVersionWithProcess = 12;

/// Version 15 (Linux 6.14 and 6.15) has the maximum and the minimum behind each delay, in the midst
/// of the struct. Before, there were none; since version 16 they are at its end.
constexpr std::uint16_t kVersionWithExtremes = 15;
constexpr std::size_t kExtremesBytes = 2 * sizeof(std::uint64_t);
constexpr std::size_t kVersionWithExtremesBytes = 560;
constexpr std::array kDelays = {
    offsetof(taskstats, cpu_delay_total),       offsetof(taskstats, blkio_delay_total),
    offsetof(taskstats, swapin_delay_total),    offsetof(taskstats, freepages_delay_total),
    offsetof(taskstats, thrashing_delay_total), offsetof(taskstats, compact_delay_total),
};

/// The bytes of a struct taskstats as long as this kernel makes it: newer ones only append. What
/// lies within the shortest that we take is there for sure.
class Record {
 public:
  /// Nothing when it is shorter than any kernel's since 2.6.24.
  static std::optional<Record> of(Bytes bytes) {
    const auto version = read_start<std::uint16_t>(bytes);
    constexpr auto kShortest = offsetof(taskstats, nivcsw) + sizeof(taskstats::nivcsw);
    if (!version || bytes.size() < kShortest) return std::nullopt;
    if (*version == kVersionWithExtremes && bytes.size() != kVersionWithExtremesBytes) {
      return std::nullopt;
    }
    return Record(*version, bytes);
  }

  [[nodiscard]] std::uint16_t version() const { return version_; }

  template <class T>
  [[nodiscard]] std::optional<T> find(std::size_t offset) const {
    std::size_t shift = 0;
    if (version_ == kVersionWithExtremes) {
      const auto before = [offset](std::size_t delay) { return delay < offset; };
      shift = kExtremesBytes *
              static_cast<std::size_t>(std::count_if(kDelays.begin(), kDelays.end(), before));
    }
    if (offset + shift > bytes_.size()) return std::nullopt;
    return read_start<T>(bytes_.subspan(offset + shift));
  }
  /// For the columns that every record has.
  template <class T>
  [[nodiscard]] T get(std::size_t offset) const {
    return find<T>(offset).value_or(T{});
  }
  [[nodiscard]] std::uint64_t number(std::size_t offset) const {
    return get<std::uint64_t>(offset);
  }

 private:
  Record(std::uint16_t version, Bytes bytes) : version_(version), bytes_(bytes) {}

  std::uint16_t version_;
  Bytes bytes_;
};

std::string to_comm(const std::array<char, TS_COMM_LEN>& bytes) {
  return {bytes.begin(), std::find(bytes.begin(), bytes.end(), '\0')};
}

std::optional<std::uint64_t> to_bytes(std::uint64_t kibibytes) {
  constexpr unsigned kKibibyteBits = 10;
  if (kibibytes == 0 || kibibytes > (UINT64_MAX >> kKibibyteBits)) return std::nullopt;
  return kibibytes << kKibibyteBits;
}

void read_identity(const Record& record, TaskExit& exit) {
  exit.version = record.version();
  exit.comm = to_comm(record.get<std::array<char, TS_COMM_LEN>>(offsetof(taskstats, ac_comm)));
  exit.uid = record.get<std::uint32_t>(offsetof(taskstats, ac_uid));
  exit.parent_pid = record.get<std::int32_t>(offsetof(taskstats, ac_ppid));
  exit.wait_status = record.get<std::uint32_t>(offsetof(taskstats, ac_exitcode));
  exit.elapsed_microseconds = record.number(offsetof(taskstats, ac_etime));
  // The 64 bits of version 10 go past the year 2106, and before 1970 where there is no clock.
  exit.begin_seconds = record.find<std::int64_t>(offsetof(taskstats, ac_btime64))
                           .value_or(record.get<std::uint32_t>(offsetof(taskstats, ac_btime)));
  if (record.version() < kVersionWithProcess) return;
  exit.tgid = record.find<std::int32_t>(offsetof(taskstats, ac_tgid));
  exit.process_elapsed_microseconds = record.find<std::uint64_t>(offsetof(taskstats, ac_tgetime));
  const auto flags = record.get<std::uint8_t>(offsetof(taskstats, ac_flag));
  exit.is_last_of_group = (flags & AGROUP) != 0;
}

void read_usage(const Record& record, TaskExit& exit) {
  exit.user_microseconds = record.number(offsetof(taskstats, ac_utime));
  exit.system_microseconds = record.number(offsetof(taskstats, ac_stime));
  exit.cpu_nanoseconds = record.number(offsetof(taskstats, cpu_run_real_total));
  exit.run_nanoseconds = record.number(offsetof(taskstats, cpu_run_virtual_total));
  exit.cpu_delay_nanoseconds = record.number(offsetof(taskstats, cpu_delay_total));
  exit.minor_faults = record.number(offsetof(taskstats, ac_minflt));
  exit.major_faults = record.number(offsetof(taskstats, ac_majflt));
  exit.read_bytes = record.number(offsetof(taskstats, read_bytes));
  exit.write_bytes = record.number(offsetof(taskstats, write_bytes));
  exit.voluntary_switches = record.number(offsetof(taskstats, nvcsw));
  exit.nonvoluntary_switches = record.number(offsetof(taskstats, nivcsw));
  exit.peak_resident_bytes = to_bytes(record.number(offsetof(taskstats, hiwater_rss)));
}

/// The id and the record of one TASKSTATS_TYPE_AGGR_*.
struct Aggregate {
  std::int32_t id;
  Record record;
};
std::optional<Aggregate> parse_aggregate(Bytes attributes, std::uint16_t id_type) {
  const auto id_bytes = find_attribute(attributes, id_type);
  const auto record_bytes = find_attribute(attributes, TASKSTATS_TYPE_STATS);
  if (!id_bytes || !record_bytes) return std::nullopt;
  const auto id = read_start<std::int32_t>(*id_bytes);
  const auto record = Record::of(*record_bytes);
  if (!id || *id <= 0 || !record) return std::nullopt;
  return Aggregate{*id, *record};
}

bool add_thread(Bytes attributes, std::optional<TaskExit>& exit) {
  const auto thread = parse_aggregate(attributes, TASKSTATS_TYPE_PID);
  if (exit || !thread) return false;
  if (thread->record.get<std::int32_t>(offsetof(taskstats, ac_pid)) != thread->id) return false;
  exit.emplace();
  exit->tid = thread->id;
  read_identity(thread->record, *exit);
  read_usage(thread->record, *exit);
  return !exit->tgid || *exit->tgid > 0;
}

/// It follows that of the thread.
bool add_group(Bytes attributes, std::optional<TaskExit>& exit) {
  const auto group = parse_aggregate(attributes, TASKSTATS_TYPE_TGID);
  if (!group || !exit || exit->tgid.value_or(group->id) != group->id) return false;
  exit->tgid = group->id;
  exit->is_last_of_group = true;
  exit->group = GroupTotals{
      .tgid = group->id,
      .cpu_nanoseconds = group->record.number(offsetof(taskstats, cpu_run_real_total)),
      .run_nanoseconds = group->record.number(offsetof(taskstats, cpu_run_virtual_total)),
      .cpu_delay_nanoseconds = group->record.number(offsetof(taskstats, cpu_delay_total))};
  return true;
}

std::optional<TaskExit> parse_record(Bytes attributes) {
  std::optional<TaskExit> exit;
  while (!attributes.empty()) {
    const auto attribute = take_attribute(attributes);
    if (!attribute) return std::nullopt;
    if (attribute->type == TASKSTATS_TYPE_AGGR_PID && !add_thread(attribute->payload, exit)) {
      return std::nullopt;
    }
    if (attribute->type == TASKSTATS_TYPE_AGGR_TGID && !add_group(attribute->payload, exit)) {
      return std::nullopt;
    }
  }
  return exit;
}

Error malformed(std::string_view what) {
  return {Errc::malformed, "taskstats: " + std::string(what)};
}

}  // namespace

Result<std::vector<TaskExit>> parse_taskstats(std::span<const std::byte> datagram) {
  std::vector<TaskExit> exits;
  if (datagram.empty()) return malformed("empty datagram");
  while (!datagram.empty()) {
    const auto message = take_message(datagram);
    if (!message) return malformed("a message is not whole");
    if (message->type < NLMSG_MIN_TYPE) return malformed("no message of the family");
    if (message->command != TASKSTATS_CMD_NEW) continue;
    auto exit = parse_record(message->payload);
    if (!exit) return malformed("a record is not whole, or not the struct we know");
    exits.push_back(*std::move(exit));
  }
  return exits;
}

std::optional<StartTime> process_start(const TaskExit& exit) {
  if (!exit.process_elapsed_microseconds) return std::nullopt;
  constexpr std::uint64_t kMicrosecondsPerSecond = 1'000'000;
  // The kernel reads seconds from a clock that a tick moves, which takes up to 10 ms.
  constexpr double kToleranceSeconds = 1.01;
  const auto elapsed_seconds = exit.elapsed_microseconds / kMicrosecondsPerSecond;  // as it did
  const auto end_second =
      static_cast<double>(exit.begin_seconds) + static_cast<double>(elapsed_seconds);
  const auto lived_seconds =
      static_cast<double>(*exit.process_elapsed_microseconds) / kMicrosecondsPerSecond;
  return StartTime{.earliest_seconds = end_second - lived_seconds,
                   .latest_seconds = end_second + kToleranceSeconds - lived_seconds};
}

}  // namespace netlink
