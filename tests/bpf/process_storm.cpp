// process_storm COUNT NAME: COUNT short children, four at a time, and on stdout the microseconds of
// CPU that they used, all together, as the kernel told their parent. A program of its own, without
// sanitizers: fork() of a test under AddressSanitizer takes milliseconds.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

void burn(long rounds) {
  volatile long sum = 0;
  for (long round = 0; round < rounds; ++round) sum = sum + round;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const long count = std::atol(argv[1]);  // NOLINT(cert-err34-c): the tests' own argument
  ::prctl(PR_SET_NAME, argv[2]);
  for (long child = 0; child < count; ++child) {
    if (child >= 4) ::wait(nullptr);
    const auto pid = ::fork();
    if (pid < 0) return 1;
    if (pid == 0) {
      burn(child % 7 * 20'000);
      ::_exit(static_cast<int>(child % 2));
    }
  }
  while (::wait(nullptr) > 0) {
  }
  rusage usage{};
  if (::getrusage(RUSAGE_CHILDREN, &usage) != 0) return 1;
  const auto seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
  std::printf("%ld\n", seconds * 1'000'000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  return 0;
}
