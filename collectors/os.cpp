// The operating system, from os-release. Families of node_exporter.
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "collectors/catalog.hpp"
#include "procfs/os_release.hpp"

namespace collectors {
namespace {

using metrics::Family;
using procfs::OsRelease;
using Status = procfs::FileReader::Status;

constexpr Family kInfo = {"node_os_info",
                          "What the operating system calls itself, from os-release(5)."};
constexpr Family kVersion = {"node_os_version",
                             "Major and minor number of VERSION_ID, from os-release(5)."};

// Below the root, in the order os-release(5) prescribes.
constexpr std::array kPaths = {"etc/os-release", "usr/lib/os-release"};

/// The number that starts `version_id`: 22.04 of "22.04.1", 15 of "15-SP4".
std::optional<double> leading_number(std::string_view version_id) {
  if (version_id.empty() || version_id.front() < '0' || version_id.front() > '9') {
    return std::nullopt;  // from_chars would take "-1" and "inf"
  }
  double number = 0;
  const auto [end, error] = std::from_chars(
      version_id.data(), version_id.data() + version_id.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

class Os final : public Collector {
 public:
  explicit Os(const Host& host) : host_(host) {}

  metrics::Result<void> refresh(Clock::time_point /*now*/) override {
    for (const char* path : kPaths) {
      const auto status = host_.root.status(path);
      if (status) return refresh_from(path, *status);
      if (status.error().code != metrics::Errc::gone) return status.error();
    }
    return metrics::Error{metrics::Errc::unsupported, "no etc/os-release or usr/lib/os-release"};
  }

  void emit(metrics::Sink& sink) const override {
    sink.family(kInfo);
    sink.sample({{"build_id", release_.build_id},
                 {"id", release_.id},
                 {"id_like", release_.id_like},
                 {"image_id", release_.image_id},
                 {"image_version", release_.image_version},
                 {"name", release_.name},
                 {"pretty_name", release_.pretty_name},
                 {"variant", release_.variant},
                 {"variant_id", release_.variant_id},
                 {"version", release_.version},
                 {"version_codename", release_.version_codename},
                 {"version_id", release_.version_id}},
                1);
    const auto version = leading_number(release_.version_id);
    if (!version) return;
    sink.family(kVersion);
    sink.sample({{"id", release_.id}, {"id_like", release_.id_like}, {"name", release_.name}},
                *version);
  }

  static void list(metrics::FamilyList& list) {
    list.add({kInfo},
             "build_id,id,id_like,image_id,image_version,name,pretty_name,variant,variant_id,"
             "version,version_codename,version_id");
    list.add({kVersion}, "id,id_like,name");
  }

 private:
  /// The file changes once in years: a look at its status saves reading it at every scrape.
  metrics::Result<void> refresh_from(const char* path, const Status& status) {
    if (path == path_ && status.size_bytes == status_.size_bytes &&
        status.modified_nanoseconds == status_.modified_nanoseconds) {
      return {};
    }
    const auto text = host_.root.read(path);
    if (!text) return text.error();
    auto release = procfs::parse_os_release(*text);
    if (!release) return release.error();
    release_ = *std::move(release);
    path_ = path;
    status_ = status;
    return {};
  }

  Host host_;
  OsRelease release_;
  const char* path_ = nullptr;  // where release_ is from: one of kPaths
  Status status_;               // of that file before it was read
};

}  // namespace

constinit const CollectorSpec kOs = {"os",
                                     "Name and version of the operating system (os-release).",
                                     true,
                                     Reads::memory,
                                     make_collector<Os>,
                                     Os::list};

}  // namespace collectors
