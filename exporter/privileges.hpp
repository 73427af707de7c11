#pragma once

namespace exporter {

/// Gives up every capability of the calling thread but those that only let it read more of others'
/// processes (CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH) or open a low port, and the way to any new one;
/// see capabilities(7). To be called before there are other threads, and before the port is opened:
/// then whoever takes the daemon over from outside has nothing to work with.
/// Throws std::system_error when the kernel refuses, which it has no reason to.
void drop_privileges();

}  // namespace exporter
