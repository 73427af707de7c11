#include "model_server/client/prediction.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using model_client::parse_url;
using model_client::prediction_form;
using model_client::read_prediction;

TEST_CASE("addresses of servers are taken apart") {
  struct Row {
    const char* text;
    const char* host;
    std::uint16_t port;
    const char* path;
  };
  const auto [text, host, port, path] = GENERATE(values<Row>({
      {"http://127.0.0.1:8080/prediction", "127.0.0.1", 8080, "/prediction"},
      {"http://models.example/a/b?c=d", "models.example", 80, "/a/b?c=d"},
      {"http://localhost:1", "localhost", 1, "/"},
      {"http://[::1]:8080/prediction", "::1", 8080, "/prediction"},
      {"http://[2001:db8::1]/", "2001:db8::1", 80, "/"},
  }));
  INFO(text);
  const auto url = parse_url(text);
  REQUIRE(url);
  CHECK(url->host == host);
  CHECK(url->port == port);
  CHECK(url->path == path);
}

TEST_CASE("what is no address of a server is refused") {
  const auto* text = GENERATE("", "localhost:8080", "https://localhost", "http://",
                              "http:///prediction", "http://localhost:", "http://localhost:0",
                              "http://localhost:65536", "http://localhost:80a", "http://::1:80/",
                              "http://[::1/", "http://[::1]80", "http://user@host/", "http://a b/",
                              "http://host/\r\nX: y", "http://host/#part", "ftp://host/");
  INFO(text);
  CHECK_FALSE(parse_url(text));
}

TEST_CASE("an input is sent as a form, as the first client did") {
  CHECK(prediction_form(std::vector<double>{0.5, -1, 1e-7}) ==
        "inputs=%5B%5B%5B0.5%2C+-1%2C+1e-07%5D%5D%5D");
  CHECK(prediction_form(std::vector<double>{0.1 + 0.2}) ==
        "inputs=%5B%5B%5B0.30000000000000004%5D%5D%5D");
  CHECK(prediction_form(std::vector<double>{1e22}) == "inputs=%5B%5B%5B1e%2B22%5D%5D%5D");
}

TEST_CASE("a prediction is read from an answer") {
  CHECK(read_prediction(R"({"prediction_result": "0.25"})") == 0.25);
  CHECK(read_prediction(R"({"prediction_result": "-1e-3", "model": "bts"})") == -0.001);
  CHECK(read_prediction(R"({"prediction_result": 0.5})") == 0.5);
  CHECK(read_prediction(R"({"prediction_result": 2})") == 2.0);
}

TEST_CASE("an answer without a prediction has none") {
  const auto* body = GENERATE("", "0.25", "[]", "{}", R"({"prediction": "1"})",
                              R"({"prediction_result": null})", R"({"prediction_result": ""})",
                              R"({"prediction_result": "nan"})", R"({"prediction_result": "inf"})",
                              R"({"prediction_result": "1x"})", R"({"prediction_result": [1]})",
                              R"({"prediction_result": 1e999})", R"({"prediction_result": "1")");
  INFO(body);
  CHECK_FALSE(read_prediction(body));
}

TEST_CASE("reading a prediction survives any truncation and damage") {
  const std::string whole = R"({"prediction_result": "0.25", "other": [1, {"a": "\u00e9"}]})";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CHECK_FALSE(read_prediction(std::string_view(whole).substr(0, cut)));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = '\xFF';
    (void)read_prediction(damaged);
  }
}
