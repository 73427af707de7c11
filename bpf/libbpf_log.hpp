#pragma once

#include <string>
#include <string_view>

namespace bpf {

/// Collects what libbpf would print to stderr, from construction to destruction, on this thread;
/// afterwards libbpf is silent. libbpf has one log per process: no two at a time.
class LibbpfLog {
 public:
  LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  ~LibbpfLog();

  /// The line that says most of why something failed: the kernel's last word where it refused a
  /// program, else libbpf's first warning. Empty when there was none.
  [[nodiscard]] std::string cause() const;

  void add(std::string_view message) { messages_ += message; }

 private:
  std::string messages_;
};

/// What cause() finds in libbpf's messages. Pure.
std::string cause_in(const std::string& messages);

}  // namespace bpf
