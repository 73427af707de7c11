// The network as OpenCV computes it, beside what torch said when the model was made.
#include "model_server/model.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "model_server/sha256.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/onnx_bytes.hpp"

using Catch::Contains;
using model_server::Network;
using model_server::read_model;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A copy of the model that a test may damage.
class ModelCopy {
 public:
  ModelCopy() {
    std::string name = std::filesystem::temp_directory_path() / "model_XXXXXX";
    path_ = ::mkdtemp(name.data());
    std::filesystem::copy(std::string(MODELS) + "/bts", path_);
  }
  ModelCopy(const ModelCopy&) = delete;
  ModelCopy& operator=(const ModelCopy&) = delete;
  ~ModelCopy() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }
  void write(const char* name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("predictions are those of torch") {
  const auto files = tests::bts_model();
  Network network(files);
  const auto recorded = boost::json::parse(text_of(std::string(MODELS) + "/bts/vectors.json"));
  REQUIRE(recorded.as_array().size() == 200);
  for (const auto& vector : recorded.as_array()) {
    std::vector<float> input;
    for (const auto& value : vector.at("input").as_array()) {
      input.push_back(value.to_number<float>());
    }
    const auto output = vector.at("output").to_number<double>();
    CHECK(network.predict(input) == Approx(output).margin(1e-5).epsilon(0));
  }
}

TEST_CASE("a network remembers nothing of the inputs before") {
  Network network(tests::bts_model());
  const std::vector<float> input = {0.1F, 0.2F, -0.1F, 0, 0.3F, 0.2F};
  const auto first = network.predict(input);
  CHECK(network.predict({std::vector<float>(6, 0.9F)}) != first);
  CHECK(network.predict(input) == first);
  CHECK_THROWS_AS(network.predict(std::vector<float>(5)), std::invalid_argument);
}

TEST_CASE("read_model says in a line what is wrong with a folder") {
  const ModelCopy copy;
  SECTION("no folder") {
    CHECK_THROWS_WITH(read_model("/nowhere"), "there is no /nowhere/manifest.json");
  }
  SECTION("no model") {
    std::filesystem::remove(copy.file("model.onnx"));
    CHECK_THROWS_WITH(read_model(copy.path()), Contains("there is no "));
  }
  SECTION("a folder in place of a file") {
    std::filesystem::remove(copy.file("model.onnx"));
    std::filesystem::create_directory(copy.file("model.onnx"));
    CHECK_THROWS_WITH(read_model(copy.path()), Contains("model.onnx is no file"));
  }
  SECTION("a model that is too large") {
    std::filesystem::resize_file(copy.file("model.onnx"), (std::size_t{64} << 20U) + 1);
    CHECK_THROWS_WITH(read_model(copy.path()), Contains("is of more than 67108864 bytes"));
  }
  SECTION("a manifest that cannot be reached") {
    std::filesystem::remove(copy.file("manifest.json"));
    std::filesystem::create_symlink("manifest.json", copy.file("manifest.json"));
    CHECK_THROWS_WITH(read_model(copy.path()),
                      Contains("cannot read ") && Contains(": Too many levels of symbolic links"));
  }
  SECTION("a manifest that is cut") {
    copy.write("manifest.json", text_of(copy.file("manifest.json")).substr(0, 100));
    CHECK_THROWS_WITH(read_model(copy.path()), Contains("manifest.json is no manifest: "));
  }
  SECTION("a model that is cut") {
    copy.write("model.onnx", text_of(copy.file("model.onnx")).substr(0, 1000));
    CHECK_THROWS_WITH(read_model(copy.path()), Contains("the SHA-256 differs"));
  }
}

TEST_CASE("a network that is not what its manifest says is refused when it is loaded") {
  auto files = tests::bts_model();
  const char* message = "OpenCV cannot run model.onnx: ";
  SECTION("no network at all") { files.onnx = "this is no ONNX file"; }
  SECTION("nothing") { files.onnx.clear(); }
  SECTION("a part of one") { files.onnx.resize(files.onnx.size() / 2); }
  SECTION("an input of another length") { files.manifest.input.shape = {1, 7, 1}; }
  SECTION("an input of another width") { files.manifest.input.shape = {1, 6, 2}; }
  SECTION("an input of another name") { files.manifest.input.name = "inputs"; }
  SECTION("an output of another shape") {
    files.manifest.output.shape = {1, 6, 2};
    message = "the output of model.onnx is not shaped as its manifest says";
  }
  SECTION("an output of another name") {
    files.manifest.output.name = "values";
    message = "the output of model.onnx is not called as its manifest says";
  }
  CHECK_THROWS_WITH(Network(files), Contains(message) && !Contains("\n"));
}

TEST_CASE("a network has the one output of its manifest, and that is finite") {
  model_server::ModelFiles files;
  files.manifest.input = {.name = "x", .shape = {1, 2}};
  files.manifest.output = {.name = "y", .shape = {1, 2}};
  SECTION("as it should be") {
    files.onnx = tests::onnx_of({{"Mul", "y"}});
    CHECK(Network(files).predict(std::vector<float>{3, 2}) == 9);
  }
  SECTION("another") {
    files.onnx = tests::onnx_of({{"Mul", "z"}});
    CHECK_THROWS_WITH(Network(files), Contains("is not called as its manifest says"));
  }
  SECTION("two") {
    files.onnx = tests::onnx_of({{"Mul", "y"}, {"Add", "z"}});
    CHECK_THROWS_WITH(Network(files), "model.onnx has 2 outputs in place of one");
  }
  SECTION("not finite") {
    files.onnx = tests::onnx_of({{"Div", "y"}});
    CHECK_THROWS_WITH(Network(files), "model.onnx gives no finite output for zeros");
  }
}
