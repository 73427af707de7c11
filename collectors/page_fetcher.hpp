// How a collector asks another program for its page: done by whoever runs the collectors, which
// know no network.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "procfs/snapshot.hpp"

namespace collectors {

/// http://host:port/target
struct PageAddress {
  std::string host;  ///< A name or an address; one of IPv6 without brackets.
  std::uint16_t port = 0;
  std::string target;
};

struct FetchedPage {
  unsigned status = 0;
  std::string content_type;
  std::string text;
};

struct FetchFailure {
  enum class Why : std::uint8_t {
    unreachable,  ///< No such name, or nobody accepts there.
    timeout,      ///< Not all of the page came in time.
    protocol,     ///< What came is not HTTP, or ended too early.
    too_large,
  } why = Why::protocol;
  std::string detail;  ///< For a person.
};

struct FetchAnswer {
  std::variant<FetchedPage, FetchFailure> result;
  std::chrono::duration<double> duration{0};
};

/// A page that is being fetched. Destroying it throws away whatever still comes.
class PendingPage {
 public:
  PendingPage() = default;
  PendingPage(const PendingPage&) = delete;
  PendingPage& operator=(const PendingPage&) = delete;
  PendingPage(PendingPage&&) = delete;
  PendingPage& operator=(PendingPage&&) = delete;
  virtual ~PendingPage() = default;

  /// Waits until then at most; true when wait() would return at once.
  virtual bool wait_until(procfs::Clock::time_point until) = 0;

  /// The answer, at the latest when the deadline has passed. Once.
  virtual FetchAnswer wait() = 0;
};

class PageFetcher {
 public:
  PageFetcher() = default;
  PageFetcher(const PageFetcher&) = delete;
  PageFetcher& operator=(const PageFetcher&) = delete;
  PageFetcher(PageFetcher&&) = delete;
  PageFetcher& operator=(PageFetcher&&) = delete;
  virtual ~PageFetcher() = default;

  struct Limits {
    procfs::Clock::time_point deadline;
    std::size_t page_bytes = 0;
  };
  /// Begins and returns at once; addresses do not wait for each other.
  virtual std::unique_ptr<PendingPage> begin(const PageAddress& address, Limits limits) = 0;
};

}  // namespace collectors
