#include "model_server/client/series.hpp"

#include <catch2/catch.hpp>

using model_client::parse_series;
using model_client::SeriesError;
using Values = std::vector<double>;

TEST_CASE("a column of a CSV text becomes a series") {
  struct Row {
    const char* what;
    const char* csv;
    const char* column;
    Values expected;
  };
  const auto [what, csv, column, expected] = GENERATE(values<Row>({
      {"one column", "1\n-2.5\n3e2\n", "", {1, -2.5, 300}},
      {"no newline at the end", "1\n2", "", {1, 2}},
      {"lines of other systems, and empty ones", "1\r\n\r\n2\r\n\n", "", {1, 2}},
      {"the last column", "10,1\n20,2\n", "", {1, 2}},
      {"the last column below a header", "time;load\n10; 1 \n20;2\n", "", {1, 2}},
      {"a column by its name", "load,time\n1,10\n2,20\n", "load", {1, 2}},
      {"more columns than the header has", "load\n1,10\n2,20\n", "load", {1, 2}},
      {"a header alone", "load\n", "", {}},
      {"nothing", "", "", {}},
  }));
  INFO(what);
  const auto series = parse_series(csv, column);
  REQUIRE(std::holds_alternative<Values>(series));
  CHECK(std::get<Values>(series) == expected);
}

TEST_CASE("a CSV text that is no series is refused with the line") {
  struct Row {
    const char* what;
    const char* csv;
    const char* column;
    const char* detail;
  };
  const auto [what, csv, column, detail] = GENERATE(values<Row>({
      {"a word amid numbers", "1\n2\nthree\n", "", "line 3: 'three' is no finite number"},
      {"two headers", "load\nload\n", "", "line 2: 'load' is no finite number"},
      {"not a number", "1\nnan\n", "", "line 2: 'nan' is no finite number"},
      {"infinity", "1\n-inf\n", "", "line 2: '-inf' is no finite number"},
      {"a number past all others", "1\n1e999\n", "", "line 2: '1e999' is no finite number"},
      {"a number with a tail", "1\n2x\n", "", "line 2: '2x' is no finite number"},
      {"an empty field", "a,b\n1,\n", "", "line 2: '' is no finite number"},
      {"a missing field", "a,b\n1\n", "", "line 2: too few columns"},
      {"no such column", "a,b\n1,2\n", "c", "line 1: no column named c"},
  }));
  INFO(what);
  const auto series = parse_series(csv, column);
  REQUIRE(std::holds_alternative<SeriesError>(series));
  CHECK(std::get<SeriesError>(series).detail == detail);
}
