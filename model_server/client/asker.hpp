#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "http/client.hpp"
#include "model_server/client/failure.hpp"
#include "model_server/client/inference.hpp"
#include "model_server/client/options.hpp"

namespace model_client {

/// What came of asking once.
struct Outcome {
  std::variant<double, Failure> prediction;
  /// Until the server answered, or was given up. Nothing when no request was sent.
  std::optional<std::chrono::duration<double>> duration;
};

/// Asks a server for predictions by the API that its address is of. One thread.
class Asker {
 public:
  /// `options` must outlive this object.
  explicit Asker(const Options& options);

  /// By the Open Inference Protocol a model is asked first what it takes: the first time, and again
  /// when it has refused a request.
  boost::asio::awaitable<Outcome> ask(std::vector<double> input);

 private:
  struct Exchange {
    std::variant<std::string, Failure> body;  // of an answer 200
    std::optional<std::chrono::duration<double>> duration;
  };
  using Read = std::optional<double> (*)(std::string_view);

  boost::asio::awaitable<Exchange> exchange(http::ClientRequest request);
  boost::asio::awaitable<Outcome> post(std::string body, const char* content_type, Read read);
  [[nodiscard]] http::ClientRequest request_for(std::string path) const;

  const Options& options_;
  std::optional<std::string> description_path_;  // when the address is of that protocol
  std::optional<InputTensor> tensor_;
};

}  // namespace model_client
