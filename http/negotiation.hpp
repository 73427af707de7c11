// What a client would rather have: Accept and Accept-Encoding with their q-values (RFC 9110,
// sections 12.4 and 12.5). Pure; a part that is not understood is passed over.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace http {

/// True when two tokens differ at most in the case of ASCII letters.
bool equal_ignoring_case(std::string_view left, std::string_view right);

struct MediaType {
  std::string_view type;     ///< Such as "text/plain".
  std::string_view version;  ///< Value of the `version` parameter.
};

/// Index of the offer that `accept` likes best. Between equals the first offer wins, and where none
/// is acceptable it is served all the same, as is usual for a scrape. A range without `version`
/// takes any version, one with another version than the offer's does not take it.
std::size_t preferred_offer(std::string_view accept, std::span<const MediaType> offers);

/// True when `accept_encoding` takes gzip at least as gladly as an uncoded body.
bool prefers_gzip(std::string_view accept_encoding);

}  // namespace http
