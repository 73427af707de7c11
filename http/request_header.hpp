// What the header of a request has to be before anything is made of it; only session.cpp includes
// this.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <optional>
#include <string_view>

#include "http/server.hpp"

namespace http {

using Message = boost::beast::http::request<boost::beast::http::empty_body>;

/// Text that parsers disagree about, and that no client needs: a folded line, a bare CR or LF,
/// another control character. Looks at the bytes from `begin` on, and back from there.
bool is_ambiguous(std::string_view header, std::size_t begin);

/// What refuses the request, if anything does. The framing is checked here because Beast 1.81
/// frames some bodies differently from other servers.
std::optional<Refused> refusal_of(const Message& message, const Limits& limits);

/// Which field Beast could not read, or "header".
std::string_view field_of(const boost::system::error_code& failure);

/// The target in a header that may be cut or broken: "" unless the first line has one.
std::string_view target_of(std::string_view header);

/// The size of the body behind a header that was not refused.
std::size_t body_bytes_of(const Message& message);

/// True when the client sends its body only after it was told to go on.
bool awaits_continue(const Message& message);

}  // namespace http
