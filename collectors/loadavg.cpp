// Load averages, from /proc/loadavg. Families of node_exporter.
#include "procfs/loadavg.hpp"

#include <array>

#include "collectors/catalog.hpp"

namespace collectors {
namespace {

using metrics::Family;
using procfs::LoadAvg;

struct Row {
  Family family;
  double LoadAvg::*value;
};
constexpr std::array kRows = {
    Row{{"node_load1", "Load average over one minute, from /proc/loadavg."}, &LoadAvg::one_minute},
    Row{{"node_load5", "Load average over five minutes, from /proc/loadavg."},
        &LoadAvg::five_minutes},
    Row{{"node_load15", "Load average over fifteen minutes, from /proc/loadavg."},
        &LoadAvg::fifteen_minutes},
};

class Load final : public Collector {
 public:
  explicit Load(const Host& host) : file_(host.proc.keep("loadavg", procfs::Ending::short_read)) {}

  metrics::Result<void> refresh(Clock::time_point /*now*/) override {
    const auto text = file_.read();
    if (!text) return text.error();
    const auto load = procfs::parse_loadavg(*text);
    if (!load) return load.error();
    load_ = *load;
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    for (const auto& row : kRows) sink.single(row.family, load_.*row.value);
  }

  static void list(metrics::FamilyList& list) { list.add_rows(kRows); }

 private:
  procfs::KeptFile file_;
  LoadAvg load_;
};

}  // namespace

constinit const CollectorSpec kLoadavg = {
    "loadavg", "Load averages (/proc/loadavg).", true, Reads::memory, make_collector<Load>,
    Load::list};

}  // namespace collectors
