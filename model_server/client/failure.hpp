#pragma once

#include <cstddef>
#include <cstdint>

namespace model_client {

/// Why a request brought no prediction.
enum class Failure : std::uint8_t {
  unresolved,    ///< The server's name has no address.
  unreachable,   ///< Nobody accepted.
  deadline,      ///< No whole answer in time.
  disconnected,  ///< The server closed amid its answer.
  malformed,     ///< The answer was no HTTP, too large, or had no prediction in it.
  overloaded,    ///< Status 503.
  refused,       ///< Another status of 400 and more, below 500: the request was wrong.
  server_error,  ///< Any other status that is not 200.
};
inline constexpr std::size_t kFailureCount = 8;

/// Such as "unreachable": the label `reason`.
const char* name_of(Failure failure);

}  // namespace model_client
