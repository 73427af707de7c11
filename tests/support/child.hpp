// Real processes for the tests of what reads /proc.
#pragma once

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

namespace tests {

/// A child process that has done `prepare` once it is constructed, and then does `forever` again
/// and again until it is killed: at the latest when this object, or the test, ends.
class Child {
 public:
  template <class Prepare, class Forever>
  Child(Prepare prepare, Forever forever) {
    std::array<int, 2> ready{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      prepare();
      if (::write(ready[1], "!", 1) != 1) ::_exit(1);
      for (;;) forever();
    }
    ::close(ready[1]);
    char byte = 0;
    const auto got = ::read(ready[0], &byte, 1);
    ::close(ready[0]);
    if (pid_ < 0 || got != 1) throw std::runtime_error("no child");
  }
  /// One that sleeps under a name of its own.
  explicit Child(const std::string& comm)
      : Child([&comm] { ::prctl(PR_SET_NAME, comm.c_str()); }, [] { ::pause(); }) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill();
    reap();
  }

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Leaves a zombie.
  void kill() {
    if (is_reaped_) return;
    ::kill(pid_, SIGKILL);
    siginfo_t ignored{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &ignored, WEXITED | WNOWAIT);
  }
  /// Afterwards the pid is free.
  void reap() {
    if (!is_reaped_) ::waitpid(pid_, nullptr, 0);
    is_reaped_ = true;
  }

 private:
  pid_t pid_ = -1;
  bool is_reaped_ = false;
};

/// Runs `body` in a child without the rights of root, so that file modes hold there whoever runs
/// the test. True when `body` returned true.
template <class Body>
bool holds_without_privilege(Body body) {
  const auto pid = ::fork();
  if (pid == 0) {
    constexpr uid_t kNobody = 65534;
    const bool dropped = ::geteuid() != 0 || ::setresuid(kNobody, kNobody, kNobody) == 0;
    ::_exit(dropped && body() ? 0 : 1);
  }
  int status = -1;
  return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace tests
