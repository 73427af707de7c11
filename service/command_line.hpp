#pragma once

#include <CLI/CLI.hpp>
#include <utility>
#include <variant>

#include "service/log.hpp"
#include "service/program.hpp"

namespace service {

/// Adds --log.level, which writes `level`.
void add_log_level(CLI::App& app, LogLevel& level);

/// Of --help and --version.
Exit exit_of(const CLI::App& app, const CLI::Success& request);
/// Of a mistake: one line that names --help.
Exit exit_of(const CLI::Error& error);

/// Parses into what the options of `app` write to, and gives what `resolve` then makes of it:
/// Options or an Exit. It may throw what parsing may.
template <class Options, class Resolve>
std::variant<Options, Exit> parse_command_line(CLI::App& app, int argc, const char* const* argv,
                                               Resolve resolve) {
  try {
    app.parse(argc, argv);
    return resolve();
  } catch (const CLI::Success& request) {
    return exit_of(app, request);
  } catch (const CLI::Error& error) {
    return exit_of(error);
  }
}

}  // namespace service
