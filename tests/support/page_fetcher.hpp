// A fetcher whose answers a test writes down.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collectors/page_fetcher.hpp"

namespace tests {

/// Answers with what is in `answers` when the fetch began, by the port that was asked.
class ScriptedFetcher final : public collectors::PageFetcher {
 public:
  struct Begun {
    collectors::PageAddress address;
    Limits limits;
  };

  std::map<std::uint16_t, collectors::FetchAnswer> answers;
  std::vector<Begun> begun;
  int waited = 0;

  void say(std::uint16_t port, std::string text, unsigned status = 200,
           std::string content_type = "text/plain; version=0.0.4") {
    answers[port] = {collectors::FetchedPage{status, std::move(content_type), std::move(text)},
                     std::chrono::duration<double>(0.25)};
  }
  void fail(std::uint16_t port, collectors::FetchFailure::Why why) {
    answers[port] = {collectors::FetchFailure{why, "as the test wants"},
                     std::chrono::duration<double>(0.5)};
  }

  std::unique_ptr<collectors::PendingPage> begin(const collectors::PageAddress& address,
                                                 Limits limits) override {
    class Pending final : public collectors::PendingPage {
     public:
      Pending(collectors::FetchAnswer answer, int& waited)
          : answer_(std::move(answer)), waited_(waited) {}
      bool wait_until(procfs::Clock::time_point /*until*/) override { return true; }
      collectors::FetchAnswer wait() override {
        ++waited_;
        return answer_;
      }

     private:
      collectors::FetchAnswer answer_;
      int& waited_;
    };
    begun.push_back({address, limits});
    return std::make_unique<Pending>(answers[address.port], waited);
  }
};

}  // namespace tests
