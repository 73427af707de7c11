#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "http/server.hpp"

namespace service {

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// Opens all addresses of --web.listen-address. Throws std::runtime_error that names the flag.
Endpoints listen(http::Server& server, const std::vector<std::string>& addresses);

/// A line of the log for each.
void log_listening(const Endpoints& endpoints);

/// At most so many connections at once, and at most half as many as this process may have open
/// files; of these one in `sources` from one address.
http::Limits limits_for(std::size_t connections, std::size_t sources);

}  // namespace service
