// The pages of other programs on this one: fetched while the other collectors work, read strictly,
// and passed on where they take nothing from the host's own.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "collectors/catalog.hpp"
#include "collectors/page_fetcher.hpp"
#include "collectors/relayed_families.hpp"
#include "collectors/upstream_pages.hpp"
#include "metrics/exposition_parser.hpp"

namespace collectors {
namespace {

using metrics::Family;
using metrics::Kind;

constexpr Setting kUpstreamPages = {
    "", "NAME=URL of a page to pass on, such as model_server=http://127.0.0.1:8080/metrics", "",
    true};
constexpr Setting kUpstreamTimeout = {
    "timeout", "time that a page waits for those of others, in milliseconds", "500"};
constexpr std::array kUpstreamSettings = {kUpstreamPages, kUpstreamTimeout};

constexpr std::string_view kLabel = "upstream";
constexpr std::size_t kMaxPageBytes = std::size_t{2} << 20U;
constexpr std::size_t kAllPagesBytes =
    2 * kMaxPageBytes;  // what is read of them takes ten times that
constexpr std::size_t kBytesPerLabel = 16;

constexpr Family kUp = {"resource_exporter_upstream_up",
                        "1 when the upstream's page came in time and could be read, 0 otherwise."};
constexpr Family kDuration = {"resource_exporter_upstream_duration_seconds",
                              "Time from asking the upstream to its whole page, or to giving up."};
constexpr Family kRejected = {
    "resource_exporter_upstream_rejected_total",
    "Pages and families of the upstream that were not passed on, by reason.", Kind::counter};

/// Of whole pages, then of families; docs/architecture.md tells what they mean.
constexpr std::array<std::string_view, 16> kReasons = {
    "unreachable", "timeout",   "protocol",  "too_large", "status", "content_type",
    "syntax",      "truncated", "limit",     "type",      "label",  "encoding",
    "value",       "timestamp", "duplicate", "reserved"};

constexpr std::string_view reason_of(FetchFailure::Why why) {
  switch (why) {
    case FetchFailure::Why::unreachable:
      return "unreachable";
    case FetchFailure::Why::timeout:
      return "timeout";
    case FetchFailure::Why::too_large:
      return "too_large";
    case FetchFailure::Why::protocol:
      break;
  }
  return "protocol";
}

struct Upstream {
  UpstreamPage page;
  std::string help;
  std::map<std::string_view, std::uint64_t> rejected = {};
  std::unique_ptr<PendingPage> pending = nullptr;
  // Of the last pass:
  bool is_up = false;
  std::chrono::duration<double> duration{0};
  std::string text = {};
  metrics::Exposition exposition = {};
  std::string problem = {};

  void reject(std::string_view reason, const std::string& detail) {
    ++rejected[reason];
    if (problem.empty()) problem = page.name + ": " + detail;
  }
};

class Upstreams final : public Collector {
 public:
  explicit Upstreams(const Host& host)
      : timeout_(host.settings.number("upstream", kUpstreamTimeout, 1, kMaxTimeout)),
        fetcher_(host.page_fetcher) {
    for (auto& page : parse_upstream_pages(host.settings.texts("upstream", kUpstreamPages))) {
      auto help = "Of the upstream " + page.name + ", which has no HELP for it.";
      auto& upstream = upstreams_.emplace_back(Upstream{std::move(page), std::move(help)});
      for (const auto reason : kReasons) upstream.rejected.emplace(reason, 0);
    }
    if (upstreams_.empty()) return;
    if (fetcher_ == nullptr) {
      throw std::invalid_argument("--collector.upstream: nobody here can fetch pages");
    }
    limits_.page_bytes = std::min(kMaxPageBytes, kAllPagesBytes / upstreams_.size());
    limits_.all_labels = limits_.page_bytes / kBytesPerLabel;
  }

