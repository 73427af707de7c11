#include "model_server/client/options.hpp"

#include <catch2/catch.hpp>

using model_client::Options;
using service::Exit;
using namespace std::chrono_literals;

namespace {

std::variant<Options, Exit> parse_client(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "model_client");
  return model_client::parse_options(static_cast<int>(arguments.size()), arguments.data());
}

Options client_options(const std::vector<const char*>& arguments) {
  auto parsed = parse_client(arguments);
  if (const auto* exit = std::get_if<Exit>(&parsed)) FAIL(exit->text);
  return std::get<Options>(std::move(parsed));
}

Exit client_exit(const std::vector<const char*>& arguments) {
  auto parsed = parse_client(arguments);
  REQUIRE(std::holds_alternative<Exit>(parsed));
  return std::get<Exit>(std::move(parsed));
}

}  // namespace

TEST_CASE("without arguments the client does what the first of its kind did") {
  const auto options = client_options({});
  CHECK(options.server.host == "127.0.0.1");
  CHECK(options.server.port == 8080);
  CHECK(options.server.path == "/prediction");
  CHECK(options.interval == 10s);
  CHECK(options.deadline == 5s);
  CHECK(options.input_size == 6);
  CHECK_FALSE(options.seed);
  CHECK(options.replay_path.empty());
  CHECK(options.listen_addresses == std::vector<std::string>{":8000"});
}

TEST_CASE("every option of the client is taken") {
  const auto options =
      client_options({"--server=http://[::1]:1/x", "--rate=4", "--deadline=0.25", "--input-size=12",
                      "--seed=9", "--replay=a.csv", "--replay-column=load",
                      "--web.listen-address=127.0.0.1:1", "--web.listen-address=127.0.0.1:2"});
  CHECK(options.server.host == "::1");
  CHECK(options.interval == 250ms);
  CHECK(options.deadline == 250ms);
  CHECK(options.input_size == 12);
  CHECK(options.seed == 9U);
  CHECK(options.replay_path == "a.csv");
  CHECK(options.replay_column == "load");
  CHECK(options.listen_addresses == std::vector<std::string>{"127.0.0.1:1", "127.0.0.1:2"});
}

TEST_CASE("a series has a name only where the server takes one") {
  const auto* infer = "--server=http://127.0.0.1:8080/v2/models/bts/infer";
  CHECK(client_options({infer, "--replay=a.csv", "--series=cell 4"}).series == "cell 4");
  CHECK(client_options({infer}).series.empty());
  CHECK(client_exit({"--replay=a.csv", "--series=cell 4"}).text.find("/v2/models/") !=
        std::string::npos);
  CHECK(client_exit({infer, "--series=cell 4"}).code == 1);  // of what?
  CHECK(client_exit({infer, "--replay=a.csv", "--series="}).code == 1);
  const auto name = "--series=" + std::string(257, 'x');
  CHECK(client_exit({infer, "--replay=a.csv", name.c_str()}).code == 1);
}

TEST_CASE("a mistake in the client's options is one line and exit code 1") {
  const auto* argument =
      GENERATE("--rate=0", "--rate=-1", "--rate=nan", "--rate=1e9", "--rate=often", "--deadline=0",
               "--input-size=0", "--seed=x", "--server=localhost", "--replay-column=load",
               "--no-such-flag", "stray");
  INFO(argument);
  const auto exit = client_exit({argument});
  CHECK(exit.code == 1);
  CHECK(exit.text.find('\n') == std::string::npos);
  CHECK(exit.text.find("see --help") != std::string::npos);
}

TEST_CASE("help and version of the client are no mistakes") {
  CHECK(client_exit({"--help"}).code == 0);
  CHECK(client_exit({"--help"}).text.find("--replay-column") != std::string::npos);
  CHECK(client_exit({"--version"}).code == 0);
  CHECK(client_exit({"--version"}).text.starts_with("model_client "));
}
