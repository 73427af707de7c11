#pragma once

#include <string>

#include "http/server.hpp"

namespace http {

// Versions as Beast writes them.
inline constexpr unsigned kHttp10 = 10;
inline constexpr unsigned kHttp11 = 11;

/// How a response is to be framed.
struct Framing {
  unsigned version = kHttp11;  ///< Of the request.
  bool is_head = false;        ///< No body follows.
  bool is_keep = false;        ///< Another request may follow on the connection.
};

/// The status line and fields of a response, with the empty line that ends them.
std::string response_header(const Response& response, const Framing& framing);

}  // namespace http
