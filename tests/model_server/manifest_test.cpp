#include "model_server/manifest.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/model_files.hpp"

using Catch::Contains;
using model_server::parse_manifest;
using tests::kManifest;

namespace {

struct Damage {
  const char* old;
  const char* replacement;
  const char* message;
};

}  // namespace

TEST_CASE("parse_manifest reads every field") {
  const auto manifest = parse_manifest(kManifest);
  CHECK(manifest.name == "pair");
  CHECK(manifest.version == "2");
  CHECK(manifest.input.name == "in");
  CHECK(manifest.input.shape == std::vector<std::size_t>{1, 2});
  CHECK(manifest.input.size() == 2);
  CHECK(manifest.output.name == "out");
  CHECK(manifest.output.size() == 3);
  CHECK(manifest.output_index == 2);
  CHECK(manifest.reference.min == -1);
  CHECK(manifest.reference.max == 1.5);
  CHECK(manifest.reference.mean_magnitude == 0.25);
  CHECK(manifest.reference.edges == std::vector<double>{-0.5, 0, 0.5});
  CHECK(manifest.reference.counts == std::vector<std::uint64_t>{1, 2, 0, 5});
  CHECK(manifest.psi_thresholds == std::map<std::string, double>{{"1d", 0.25}, {"6h", 1}});
}

TEST_CASE("parse_manifest takes an index from the front, too") {
  CHECK(parse_manifest(tests::with(kManifest, "-1}", "1}")).output_index == 1);
}

TEST_CASE("parse_manifest names the field that is wrong") {
  const Damage cases[] = {
      {"{", "", "not JSON"},
      {"\"pair\"", "\"\"", "'name' is not 1 to 64"},
      {"\"pair\"", "\"a/b\"", "'name' is not 1 to 64"},
      {"\"pair\"", "7", "'name' is not a string"},
      {"\"name\": \"pair\",", "", "'name' is missing"},
      {"\"2\"", "\"1\\\"2\"", "'version'"},
      {"e3b0", "E3B0", "'sha256'"},
      {"e3b0", "", "'sha256'"},
      {"{\"name\": \"in\", \"shape\": [1, 2]}", "[]", "'input' is not an object"},
      {"[1, 2]", "[]", "'input.shape' is not a list"},
      {"[1, 2]", "2", "'input.shape' is not a list"},
      {"[1, 2]", "[2, 2]", "'input.shape' does not begin with 1"},
      {"[1, 2]", "[1, 0]", "'input.shape' has a dimension"},
      {"[1, 2]", "[1, 2.5]", "'input.shape' is not a whole number"},
      {"[1, 2]", "[1, 1e99]", "'input.shape' is not a whole number"},
      {"[1, 2]", "[1, 65536, 65536]", "'input.shape' is of more"},
      {"[1, 2]", "[1, 1, 1, 1, 1, 1, 1, 1, 1]", "'input.shape' is not a list"},
      {"-1}", "3}", "'output.index' is outside"},
      {"-1}", "-4}", "'output.index' is outside"},
      {"-1}", "null}", "'output.index' is not"},
      {"\"min\": -1", "\"min\": 2", "'reference.min' is above"},
      {": 0.25,", ": 1e999,", "'reference.mean_magnitude' is not a finite"},
      {": 0.25,", ": -1,", "'reference.mean_magnitude' is negative"},
      {"[-0.5, 0, 0.5]", "[-0.5, 0.5, 0.5]", "'reference.edges' does not ascend"},
      {"[-0.5, 0, 0.5]", "[0.5, 0, 1]", "'reference.edges' does not ascend"},
      {"[-0.5, 0, 0.5]", "[0]", "'reference.counts' is not one longer"},
      {"[1, 2, 0, 5]", "[1, 2, -1, 5]", "'reference.counts' has a negative"},
      {"[1, 2, 0, 5]", "[0, 0, 0, 0]", "'reference.counts' counts nothing"},
      {"\"step_edges\": [0],", "", "'reference.step_edges' is missing"},
      {"\"1d\"", "\"a day\"", "'psi_threshold.*' has a name that is not like 1d"},
      {"\"1d\": 0.25", "\"1d\": 0", "'psi_threshold.1d' is not above 0"},
      {"\"1d\": 0.25", "\"1d\": \"0\"", "'psi_threshold.1d' is not a finite"},
  };
  for (const auto& [old, replacement, message] : cases) {
    INFO(old << " -> " << replacement);
    CHECK_THROWS_WITH(parse_manifest(tests::with(kManifest, old, replacement)), Contains(message));
  }
}

TEST_CASE("what is wrong with a manifest is one line, whatever its bytes") {
  const auto* damage = GENERATE("\"1d\\nlevel=info\"", "\"\\u0007\"", "\"\"");
  CHECK_THROWS_WITH(parse_manifest(tests::with(kManifest, "\"1d\"", damage)),
                    !Contains("\n") && !Contains("\x07"));
}

TEST_CASE("parse_manifest survives any truncation and any damage") {
  const std::string whole(kManifest);
  const auto parse = [](std::string_view text) {
    try {
      (void)parse_manifest(text);
    } catch (const std::runtime_error&) {  // as it says
    }
  };
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const std::vector<char> text(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    parse({text.data(), text.size()});
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '"', '}', ']', '9', '-', '\xFF'}) {
      auto damaged = whole;
      damaged[at] = byte;
      parse(damaged);
    }
  }
}
