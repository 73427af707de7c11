#include "bpf/process_values.hpp"

#include <array>
#include <bit>

namespace bpf {
namespace {

__extension__ typedef unsigned __int128 Product;  // NOLINT(modernize-use-using): -Wpedantic

}  // namespace

CpuTimes scaled_times(std::uint64_t user_time_ns, std::uint64_t system_time_ns,
                      std::uint64_t run_time_ns) {
  if (system_time_ns == 0) return {run_time_ns, 0};
  if (user_time_ns == 0) return {0, run_time_ns};
  const auto sampled_ns = Product{user_time_ns} + system_time_ns;
  const auto system_ns =
      static_cast<std::uint64_t>(Product{system_time_ns} * run_time_ns / sampled_ns);
  return {run_time_ns - system_ns, system_ns};
}

char state_letter(const ProcessRecord& record) {
  // The kernel's task_state_to_char(): one bit per letter, and two states that are shown as others.
  constexpr std::uint32_t kReported = 0x7f;
  constexpr std::uint32_t kIdle = 0x402;  // TASK_IDLE
  constexpr std::uint32_t kRtLockWait = 0x1000;
  constexpr std::uint32_t kFrozen = 0x8000;
  constexpr std::uint32_t kUninterruptible = 0x2;
  constexpr std::uint32_t kReportIdle = 0x80;
  constexpr std::array kLetters = {'R', 'S', 'D', 'T', 't', 'X', 'Z', 'P', 'I'};
  auto state = (record.task_state | record.exit_state) & kReported;
  if ((record.task_state & kIdle) == kIdle) state = kReportIdle;
  if ((record.task_state & (kRtLockWait | kFrozen)) != 0) state = kUninterruptible;
  return kLetters.at(static_cast<std::size_t>(std::bit_width(state)));
}

}  // namespace bpf
