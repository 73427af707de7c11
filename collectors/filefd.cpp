// Open files of the whole host, from /proc/sys/fs/file-nr. Families of node_exporter.
#include "collectors/catalog.hpp"
#include "procfs/file_nr.hpp"

namespace collectors {
namespace {

using metrics::Family;

constexpr Family kAllocated = {"node_filefd_allocated",
                               "Files open on the whole host, from /proc/sys/fs/file-nr."};
constexpr Family kMaximum = {"node_filefd_maximum",
                             "How many files may be open at once on the whole host, from "
                             "/proc/sys/fs/file-nr."};

class Filefd final : public Collector {
 public:
  explicit Filefd(const Host& host)
      : file_(host.proc.keep("sys/fs/file-nr", procfs::Ending::short_read)) {}

  metrics::Result<void> refresh(Clock::time_point /*now*/) override {
    const auto text = file_.read();
    if (!text) return text.error();
    const auto files = procfs::parse_file_nr(*text);
    if (!files) return files.error();
    files_ = *files;
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    sink.single(kAllocated, static_cast<double>(files_.allocated));
    sink.single(kMaximum, static_cast<double>(files_.maximum));
  }

  static void list(metrics::FamilyList& list) { list.add({kAllocated, kMaximum}); }

 private:
  procfs::KeptFile file_;
  procfs::FileNr files_;
};

}  // namespace

constinit const CollectorSpec kFilefd = {
    "filefd",    "Open files (/proc/sys/fs/file-nr).", true, Reads::memory, make_collector<Filefd>,
    Filefd::list};

}  // namespace collectors
