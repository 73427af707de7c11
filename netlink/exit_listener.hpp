#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "netlink/taskstats.hpp"

namespace netlink {

/// Hears of every thread of the host that ends, from open() on. The kernel queues a record for it
/// without waiting: what comes while the queue is full is lost, and counted by the kernel.
/// open() needs CAP_NET_ADMIN; afterwards no right is needed. A child that the process forks must
/// not use or destroy its copy: the socket is the same. Not thread-safe.
class ExitListener {
 public:
  /// Listens on all `possible_cpus`: the text of /sys/devices/system/cpu/possible, such as "0-63",
  /// so that those that come online later are heard too.
  /// `receive_buffer_bytes` is what the queue may hold. A record takes about 1.4 KB of it, and the
  /// kernel doubles what it is told: 64 MiB hold about 100,000. Nothing is set aside beforehand.
  /// Fails with `denied` without CAP_NET_ADMIN in the initial user namespace; `unsupported` on a
  /// kernel without taskstats or before 5.19, whose records do not name the process, and in a
  /// container, outside the initial pid or network namespace; `malformed` when `possible_cpus` is
  /// no list of CPUs or the kernel describes us otherwise than we are; or `io`.
  static Result<ExitListener> open(std::string_view possible_cpus,
                                   std::size_t receive_buffer_bytes);

  ExitListener(ExitListener&& other) noexcept;
  ExitListener& operator=(ExitListener&& other) noexcept;
  ExitListener(const ExitListener&) = delete;
  ExitListener& operator=(const ExitListener&) = delete;
  /// Stops listening. Without the right to say so, by closing the socket: the kernel then notices
  /// at the next exit on each CPU.
  ~ExitListener();

  /// What one call of drain() took off the queue.
  struct Drained {
    std::uint64_t records = 0;    ///< Handed to `use`.
    std::uint64_t malformed = 0;  ///< Datagrams that were thrown away, whole.
    bool is_empty = true;         ///< False when the limit ended it; there may be more.
  };
  /// Keeps a storm from holding up its caller for longer than some 0.1 s.
  static constexpr std::size_t kMaxDatagrams = 65'536;

  /// Calls `use` for each record in the queue, oldest first on each CPU, until it is empty or
  /// `max_datagrams` were read, rounded up to whole batches. Never waits. Once wait(2) has reaped a
  /// child, its record is in the queue or counted as dropped. Fails with `io`.
  Result<Drained> drain(const std::function<void(const TaskExit&)>& use,
                        std::size_t max_datagrams = kMaxDatagrams);

  /// How many records the kernel dropped, since open(), because the queue was full
  /// (SK_MEMINFO_DROPS). Exact while it is asked for at least once in 4 billion of them. Fails with
  /// `io`.
  Result<std::uint64_t> dropped();

 private:
  struct Batch;
  ExitListener(int descriptor, std::uint16_t family, std::string cpus);
  Result<void> start(std::size_t receive_buffer_bytes);
  Result<std::size_t> receive();
  void use_batch(std::size_t count, const std::function<void(const TaskExit&)>& use,
                 Drained& drained) const;

  int descriptor_;
  std::uint16_t family_;
  std::string cpus_;
  std::unique_ptr<Batch> batch_;
  std::uint32_t kernel_drops_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace netlink
