// Every field of /proc/meminfo. Families of node_exporter.
#include "procfs/meminfo.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "collectors/catalog.hpp"
#include "metrics/escape.hpp"

namespace collectors {
namespace {

using procfs::MemInfo;

/// "Active(anon)" in kB becomes node_memory_Active_anon_bytes. Empty for a field whose name no
/// metric can have.
std::string family_name(const MemInfo::Field& field) {
  std::string name = "node_memory_";
  for (const char letter : field.name) {
    if (letter == ')') continue;
    if (letter != '(' && !metrics::can_stand_in_a_name(letter)) return {};
    name += letter == '(' ? '_' : letter;
  }
  if (field.is_bytes) name += "_bytes";
  return name;
}

class Meminfo final : public Collector {
 public:
  explicit Meminfo(const Host& host) : files_(host.files) {}

  metrics::Result<void> refresh(Clock::time_point now) override {
    const auto& info = files_.meminfo.at(now);
    if (!info) return info.error();
    const auto& fields = info->fields;
    const bool same = std::ranges::equal(rows_, fields, [](const Row& row, const auto& field) {
      return row.field == field.name && row.is_bytes == field.is_bytes;
    });
    if (!same) name_rows(fields);
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].value = fields[i].value;
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    for (const auto& row : rows_) {
      if (!row.name.empty()) sink.single({row.name, row.help}, static_cast<double>(row.value));
    }
  }

  static void list(metrics::FamilyList& list) {
    list.add({{"node_memory_<field>_bytes", "<field> of /proc/meminfo, in bytes."},
              {"node_memory_<field>", "<field> of /proc/meminfo."}});
  }

 private:
  /// One line of the file.
  struct Row {
    std::string field;
    bool is_bytes = false;
    std::string name;  // of the family; empty: not exposed
    std::string help;
    std::uint64_t value = 0;
  };

  /// The kernel's list is the same on every pass, so this runs on the first only. Of two fields
  /// that lead to one name, the first has it.
  void name_rows(const std::vector<MemInfo::Field>& fields) {
    std::unordered_set<std::string> taken;
    rows_.clear();
    for (const auto& field : fields) {
      Row row{std::string(field.name), field.is_bytes, family_name(field), {}, 0};
      if (!taken.insert(row.name).second) row.name.clear();
      row.help = row.field + (row.is_bytes ? " of /proc/meminfo, in bytes." : " of /proc/meminfo.");
      rows_.push_back(std::move(row));
    }
  }

  procfs::HostFiles& files_;
  std::vector<Row> rows_;
};

}  // namespace

constinit const CollectorSpec kMeminfo = {
    "meminfo",     "Memory by use (/proc/meminfo).", true,
    Reads::memory, make_collector<Meminfo>,          Meminfo::list};

}  // namespace collectors
