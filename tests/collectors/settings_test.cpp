#include "collectors/settings.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using collectors::Setting;
using collectors::Settings;

namespace {

constexpr Setting kLimit = {"limit", "How many", "32"};
constexpr Setting kSwitch = {"switch", "Whether", "false"};
constexpr Setting kFile = {"file", "Where", ""};

}  // namespace

TEST_CASE("a setting that is not given has its default") {
  const Settings settings;
  CHECK(settings.text("thing", kLimit) == "32");
  CHECK(settings.number("thing", kLimit, 0, 100) == 32);
  CHECK_FALSE(settings.truth("thing", kSwitch));
  CHECK(settings.text("thing", kFile).empty());
  CHECK(settings.texts("thing", kFile).empty());
  CHECK(settings.texts("thing", kLimit) == std::vector<std::string>{"32"});
}

TEST_CASE("a setting belongs to one collector") {
  Settings settings;
  settings.set("thing.limit", {"7"});
  settings.set("thing.switch", {"true"});
  CHECK(settings.number("thing", kLimit, 0, 100) == 7);
  CHECK(settings.truth("thing", kSwitch));
  CHECK(settings.number("other", kLimit, 0, 100) == 32);
}

TEST_CASE("what is given replaces the default, all of it for a repeatable setting") {
  Settings settings;
  settings.set("thing.file", {"a", "b"});
  CHECK(settings.texts("thing", kFile) == std::vector<std::string>{"a", "b"});
  CHECK(settings.text("thing", kFile) == "b");
}

TEST_CASE("a number outside its limits is refused in a line that says what is allowed") {
  const std::string value = GENERATE("-1", "4097", "many", "", "1.5", " 1", "99999999999999999999");
  Settings settings;
  settings.set("thing.limit", {value});
  CHECK_THROWS_AS(settings.number("thing", kLimit, 0, 4096), std::invalid_argument);
  CHECK_THROWS_WITH(
      settings.number("thing", kLimit, 0, 4096),
      "--collector.thing.limit: '" + value + "' is not a whole number from 0 to 4096");
}

TEST_CASE("both limits of a number are allowed") {
  Settings settings;
  settings.set("thing.limit", {"3"});
  CHECK(settings.number("thing", kLimit, 3, 3) == 3);
}

TEST_CASE("a share is a percentage") {
  const auto [value, share] = GENERATE(table<const char*, double>(
      {{"0.5%", 0.005}, {"1%", 0.01}, {"100%", 1}, {"1e-3%", 0.00001}, {"0.001%", 0.00001}}));
  Settings settings;
  settings.set("thing.limit", {value});
  CHECK(settings.share("thing", kLimit) == Approx(share));
}

TEST_CASE("what is no share is refused in a line that says what is allowed") {
  const std::string value = GENERATE("0%", "-1%", "100.1%", "5000", "0.5", "%", "", "0.5 %",
                                     "0.5%%", "nan%", "inf%", "1e999%", " 1%", "+1%");
  Settings settings;
  settings.set("thing.limit", {value});
  CHECK_THROWS_WITH(settings.share("thing", kLimit),
                    "--collector.thing.limit: '" + value +
                        "' is not a percentage above 0% and up to 100%, such as 0.5%");
}

TEST_CASE("a truth is true or false and nothing else") {
  const std::string value = GENERATE("yes", "1", "True", "");
  Settings settings;
  settings.set("thing.switch", {value});
  CHECK_THROWS_WITH(settings.truth("thing", kSwitch),
                    "--collector.thing.switch: '" + value + "' is not true or false");
}
