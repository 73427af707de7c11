#include "model_server/client/options.hpp"

#include <CLI/CLI.hpp>

#include "model_server/client/inference.hpp"
#include "service/command_line.hpp"

namespace model_client {
namespace {

using service::Exit;

constexpr double kLeastRate = 1.0 / 86400;  // once a day
constexpr double kHighestRate = 10000;
constexpr double kShortestDeadlineSeconds = 0.001;
constexpr double kLongestDeadlineSeconds = 3600;
constexpr std::size_t kLargestInput = 4096;
constexpr std::size_t kLongestName = 256;  // that the model server takes

/// What CLI11 writes into before it becomes Options.
struct Raw {
  Options options;
  std::string server = "http://127.0.0.1:8080/prediction";
  double rate = 0.1;
  double deadline_seconds = 5;
};

std::string check_url(const std::string& text) {
  if (parse_url(text)) return {};
  return "'" + text + "' is not an address such as http://127.0.0.1:8080/prediction";
}

std::string check_name(const std::string& text) {
  if (!text.empty() && text.size() <= kLongestName) return {};
  return "the name of the series is empty or longer than 256 bytes";
}

/// Of numbers with a fraction; CLI::Range takes nan for one that is in range.
CLI::Validator between(double least, double most) {
  const auto range = std::to_string(least) + " and " + std::to_string(most);
  return {[least, most, range](const std::string& text) {
            double value = 0;
            const bool is_number = CLI::detail::lexical_cast(text, value);
            if (is_number && value >= least && value <= most) return std::string();
            return "'" + text + "' is not between " + range;
          },
          ""};
}

void add_options(CLI::App& app, Raw& raw) {
  auto& options = raw.options;
  app.add_option("--server", raw.server,
                 "Whom to ask: the address of /prediction or, for the Open Inference Protocol, of "
                 "/v2/models/NAME/infer")
      ->check(check_url)
      ->capture_default_str();
  app.add_option("--rate", raw.rate, "Requests per second")
      ->check(between(kLeastRate, kHighestRate))
      ->capture_default_str();
  app.add_option("--deadline", raw.deadline_seconds, "Seconds that an answer may take")
      ->check(between(kShortestDeadlineSeconds, kLongestDeadlineSeconds))
      ->capture_default_str();
  app.add_option("--input-size", options.input_size, "Values in an input")
      ->check(CLI::Range(std::size_t{1}, kLargestInput))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Makes the random inputs the same in each run");
  auto* replay = app.add_option("--replay", options.replay_path,
                                "CSV file of a series to ask about, over and over, instead of "
                                "random values");
  app.add_option("--replay-column", options.replay_column,
                 "Column of the file, by its name in the first line; the last one by default")
      ->needs(replay);
  app.add_option("--series", options.series,
                 "Name of the replayed series: a server of /v2/ is told it, and compares what it "
                 "predicts with what comes next")
      ->check(check_name)
      ->needs(replay);
  app.add_option("--web.listen-address", options.listen_addresses,
                 "Where to answer /metrics: host:port, [v6]:port or :port; may be repeated")
      ->take_all()
      ->capture_default_str();
}

std::variant<Options, Exit> resolve(Raw raw) {
  auto options = std::move(raw.options);
  options.server = *parse_url(raw.server);
  if (!options.series.empty() && !description_path(options.server.path)) {
    return Exit{.code = 1,
                .text =
                    "--series needs a --server such as "
                    "http://127.0.0.1:8080/v2/models/bts/infer"};
  }
  const std::chrono::duration<double> interval(1 / raw.rate);
  const std::chrono::duration<double> deadline(raw.deadline_seconds);
  options.interval = std::chrono::duration_cast<std::chrono::nanoseconds>(interval);
  options.deadline = std::chrono::duration_cast<std::chrono::milliseconds>(deadline);
  return options;
}

}  // namespace

std::variant<Options, Exit> parse_options(int argc, const char* const* argv) {
  CLI::App app("Keeps asking a model server for predictions, and tells how it fares.",
               "model_client");
  Raw raw;
  add_options(app, raw);
  app.set_version_flag("--version", "model_client " MODEL_CLIENT_VERSION);
  return service::parse_command_line<Options>(app, argc, argv,
                                              [&raw] { return resolve(std::move(raw)); });
}

}  // namespace model_client
