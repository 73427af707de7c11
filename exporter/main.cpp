#include "exporter/daemon.hpp"
#include "exporter/options.hpp"

int main(int argc, char** argv) {
  return service::run_program("resource_exporter", exporter::parse_options(argc, argv),
                              exporter::run_daemon);
}
