#include "exporter/routes.hpp"

#include <catch2/catch.hpp>

using exporter::scrape_budget;
using exporter::select_collectors;
using exporter::Selection;

namespace {

const exporter::CollectorNames kNames = {"cpu", "meminfo", "process"};

std::variant<Selection, std::string> select(std::string_view query) {
  const auto target = http::parse_target(query);
  REQUIRE(target);
  return select_collectors(*target, kNames);
}

}  // namespace

TEST_CASE("collect[] and exclude[] choose as in node_exporter") {
  const auto [query, expected] = GENERATE(table<const char*, unsigned long>({
      {"/metrics", 0b111},
      {"/metrics?", 0b111},
      {"/metrics?collect[]=cpu", 0b001},
      {"/metrics?collect%5B%5D=process&collect[]=cpu", 0b101},
      {"/metrics?exclude[]=cpu", 0b110},
      {"/metrics?exclude[]=cpu&exclude[]=cpu", 0b110},
      {"/metrics?name[]=something&x", 0b111},
  }));
  INFO(query);
  const auto selection = select(query);
  REQUIRE(std::holds_alternative<Selection>(selection));
  CHECK(std::get<Selection>(selection).to_ulong() == expected);
}

TEST_CASE("a wrong choice is told and never repeats the client's words") {
  const auto* query =
      GENERATE("/m?collect[]=nosuch", "/m?collect[]=", "/m?exclude[]=cpu&collect[]=meminfo",
               "/m?collect[]=<script>");
  INFO(query);
  const auto selection = select(query);
  REQUIRE(std::holds_alternative<std::string>(selection));
  CHECK(std::get<std::string>(selection).find("script") == std::string::npos);
}

TEST_CASE("the scrape's budget is the client's timeout less half a second") {
  const auto [header, expected_ms] = GENERATE(table<const char*, int>({
      {"10", 9500},
      {"30.000000", 29500},
      {"0.7", 500},
      {"1e9", 120000},
      {"", 10000},
      {"nan", 10000},
      {"-5", 10000},
      {"5 seconds", 10000},
  }));
  INFO(header);
  CHECK(scrape_budget(header) == std::chrono::milliseconds(expected_ms));
}
