#include "procfs/passwd.hpp"

#include <catch2/catch.hpp>

#include "tests/support/fixture_host.hpp"

using procfs::parse_passwd;

TEST_CASE("parse_passwd gives the first name of each user") {
  const auto names = parse_passwd(
      "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\nml:*:1001:100:a, b:/home/ml:\n");
  CHECK(names.size() == 2);
  CHECK(names.at(0) == "root");
  CHECK(names.at(1001) == "ml");
}

TEST_CASE("parse_passwd passes over what is no user") {
  const auto text = GENERATE("", "\n", "root", "root:x", "root:x:", "root:x:-1:0", "root:x:zero:0",
                             ":x:0:0", "root:x:4294967296:0", "+::::::", "root:x: 0:0");
  INFO(text);
  CHECK(parse_passwd(text).empty());
}

TEST_CASE("parse_passwd survives truncation and damage") {
  tests::survives_truncation_and_damage("root:x:0:0:root:/root:/bin/bash\nml:*:1001:100::/:\n",
                                        [](const std::string& text) { return parse_passwd(text); });
}
