#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/page_fetcher.hpp"

namespace exporter {

/// What its requests say in Via (RFC 9110, section 7.6.3). Whoever is asked in this way must not
/// ask others: one that relays its own page, or two that relay each other's, would never come to an
/// end.
inline constexpr std::string_view kVia = "1.1 resource_exporter";

/// Fetches pages over HTTP. Each address has an event loop and a thread of its own from its first
/// page on, so that a name that nobody can look up, or a host that sends without end, holds up no
/// other. begin() is for one thread at a time; what it returns may be used on any.
class HttpPageFetcher final : public collectors::PageFetcher {
 public:
  HttpPageFetcher();
  HttpPageFetcher(const HttpPageFetcher&) = delete;
  HttpPageFetcher& operator=(const HttpPageFetcher&) = delete;
  HttpPageFetcher(HttpPageFetcher&&) = delete;
  HttpPageFetcher& operator=(HttpPageFetcher&&) = delete;
  /// Breaks off what is being fetched; a thread that looks a name up is left behind.
  ~HttpPageFetcher() override;

  std::unique_ptr<collectors::PendingPage> begin(const collectors::PageAddress& address,
                                                 Limits limits) override;

 private:
  class Worker;

  std::map<std::string, std::unique_ptr<Worker>> workers_;  // by host and port
};

}  // namespace exporter
