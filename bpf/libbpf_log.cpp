#include "bpf/libbpf_log.hpp"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <vector>

namespace bpf {
namespace {

thread_local LibbpfLog* current = nullptr;

int collect(libbpf_print_level level, const char* format, std::va_list arguments) noexcept {
  if (level != LIBBPF_WARN || current == nullptr) return 0;
  std::va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return 0;
  std::string message(static_cast<std::size_t>(length) + 1, '\0');
  std::vsnprintf(message.data(), message.size(), format, arguments);
  message.pop_back();  // The NUL.
  current->add(message);
  return length;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace

LibbpfLog::LibbpfLog() {
  current = this;
  libbpf_set_print(collect);
}

LibbpfLog::~LibbpfLog() {
  current = nullptr;
  libbpf_set_print(nullptr);
}

std::string LibbpfLog::cause() const { return cause_in(messages_); }

std::string cause_in(const std::string& messages) {
  constexpr std::string_view kPrefix = "libbpf: ";
  std::string_view cause;
  for (const auto line : lines_of(messages)) {
    if (cause.empty()) cause = line;
    if (line.find("-- END PROG LOAD LOG --") != std::string_view::npos) break;
    // The kernel's words have no prefix; its last line is of statistics.
    if (!line.starts_with(kPrefix) && !line.starts_with("processed ")) cause = line;
  }
  if (cause.starts_with(kPrefix)) cause.remove_prefix(kPrefix.size());
  return std::string(cause);
}

}  // namespace bpf
