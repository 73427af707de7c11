#include "model_server/options.hpp"
#include "model_server/service.hpp"

int main(int argc, char** argv) {
  return service::run_program("model_server", model_server::parse_options(argc, argv),
                              model_server::run_service);
}
