#include "collectors/process/bounded_text.hpp"

#include "metrics/escape.hpp"

namespace collectors {

std::string bounded_text(std::string_view text, std::size_t max_bytes) {
  // Repair never shortens, so that what follows is cut off anyway; but the last character must be
  // whole while it is judged.
  constexpr std::size_t kLongestSequence = 4;
  auto result = metrics::repaired(text.substr(0, max_bytes + kLongestSequence));
  if (result.size() <= max_bytes) return result;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  auto end = max_bytes;
  while (end > 0 && continues(result[end])) --end;
  result.resize(end);
  return result;
}

}  // namespace collectors
