// The whole page of a fixture host: a change in it is a change for users.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

namespace {

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Time that the test itself takes is on the page, and never the same.
std::string without_own_cost(std::string page) {
  const auto begin = page.find("\nhost_process_sampling_cpu_seconds_total ") + 1;
  return page.erase(begin, page.find('\n', begin) + 1 - begin);
}

}  // namespace

TEST_CASE("the page of the fixture host is the golden one") {
  const auto [format, golden] = GENERATE(table<metrics::TextFormat, std::string>({
      {metrics::TextFormat::prometheus_0_0_4, FIXTURES "/small-host.prom"},
      {metrics::TextFormat::openmetrics_1_0_0, FIXTURES "/small-host.openmetrics"},
  }));
  const tests::FixtureHost fixture(FIXTURES "/small-host");
  metrics::TextEncoder encoder(format);
  for (const auto* spec : collectors::catalog()) {
    INFO(spec->name);
    const auto collector = spec->make(fixture.host);
    for (const int second : {-1, 0}) collector->tick(tests::at_second(second));
    const auto result = collector->refresh(tests::at_second(0));
    if (!result) FAIL(result.error().detail);
    collector->emit(encoder);
  }
  encoder.finish();
  CHECK(encoder.refused().empty());
  const auto page = without_own_cost(std::string(encoder.text()));
  const auto actual = "actual" + golden.substr(golden.rfind('.'));
  if (page != read_file(golden)) std::ofstream(actual, std::ios::binary) << page;
  INFO("compare " << golden << " with " << actual << " in the build folder, line by line");
  CHECK((page == read_file(golden)));
}
