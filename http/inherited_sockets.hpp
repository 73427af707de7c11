#pragma once

#include <vector>

namespace http {

/// The descriptors of the sockets that systemd opened for this process, as sd_listen_fds(3) has it;
/// none when it was started otherwise. Programs that this one may start do not get them. Before any
/// thread, and once: the environment no longer tells of them afterwards.
std::vector<int> inherited_sockets();

}  // namespace http