  /// Leaves a fifth of the time to the page, that it may tell that an upstream was late.
  void begin(Clock::time_point now, Clock::time_point deadline) override {
    begun_at_ = now;
    const auto share = deadline > now ? (deadline - now) / 5 * 4 : Clock::duration::zero();
    const auto time = std::min<Clock::duration>(timeout_, share);
    for (auto& upstream : upstreams_) {
      upstream.pending = nullptr;  // of a pass that was broken off
      upstream.pending = fetcher_->begin(
          upstream.page.address, {.deadline = now + time, .page_bytes = limits_.page_bytes});
    }
  }

  metrics::Result<void> refresh(Clock::time_point now) override {
    if (begun_at_ != now) begin(now, Clock::time_point::max());
    relayed_.clear();
    complaint_.clear();
    for (auto& upstream : upstreams_) {
      const FetchAnswer none = {FetchFailure{FetchFailure::Why::protocol, "could not begin"}};
      take(upstream, upstream.pending != nullptr ? upstream.pending->wait() : none);
      upstream.pending = nullptr;
      if (!complaint_.empty() && !upstream.problem.empty()) complaint_ += "; ";
      complaint_ += upstream.problem;
    }
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    if (upstreams_.empty()) return;
    sink.family(kUp);
    for (const auto& each : upstreams_) sink.sample({{kLabel, each.page.name}}, each.is_up ? 1 : 0);
    sink.family(kDuration);
    for (const auto& each : upstreams_) {
      sink.sample({{kLabel, each.page.name}}, each.duration.count());
    }
    sink.family(kRejected);
    for (const auto& each : upstreams_) {
      for (const auto& [reason, count] : each.rejected) {
        sink.sample({{kLabel, each.page.name}, {"reason", reason}}, static_cast<double>(count));
      }
    }
    relayed_.emit(sink);
  }

  [[nodiscard]] std::string_view complaint() const override { return complaint_; }

  static void list(metrics::FamilyList& list) {
    list.add({kUp, kDuration}, kLabel);
    list.add({kRejected}, "upstream,reason");
  }

 private:
  static constexpr std::uint64_t kMaxTimeout = 60'000;

  void take(Upstream& upstream, FetchAnswer answer) {
    upstream.is_up = false;
    upstream.duration = answer.duration;
    upstream.problem.clear();
    upstream.exposition = {};
    upstream.text.clear();
    if (const auto* failure = std::get_if<FetchFailure>(&answer.result)) {
      return upstream.reject(reason_of(failure->why), failure->detail);
    }
    auto& page = std::get<FetchedPage>(answer.result);
    constexpr unsigned kOk = 200;
    if (page.status != kOk) {
      return upstream.reject("status", "status " + std::to_string(page.status));
    }
    const auto format = metrics::text_format_of(page.content_type);
    if (!format) return upstream.reject("content_type", "Content-Type '" + page.content_type + "'");
    upstream.text = std::move(page.text);
    upstream.exposition = metrics::parse_exposition(upstream.text, *format, limits_);
    relay(upstream);
  }

  void relay(Upstream& upstream) {
    upstream.is_up = !upstream.exposition.is_refused;
    for (const auto& [why, line, family] : upstream.exposition.refused) {
      auto detail = "line " + std::to_string(line) + ": " + std::string(name_of(why));
      if (!family.empty()) detail.append(" of ").append(family);
      upstream.reject(name_of(why), detail);
    }
    const auto refused = relayed_.add(
        upstream.exposition, {.label = {kLabel, upstream.page.name}, .help = upstream.help});
    for (const auto& [why, family] : refused) {
      if (why == RelayedFamilies::Refusal::help) continue;  // nothing of it is lost
      const auto reason = RelayedFamilies::name_of(why);
      upstream.reject(reason, std::string(reason).append(": ").append(family));
    }
  }

  std::chrono::milliseconds timeout_;
  PageFetcher* fetcher_;
  metrics::ExpositionLimits limits_;
  std::vector<Upstream> upstreams_;
  Clock::time_point begun_at_ = Clock::time_point::min();
  RelayedFamilies relayed_;
  std::string complaint_;
};

}  // namespace

constinit const CollectorSpec kUpstream = {"upstream",
                                           "Pages of other programs, passed on.",
                                           false,
                                           Reads::device,
                                           make_collector<Upstreams>,
                                           Upstreams::list,
                                           kUpstreamSettings};

}  // namespace collectors
