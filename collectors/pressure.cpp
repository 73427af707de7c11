// Time lost for want of a resource, from /proc/pressure. Families of node_exporter.
#include "procfs/pressure.hpp"

#include <array>
#include <cstdint>
#include <optional>

#include "collectors/catalog.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;
using procfs::Pressure;

enum Resource : std::size_t { cpu, io, memory, irq, resource_count };

struct PressureRow {
  Family family;
  Resource resource;
  std::optional<std::uint64_t> Pressure::*total;
};
// `full` of cpu is left out: for the whole host the kernel always says 0.
constexpr std::array kPressureRows = {
    PressureRow{
        {"node_pressure_cpu_waiting_seconds_total",
         "Time at least one task waited for a CPU, from /proc/pressure/cpu (some).", Kind::counter},
        cpu,
        &Pressure::some_microseconds},
    PressureRow{{"node_pressure_io_waiting_seconds_total",
                 "Time at least one task was held up by I/O, from /proc/pressure/io (some).",
                 Kind::counter},
                io,
                &Pressure::some_microseconds},
    PressureRow{{"node_pressure_io_stalled_seconds_total",
                 "Time all tasks at once were held up by I/O, from /proc/pressure/io (full).",
                 Kind::counter},
                io,
                &Pressure::full_microseconds},
    PressureRow{
        {"node_pressure_memory_waiting_seconds_total",
         "Time at least one task was held up by want of memory, from /proc/pressure/memory (some).",
         Kind::counter},
        memory,
        &Pressure::some_microseconds},
    PressureRow{
        {"node_pressure_memory_stalled_seconds_total",
         "Time all tasks at once were held up by want of memory, from /proc/pressure/memory "
         "(full).",
         Kind::counter},
        memory,
        &Pressure::full_microseconds},
    PressureRow{
        {"node_pressure_irq_stalled_seconds_total",
         "Time interrupts kept all tasks of a CPU from running, from /proc/pressure/irq (full).",
         Kind::counter},
        irq,
        &Pressure::full_microseconds},
};

class Psi final : public Collector {
 public:
  explicit Psi(const Host& host)
      : irq_(host.proc.keep("pressure/irq", procfs::Ending::short_read), procfs::parse_pressure),
        files_{&host.files.pressure_cpu, &host.files.pressure_io, &host.files.pressure_memory,
               &irq_} {}

  metrics::Result<void> refresh(Clock::time_point now) override {
    Readings readings;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (i == irq && is_irq_absent_) continue;
      const auto& pressure = files_[i]->at(now);
      // Only kernels since 6.1 that account interrupt time have it; it does not come later.
      if (i == irq && !pressure && pressure.error().code == metrics::Errc::unsupported) {
        is_irq_absent_ = true;
        continue;
      }
      if (!pressure) return pressure.error();
      readings[i] = *pressure;
    }
    readings_ = readings;
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    constexpr double kMicrosecondsPerSecond = 1e6;
    for (const auto& row : kPressureRows) {
      const auto microseconds = readings_[row.resource].*row.total;
      if (!microseconds) continue;
      sink.single(row.family, static_cast<double>(*microseconds) / kMicrosecondsPerSecond);
    }
  }

  static void list(metrics::FamilyList& list) { list.add_rows(kPressureRows); }

 private:
  using Readings = std::array<Pressure, resource_count>;

  procfs::Snapshot<Pressure> irq_;  // which nobody else reads
  std::array<procfs::Snapshot<Pressure>*, resource_count> files_;
  Readings readings_;
  bool is_irq_absent_ = false;
};

}  // namespace

constinit const CollectorSpec kPressure = {
    "pressure",
    "Time lost for want of CPU, memory or I/O (/proc/pressure).",
    true,
    Reads::memory,
    make_collector<Psi>,
    Psi::list};

}  // namespace collectors
