// The files of processes and threads below a FileTree's proc/.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/fixture_host.hpp"

namespace tests {

/// What the files of a thread say, and those of a process of which it is the main one.
struct ThreadFiles {
  int tid = 0;
  std::string comm;
  int user_ticks = 0;
  int threads = 1;  ///< Of its process.
  int start_ticks = 1000;
  int voluntary_switches = 0;
  std::string wait_channel = "0";
};

inline std::string stat_of(const ThreadFiles& files) {
  return std::to_string(files.tid) + " (" + files.comm + ") S 1 1 1 0 -1 0 11 0 12 0 " +
         std::to_string(files.user_ticks) + " 50 0 0 20 0 " + std::to_string(files.threads) +
         " 0 " + std::to_string(files.start_ticks) + " 65536 1 0\n";
}

inline std::string status_of(const ThreadFiles& files) {
  return "Uid:\t0\t1000\t0\t0\nVmHWM:\t 12 kB\nVmRSS:\t 8 kB\nVmSwap:\t 4 kB\nThreads:\t" +
         std::to_string(files.threads) + "\nvoluntary_ctxt_switches:\t" +
         std::to_string(files.voluntary_switches) + "\nnonvoluntary_ctxt_switches:\t7\n";
}

/// 50 ticks in the kernel, 11 minor and 12 major faults, 21 and 22 bytes read and written, 7
/// involuntary switches.
inline void write_thread(FileTree& tree, int pid, const ThreadFiles& files) {
  const auto folder = "proc/" + std::to_string(pid) + "/task/" + std::to_string(files.tid);
  tree.write(folder + "/stat", stat_of(files)).write(folder + "/status", status_of(files));
  tree.write(folder + "/io", "read_bytes: 21\nwrite_bytes: 22\n");
  tree.write(folder + "/wchan", files.wait_channel);
}

/// The same, and two open files of at most 8; without its task/.
inline void write_process(FileTree& tree, const ThreadFiles& files) {
  const auto folder = "proc/" + std::to_string(files.tid);
  tree.write(folder + "/stat", stat_of(files)).write(folder + "/status", status_of(files));
  tree.write(folder + "/io", "read_bytes: 21\nwrite_bytes: 22\n");
  tree.write(folder + "/wchan", files.wait_channel);
  tree.write(folder + "/fd/0", "").write(folder + "/fd/1", "");
  tree.write(folder + "/limits", "Max open files            8                    4096 files\n");
}

}  // namespace tests
