#include "service/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>

#include "metrics/escape.hpp"

namespace service {
namespace {

LogFormat g_format = LogFormat::logfmt;  // NOLINT: set once, before any thread starts

spdlog::level::level_enum to_spdlog(LogLevel level) {
  constexpr std::array kLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                  spdlog::level::err};
  return kLevels.at(static_cast<std::size_t>(level));
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  const auto begin = out.size();
  out.resize(begin + metrics::kMaxEscapedBytesPerByte * text.size());
  // Escapes what JSON and logfmt escape, but for the tab, which JSON does not allow.
  auto* end = metrics::write_escaped(out.data() + begin, text, metrics::Quotes::escape);
  out.resize(static_cast<std::size_t>(end - out.data()));
  for (auto at = begin; (at = out.find('\t', at)) != std::string::npos;) out[at] = ' ';
  out += '"';
}

bool is_plain_word(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7F || c == '"' || c == '=' || c == '\\') return false;
  }
  return !text.empty();
}

}  // namespace

std::string format_log(LogFormat format, std::string_view message,
                       std::initializer_list<LogField> fields) {
  std::string line;
  const bool is_json = format == LogFormat::json;
  line += is_json ? "\"msg\":" : "msg=";
  append_quoted(line, message);
  for (const auto& [key, value] : fields) {
    if (is_json) {
      line.append(",\"").append(key).append("\":");
    } else {
      line.append(" ").append(key).append("=");
    }
    if (!is_json && is_plain_word(value)) {
      line += value;
    } else {
      append_quoted(line, value);
    }
  }
  return line;
}

void set_up_log(LogLevel level, LogFormat format) {
  g_format = format;
  auto logger = spdlog::stderr_logger_mt("service");
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::debug);
  constexpr auto kUtc = spdlog::pattern_time_type::utc;
  if (format == LogFormat::json) {
    logger->set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", kUtc);
  } else {
    logger->set_pattern("ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", kUtc);
  }
  spdlog::set_default_logger(std::move(logger));
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  auto* logger = spdlog::default_logger_raw();
  const auto spdlog_level = to_spdlog(level);
  if (!logger->should_log(spdlog_level)) return;
  logger->log(spdlog_level, format_log(g_format, message, fields));
}

}  // namespace service
