#include "model_server/client/client.hpp"
#include "model_server/client/options.hpp"

int main(int argc, char** argv) {
  return service::run_program("model_client", model_client::parse_options(argc, argv),
                              model_client::run_client);
}
