#include "service/log.hpp"

#include <catch2/catch.hpp>

using service::format_log;
using service::LogFormat;

TEST_CASE("a logfmt line quotes only what needs it") {
  CHECK(format_log(LogFormat::logfmt, "listening", {{"address", "127.0.0.1:8888"}}) ==
        "msg=\"listening\" address=127.0.0.1:8888");
  CHECK(format_log(LogFormat::logfmt, "m", {{"k", "two words"}}) == "msg=\"m\" k=\"two words\"");
  CHECK(format_log(LogFormat::logfmt, "m", {{"k", ""}}) == "msg=\"m\" k=\"\"");
}

TEST_CASE("a JSON line quotes everything") {
  CHECK(format_log(LogFormat::json, "listening", {{"address", "[::]:1"}}) ==
        R"("msg":"listening","address":"[::]:1")");
}

TEST_CASE("no value can end the line or forge a field") {
  const auto format = GENERATE(LogFormat::logfmt, LogFormat::json);
  const auto line = format_log(format, "m", {{"k", "a\n\"b\\c\td\x1b[31m\xff=e"}});
  CHECK_THAT(line, Catch::Contains("\"a\\n\\\"b\\\\c d\xEF\xBF\xBD[31m\xEF\xBF\xBD=e\""));
  CHECK(line.find('\n') == std::string::npos);
}
