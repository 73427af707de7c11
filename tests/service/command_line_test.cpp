#include "service/command_line.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using service::Exit;
using service::LogLevel;

namespace {

struct Wanted {
  int number = 1;
  LogLevel log_level = LogLevel::info;
};

std::variant<Wanted, Exit> parse_wanted(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "program");
  CLI::App app("Does\nnothing.", "program");
  Wanted wanted;
  app.add_option("--number", wanted.number, "A number");
  service::add_log_level(app, wanted.log_level);
  return service::parse_command_line<Wanted>(app, static_cast<int>(arguments.size()),
                                             arguments.data(), [&]() -> std::variant<Wanted, Exit> {
                                               if (wanted.number == 0)
                                                 return Exit{.code = 1, .text = "none"};
                                               if (wanted.number < 0)
                                                 throw CLI::ValidationError("--number",
                                                                            "is below\n0");
                                               return wanted;
                                             });
}

Exit exit_with(const std::vector<const char*>& arguments) {
  const auto parsed = parse_wanted(arguments);
  REQUIRE(std::holds_alternative<Exit>(parsed));
  return std::get<Exit>(parsed);
}

}  // namespace

TEST_CASE("what was parsed is made into options") {
  const auto parsed = parse_wanted({"--number=7", "--log.level=warn"});
  REQUIRE(std::holds_alternative<Wanted>(parsed));
  CHECK(std::get<Wanted>(parsed).number == 7);
  CHECK(std::get<Wanted>(parsed).log_level == LogLevel::warn);
}

TEST_CASE("help ends with its text") {
  const auto exit = exit_with({"--help"});
  CHECK(exit.code == 0);
  CHECK(exit.text.find("--number") != std::string::npos);
  CHECK(exit.text.find("=info") != std::string::npos);
}

TEST_CASE("a mistake ends with one line, wherever it is found") {
  const auto* argument = GENERATE("--nothing", "--number=x", "--number=-1", "--log.level=loud");
  const auto exit = exit_with({argument});
  CHECK(exit.code == 1);
  CHECK(exit.text.find('\n') == std::string::npos);
  CHECK(exit.text.find("; see --help") != std::string::npos);
  CHECK(exit_with({"--number=0"}).text == "none");
}
