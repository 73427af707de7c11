#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "procfs/file_reader.hpp"

namespace procfs {

using Clock = std::chrono::steady_clock;

/// A kernel file that several collectors need: read and parsed at most once for each point in
/// time, so that their numbers agree and the kernel is asked once. `Parsed` may hold views into
/// the file's text. Not thread-safe.
template <class Parsed>
class Snapshot {
 public:
  using Parse = Result<Parsed> (*)(std::string_view text);

  Snapshot(KeptFile file, Parse parse) : file_(std::move(file)), parse_(parse) {}

  /// The reading of `now`; the reference and all views in it are valid until the next `now`.
  const Result<Parsed>& at(Clock::time_point now) {
    if (!reading_ || read_at_ != now) {
      reading_.reset();  // first, so that the new one gets its memory, which is warm
      reading_.emplace(read());
      read_at_ = now;
    }
    return *reading_;
  }

 private:
  Result<Parsed> read() {
    const auto text = file_.read();
    if (!text) return text.error();
    return parse_(*text);
  }

  KeptFile file_;
  Parse parse_;
  std::optional<Result<Parsed>> reading_;
  Clock::time_point read_at_;
};

}  // namespace procfs
