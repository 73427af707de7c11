#include "collectors/reserved_names.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

using collectors::is_reserved_name;

TEST_CASE("every family that the host's page has is reserved") {
  std::ifstream page(FIXTURES "/small-host.prom");
  int count = 0;
  for (std::string hash, what, name, rest; page >> hash >> what >> name;) {
    std::getline(page, rest);
    if (hash != "#" || what != "TYPE") continue;
    INFO(name);
    CHECK(is_reserved_name(name));
    ++count;
  }
  CHECK(count > 150);
}

TEST_CASE("names that others may have are not reserved") {
  for (const auto* name : {"node_reboot_required", "node_load", "node_load100", "input_variance",
                           "model_requests_total", "upstream", "hosts", "python_info", ""}) {
    INFO(name);
    CHECK_FALSE(is_reserved_name(name));
  }
  for (const auto* name : {"up", "scrape_samples_scraped", "process_cpu_seconds_total",
                           "resource_exporter_build_info", "node_scrape_collector_success"}) {
    INFO(name);
    CHECK(is_reserved_name(name));
  }
}
