#include <iostream>

#include "model_server/options.hpp"
#include "model_server/service.hpp"

int main(int argc, char** argv) {
  const auto parsed = model_server::parse_options(argc, argv);
  if (const auto* exit = std::get_if<model_server::Exit>(&parsed)) {
    if (exit->code == 0) {
      std::cout << exit->text;
    } else {
      std::cerr << "model_server: " << exit->text << '\n';
    }
    return exit->code;
  }
  return model_server::run_service(std::get<model_server::Options>(parsed));
}
