// Metrics that scripts and jobs leave in files, *.prom of some directories. Families of
// node_exporter, and its ways: text 0.0.4 without timestamps. A file that cannot be read, or is no
// such text, is left out whole; of one that can, only what would take a name or series of others
// is.
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
// Of all files together. One of them may be all of it; what is over it costs no reading.
constexpr std::size_t kMaxTextFiles = 1000;
constexpr std::size_t kMaxTextBytes = 8 * kMaxTextFileBytes;
constexpr std::size_t kMaxTextSamples = 20'000;
constexpr std::size_t kMaxNames = 10'000;  // in a directory, of whatever ending
constexpr std::size_t kMaxTextLabels = 131'072;

class Textfile final : public Collector {
 public:
  explicit Textfile(const Host& host) : patterns_(host.settings.texts("textfile", kDirectory)) {}

  metrics::Result<void> refresh(Clock::time_point /*now*/) override {
    relayed_.clear();
    files_.clear();
    left_ = {};
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
    if (const auto listed = directory->list(".", names, kMaxNames); !listed) {
      return complain(path, listed.error().detail);
    }
    std::erase_if(names, [](const std::string& name) { return !name.ends_with(kSuffix); });
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      if (left_.files == 0) return complain(path, "too many files");
      read_file(*directory, path, name);
    }
  }

  /// By a second path to the same directory.
  [[nodiscard]] bool is_read(const std::string& path) const {
    return std::ranges::any_of(files_, [&](const File& file) { return file.path == path; });
  }

  void read_file(procfs::FileReader& directory, const std::string& path, const std::string& name) {
    constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    auto normal = (std::filesystem::path(path) / name).lexically_normal().string();
    if (is_read(normal)) return;
    --left_.files;
    const auto plain = directory.read_plain(name.c_str(), std::min(kMaxTextFileBytes, left_.bytes));
    if (!plain) return complain(path, plain.error().detail);
    left_.bytes -= plain->text.size();
    auto& file = files_.emplace_back(File{.path = std::move(normal)});
    file.text = plain->text;
    file.modified_seconds = plain->modified_nanoseconds / kNanosecondsPerSecond;
    file.help = "Metric read from " + file.path;
    file.exposition = metrics::parse_exposition(
        file.text, metrics::TextFormat::prometheus_0_0_4,
        {.page_bytes = kMaxTextFileBytes, .samples = left_.samples, .all_labels = left_.labels});
    const auto& refused = file.exposition.refused;
    if (!refused.empty()) {
      complain(file.path, "line " + std::to_string(refused.front().line) + ": " +
                              std::string(metrics::name_of(refused.front().why)));
      return files_.pop_back();
    }
    for (const auto& family : file.exposition.families) {
      left_.samples -= family.samples.size();
      left_.labels -= family.labels.size();
    }
    for (const auto& [why, family] : relayed_.add(file.exposition, {.help = file.help})) {
      complain(file.path, std::string(family) + ": " + std::string(RelayedFamilies::name_of(why)));
    }
  }

  std::vector<std::string> patterns_;
  std::list<File> files_;  // that were read; what relayed_ shows is of them
  struct Left {
    std::size_t files = kMaxTextFiles, bytes = kMaxTextBytes;
    std::size_t samples = kMaxTextSamples, labels = kMaxTextLabels;
  } left_;
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
