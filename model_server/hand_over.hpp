#pragma once

#include <chrono>
#include <cstddef>

namespace model_server {

/// Whether a job is handed to another thread, or computed by the loop that brings it.
///
/// To wake a thread and to be woken by it takes as long as a small network takes to compute; but
/// while the loop computes, nobody else is answered and the other CPUs idle. So the loop computes
/// what is short, for a client that is alone: no other job was under way when the last ones came.
/// A loop that computes does not see who comes meanwhile; so now and then a job is handed over for
/// the sake of looking. Pure; not thread-safe.
class HandOver {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// What the loop may be away for.
  static constexpr std::chrono::microseconds kMostTime{250};
  /// So many jobs without company make a client that is alone, and one of so many is handed over.
  static constexpr std::size_t kAlone = 16;

  /// To be asked once for each job, in the order they come; `under_way` counts those handed over
  /// that have not ended.
  [[nodiscard]] bool is_for_loop(std::size_t rows, std::size_t under_way);

  /// What a job took to compute, wherever that was.
  void learn(std::size_t rows, Duration time);

 private:
  Duration per_row_ = Duration::max() / 2;  // until it is known
  std::size_t without_company_ = 0;
};

}  // namespace model_server
