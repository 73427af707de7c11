// Paging, swapping, page faults and OOM kills, from /proc/vmstat. Families of node_exporter.
#include "procfs/vmstat.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "collectors/catalog.hpp"
#include "metrics/escape.hpp"

namespace collectors {
namespace {

using metrics::Kind;

constexpr std::string_view kPrefix = "node_vmstat_";

/// node_exporter's default choice, ^(oom_kill|pgpg|pswp|pg.*fault).*
bool is_chosen(std::string_view field) {
  return field.starts_with("oom_kill") || field.starts_with("pgpg") || field.starts_with("pswp") ||
         (field.starts_with("pg") && field.find("fault") != std::string_view::npos);
}

class Vmstat final : public Collector {
 public:
  explicit Vmstat(const Host& host) : file_(host.files.vmstat) {}

  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& vmstat = file_.at(now);
    if (!vmstat) return vmstat.error();
    std::size_t used = 0;
    for (const auto& field : vmstat->fields) {
      // A field whose name no metric can have is left out.
      if (!is_chosen(field.name) || !std::ranges::all_of(field.name, metrics::can_stand_in_a_name))
        continue;
      if (used == rows_.size()) rows_.emplace_back();
      rows_[used].set(field);
      ++used;
    }
    rows_.resize(used);
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    for (const auto& row : rows_) {
      sink.single({row.name, row.help, Kind::unknown}, static_cast<double>(row.value));
    }
  }

  static void list(metrics::FamilyList& list) {
    list.add({{"node_vmstat_<field>", "<field> of /proc/vmstat.", Kind::unknown}});
  }

 private:
  /// The kernel's list is the same on every pass, so the texts are made once and kept.
  struct Row {
    std::string name, help;
    std::uint64_t value = 0;

    void set(const procfs::VmStat::Field& field) {
      value = field.value;
      if (!name.empty() && std::string_view(name).substr(kPrefix.size()) == field.name) return;
      name = std::string(kPrefix).append(field.name);
      help = std::string(field.name).append(" of /proc/vmstat.");
    }
  };

  procfs::Snapshot<procfs::VmStat>& file_;
  std::vector<Row> rows_;
};

}  // namespace

constinit const CollectorSpec kVmstat = {
    "vmstat",
    "Paging, swapping, page faults and OOM kills (/proc/vmstat).",
    true,
    Reads::memory,
    make_collector<Vmstat>,
    Vmstat::list};

}  // namespace collectors
