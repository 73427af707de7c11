#include <iostream>

#include "model_server/client/client.hpp"
#include "model_server/client/options.hpp"

int main(int argc, char** argv) {
  const auto parsed = model_client::parse_options(argc, argv);
  if (const auto* exit = std::get_if<model_client::Exit>(&parsed)) {
    if (exit->code == 0) {
      std::cout << exit->text;
    } else {
      std::cerr << "model_client: " << exit->text << '\n';
    }
    return exit->code;
  }
  return model_client::run_client(std::get<model_client::Options>(parsed));
}
