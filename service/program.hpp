// How a program begins and ends.
#pragma once

#include <functional>
#include <string>
#include <variant>

namespace service {

/// There is nothing to run: --help, --version and the like, or a mistake.
struct Exit {
  int code = 0;
  std::string text;  ///< For stdout when `code` is 0; one line for stderr otherwise.
};

/// Says the text of `exit` and returns its code. `program` is the name in front of a mistake.
int end_with(const char* program, const Exit& exit);

/// Calls `run`, which a closed stderr does not end. Returns the exit code: what `run` throws is one
/// line on stderr and 1.
int run_or_tell(const char* program, const std::function<void()>& run);

/// All that main() does with what the command line asks for.
template <class Options>
int run_program(const char* program, const std::variant<Options, Exit>& parsed,
                int (*run)(const Options&)) {
  if (const auto* exit = std::get_if<Exit>(&parsed)) return end_with(program, *exit);
  return run(std::get<Options>(parsed));
}

}  // namespace service
