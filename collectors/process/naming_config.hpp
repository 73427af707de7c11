// process-exporter's configuration file: which process belongs to which group.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/process/name_template.hpp"
#include "metrics/result.hpp"

namespace re2 {
class RE2;
}

namespace collectors {

/// A regular expression over the whole command line, and which of its groups the name wants.
struct CommandLinePattern {
  struct Capture {
    std::size_t group;  ///< The number of its parenthesis, from 1.
    std::string name;
  };

  std::shared_ptr<const re2::RE2> regex;
  std::vector<Capture> captures;
};

/// An entry of process_names. A process must satisfy each matcher that is not empty; there is at
/// least one.
struct NamingRule {
  NameTemplate name;
  std::vector<std::string> comms;  ///< One is the process' comm.
  std::vector<std::string> exes;   ///< One is its first argument; without a '/', the end of that.
  std::vector<CommandLinePattern> command_line;  ///< All are found in it.
};

/// The first rule that a process satisfies names its group; without one it has none.
struct NamingConfig {
  static constexpr std::size_t kMaxBytes = 1 << 20;
  static constexpr std::size_t kMaxRules = 1000;
  static constexpr std::size_t kMaxTexts = 100'000;          ///< In comm and exe of all rules.
  static constexpr std::size_t kMaxPatterns = 1000;          ///< In cmdline of all rules.
  static constexpr std::size_t kMaxPatternBytes = 4096;      ///< Of the text of one.
  static constexpr std::size_t kMaxCompiledBytes = 1 << 20;  ///< One at work, so none is a bomb.

  std::vector<NamingRule> rules;
};

/// Parses the text of a configuration:
///
///   process_names:
///   - name: "{{.Comm}}:{{.Matches.port}}"   # see NameTemplate; "{{.ExeBase}}" when not given
///     comm: [postgres, mysqld]
///     exe: [/usr/sbin/nginx, python3]
///     cmdline: ['--port[= ](?P<port>\d+)']  # RE2, the syntax of Go
///
/// It is what process-exporter 0.7 and 0.8 accept, but stricter where those work on with a slip of
/// the pen: a key that does not exist or stands twice, a list without entries, a template that
/// names what does not exist, a second document. `file` is its name for the message.
///
/// Fails with `malformed` and one line: "FILE:LINE: what is wrong, and what is allowed". Throws
/// nothing but bad_alloc.
metrics::Result<NamingConfig> parse_naming_config(std::string_view text, std::string_view file);

}  // namespace collectors
