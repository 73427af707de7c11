#include "service/listening.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <sstream>
#include <stdexcept>

#include "service/log.hpp"

namespace service {

Endpoints listen(http::Server& server, const std::vector<std::string>& addresses) {
  Endpoints endpoints;
  for (const auto& address : addresses) {
    try {
      const auto bound = server.listen(address);
      endpoints.insert(endpoints.end(), bound.begin(), bound.end());
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error("cannot listen on " + address + ": " + error.code().message() +
                               "; see --web.listen-address");
    }
  }
  return endpoints;
}

void log_listening(const Endpoints& endpoints) {
  for (const auto& endpoint : endpoints) {
    std::ostringstream text;
    text << endpoint;
    log(LogLevel::info, "listening", {{"address", text.str()}});
  }
}

http::Limits limits_for(std::size_t connections, std::size_t sources) {
  http::Limits limits;
  limits.connections = connections;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    const auto half = std::max<rlim_t>(files.rlim_cur / 2, 4);
    limits.connections = std::min<std::size_t>(limits.connections, half);
  }
  limits.connections_per_source = std::max<std::size_t>(limits.connections / sources, 1);
  return limits;
}

}  // namespace service
