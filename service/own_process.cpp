#include "service/own_process.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <utility>

#include "procfs/process.hpp"
#include "procfs/system.hpp"
#include "procfs/text.hpp"

namespace service {
namespace {

double seconds_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);  // fails only for a bad pointer
  const auto time = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  return std::chrono::duration<double>(time).count();
}

double to_seconds(const timeval& time) {
  constexpr double kSecondsPerMicrosecond = 1e-6;
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) * kSecondsPerMicrosecond;
}

std::optional<double> start_of(std::string_view stat_text) {
  const auto stat = procfs::parse_process_stat(stat_text);
  if (!stat) return std::nullopt;
  const auto system = procfs::this_system();
  const double start = static_cast<double>(stat->start_time_ticks) / system.ticks_per_second;
  return system.wall_clock().seconds - (seconds_since_boot() - start);
}

}  // namespace

OwnProcess::OwnProcess(const std::string& folder) {
  auto opened = procfs::FileReader::open(folder);
  if (!opened) return;
  folder_ = *std::move(opened);
  statm_ = folder_->keep("statm", procfs::Ending::short_read);
  if (const auto text = folder_->read("stat")) start_time_seconds_ = start_of(*text);
}

std::optional<OwnProcess::Memory> OwnProcess::memory() {
  if (!statm_) return std::nullopt;
  const auto text = statm_->read();
  if (!text) return std::nullopt;
  auto columns = *text;
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  if (!procfs::to_number(procfs::take_field(columns), virtual_pages) ||
      !procfs::to_number(procfs::take_field(columns), resident_pages)) {
    return std::nullopt;
  }
  const auto page_bytes = static_cast<double>(procfs::this_system().page_bytes);
  return Memory{.virtual_bytes = static_cast<double>(virtual_pages) * page_bytes,
                .resident_bytes = static_cast<double>(resident_pages) * page_bytes};
}

double OwnProcess::cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime);
}

}  // namespace service
