#include "model_server/client/failure.hpp"

#include <array>

namespace model_client {

const char* name_of(Failure failure) {
  static constexpr std::array<const char*, kFailureCount> kNames = {
      "unresolved", "unreachable", "deadline", "disconnected",
      "malformed",  "overloaded",  "refused",  "server_error"};
  return kNames.at(static_cast<std::size_t>(failure));
}

}  // namespace model_client
