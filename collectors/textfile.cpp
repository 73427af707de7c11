// Metrics that scripts and jobs leave in files, *.prom of some directories. Families of
// node_exporter, and its ways: text 0.0.4 without timestamps, and a file is taken whole or not at
// all.
#include <algorithm>
#include <array>
#include <filesystem>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/catalog.hpp"
#include "collectors/relayed_families.hpp"
#include "metrics/exposition_parser.hpp"
#include "procfs/file_reader.hpp"
#include "procfs/glob.hpp"

namespace collectors {
namespace {

using metrics::Family;

constexpr Setting kDirectory = {
    "directory", "directory, or a pattern of some, whose files *.prom are shown", "", true};
constexpr std::array kTextfileSettings = {kDirectory};

constexpr Family kModified = {"node_textfile_mtime_seconds",
                              "Unixtime mtime of textfiles successfully read."};
constexpr Family kScrapeError = {"node_textfile_scrape_error",
                                 "1 if there was an error opening or reading a file, 0 otherwise"};

constexpr std::string_view kSuffix = ".prom";
constexpr std::size_t kMaxTextFileBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxTextBytes = 8 * kMaxTextFileBytes;  // of all files together

class Textfile final : public Collector {
 public:
  explicit Textfile(const Host& host) : patterns_(host.settings.texts("textfile", kDirectory)) {}

  metrics::Result<void> refresh(Clock::time_point /*now*/) override {
    relayed_.clear();
    files_.clear();
    text_bytes_ = 0;
    complaint_.clear();
    for (const auto& pattern : patterns_) {
      for (const auto& path : procfs::paths_of(pattern)) read_directory(path);
    }
    files_.sort([](const File& left, const File& right) { return left.path < right.path; });
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    if (!files_.empty()) sink.family(kModified);
    for (const auto& file : files_) {
      sink.sample({{"file", file.path}}, static_cast<double>(file.modified_seconds));
    }
    sink.single(kScrapeError, complaint_.empty() ? 0 : 1);
    relayed_.emit(sink);
  }

  [[nodiscard]] std::string_view complaint() const override { return complaint_; }

  static void list(metrics::FamilyList& list) {
    list.add({kModified}, "file");
    list.add({kScrapeError});
  }

 private:
  struct File {
    std::string path;
    std::string text = {};
    std::int64_t modified_seconds = 0;
    std::string help = {};
    metrics::Exposition exposition = {};
  };

  void complain(std::string_view path, std::string_view problem) {
    if (complaint_.empty()) complaint_.append(path).append(": ").append(problem);
  }

  void read_directory(const std::string& path) {
    auto directory = procfs::FileReader::open(path);
    if (!directory) return complain("--collector.textfile.directory", directory.error().detail);
    std::vector<std::string> names;
    if (const auto listed = directory->list(".", names); !listed) {
      return complain(path, listed.error().detail);
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      if (name.ends_with(kSuffix)) read_file(*directory, path, name);
    }
  }

  void read_file(procfs::FileReader& directory, const std::string& path, const std::string& name) {
    constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    const auto plain = directory.read_plain(name.c_str(), kMaxTextFileBytes);
    if (!plain) return complain(path, plain.error().detail);
    auto& file = files_.emplace_back(
        File{.path = (std::filesystem::path(path) / name).lexically_normal().string()});
    text_bytes_ += plain->text.size();
    if (text_bytes_ > kMaxTextBytes) {
      complain(file.path, "too much together with the files before it");
      return files_.pop_back();
    }
    file.text = plain->text;
    file.modified_seconds = plain->modified_nanoseconds / kNanosecondsPerSecond;
    file.help = "Metric read from " + file.path;
    file.exposition = metrics::parse_exposition(file.text, metrics::TextFormat::prometheus_0_0_4,
                                                {.page_bytes = kMaxTextFileBytes});
    const auto& refused = file.exposition.refused;
    if (!refused.empty()) {
      complain(file.path, "line " + std::to_string(refused.front().line) + ": " +
                              std::string(metrics::name_of(refused.front().why)));
      return files_.pop_back();
    }
    for (const auto& [why, family] : relayed_.add(file.exposition, {.help = file.help})) {
      complain(file.path, std::string(family) + ": " + std::string(RelayedFamilies::name_of(why)));
    }
  }

  std::vector<std::string> patterns_;
  std::list<File> files_;  // that were read; what relayed_ shows is of them
  std::size_t text_bytes_ = 0;
  RelayedFamilies relayed_;
  std::string complaint_;
};

}  // namespace

constinit const CollectorSpec kTextfile = {"textfile",
                                           "Metrics in files of a directory (*.prom).",
                                           true,
                                           Reads::device,
                                           make_collector<Textfile>,
                                           Textfile::list,
                                           kTextfileSettings};

}  // namespace collectors
