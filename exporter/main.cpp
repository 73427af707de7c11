#include <iostream>

#include "exporter/daemon.hpp"
#include "exporter/options.hpp"

int main(int argc, char** argv) {
  const auto parsed = exporter::parse_options(argc, argv);
  if (const auto* exit = std::get_if<exporter::Exit>(&parsed)) {
    if (exit->code == 0) {
      std::cout << exit->text;
    } else {
      std::cerr << "resource_exporter: " << exit->text << '\n';
    }
    return exit->code;
  }
  return exporter::run_daemon(std::get<exporter::Options>(parsed));
}
