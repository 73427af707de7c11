// process_herd TAG: a child for each name on stdin, a byte of its length before each, that bears it
// and sleeps. "ready" on stdout when all do. They end with this one, and before it after SIGTERM.
// TAG is for who looks for them: it is in the command line of all.
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace {

/// False at the end.
bool read_name(std::string& name) {
  const int length = std::getchar();
  if (length == EOF) return false;
  name.resize(static_cast<std::size_t>(length));
  return std::fread(name.data(), 1, name.size(), stdin) == name.size();
}

[[noreturn]] void bear(const std::string& name, int named) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, name.c_str());
  if (::write(named, "!", 1) != 1) ::_exit(1);
  for (;;) ::pause();
}

}  // namespace

int main() {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return 1;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t end;
  ::sigemptyset(&end);
  ::sigaddset(&end, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &end, nullptr);
  std::vector<pid_t> children;
  std::string name;
  while (read_name(name)) {
    const auto pid = ::fork();
    if (pid < 0) return 1;
    if (pid == 0) bear(name, pipe[1]);
    children.push_back(pid);
    char byte = 0;
    if (::read(pipe[0], &byte, 1) != 1) return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&end, &signal);
  for (const auto child : children) ::kill(child, SIGKILL);
  for (const auto child : children) ::waitpid(child, nullptr, 0);
}
