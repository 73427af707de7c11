#include "exporter/landing_page.hpp"

#include <catch2/catch.hpp>

TEST_CASE("the landing page names the product, its links and every collector's state") {
  exporter::Reports reports(3);
  reports[0] = {.status = exporter::Status::ok, .duration = {}, .problem = {}};
  reports[1] = {.status = exporter::Status::failed,
                .duration = {},
                .problem = "stat: cannot read '<script>alert(1)</script>&\"'"};
  const auto page = exporter::landing_page("/custom", {"cpu", "meminfo", "late"}, reports);
  CHECK_THAT(page, Catch::Contains("resource_exporter, version "));
  CHECK_THAT(page, Catch::Contains("<a href=\"/custom\">"));
  CHECK_THAT(page, Catch::Contains("<td>cpu</td><td>ok</td>"));
  CHECK_THAT(page, Catch::Contains("<td>meminfo</td><td>failed</td>"));
  CHECK_THAT(page, Catch::Contains("<td>late</td><td>not run yet, or late</td>"));
  CHECK(page.find("<script>") == std::string::npos);
}
