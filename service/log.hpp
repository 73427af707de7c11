#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace service {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { logfmt, json };

struct LogField {
  std::string_view key;
  std::string value;
};

/// Sets up logging to stderr; called once, before any thread starts.
void set_up_log(LogLevel level = LogLevel::info, LogFormat format = LogFormat::logfmt);

/// Writes one line, from any thread. Values may hold any bytes: they are escaped, so that nobody
/// can forge a line.
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

/// The part of a log line after its time and level. Pure.
std::string format_log(LogFormat format, std::string_view message,
                       std::initializer_list<LogField> fields);

}  // namespace service
