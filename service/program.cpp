#include "service/program.hpp"

#include <csignal>
#include <exception>
#include <iostream>

namespace service {

int end_with(const char* program, const Exit& exit) {
  if (exit.code == 0) {
    std::cout << exit.text;
  } else {
    std::cerr << program << ": " << exit.text << '\n';
  }
  return exit.code;
}

int run_or_tell(const char* program, const std::function<void()>& run) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT: before any thread
  try {
    run();
    return 0;
  } catch (const std::exception& error) {
    return end_with(program, {.code = 1, .text = error.what()});
  }
}

}  // namespace service
