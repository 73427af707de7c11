#include "model_server/hand_over.hpp"

namespace model_server {

bool HandOver::is_for_loop(std::size_t rows, std::size_t under_way) {
  if (under_way > 0) {
    without_company_ = 0;
    return false;
  }
  ++without_company_;
  const bool is_alone = without_company_ > kAlone && without_company_ % kAlone != 0;
  const auto most_rows = static_cast<std::size_t>(kMostTime / per_row_);
  return is_alone && rows <= most_rows;
}

void HandOver::learn(std::size_t rows, Duration time) {
  if (rows == 0) return;
  const auto latest = time / static_cast<Duration::rep>(rows) + Duration(1);
  // The dearer of the last few: caches are cold in one, and warm in the next.
  constexpr int kWeight = 8;
  per_row_ = latest > per_row_ || per_row_ > kMostTime * kWeight
                 ? latest
                 : per_row_ - (per_row_ - latest) / kWeight;
}

}  // namespace model_server
