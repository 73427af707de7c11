#include "service/program.hpp"

#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

using service::Exit;

namespace {

/// What is written to a stream while this object lives.
class Written {
 public:
  explicit Written(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(text_.rdbuf())) {}
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  ~Written() { stream_.rdbuf(before_); }

  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* before_;
};

int give_back(const int& code) { return code; }

}  // namespace

TEST_CASE("a program that has nothing to run says why, and ends with that code") {
  const Written out(std::cout);
  const Written err(std::cerr);
  using Parsed = std::variant<int, Exit>;
  const auto help = service::run_program("p", Parsed(Exit{.code = 0, .text = "help\n"}), give_back);
  const auto mistake = service::run_program("p", Parsed(Exit{.code = 1, .text = "no"}), give_back);
  const auto run = service::run_program("p", Parsed(7), give_back);
  CHECK(help == 0);
  CHECK(mistake == 1);
  CHECK(run == 7);
  CHECK(out.text() == "help\n");
  CHECK(err.text() == "p: no\n");
}

TEST_CASE("what a program throws is one line") {
  const Written err(std::cerr);
  const auto bad = service::run_or_tell("p", [] { throw std::runtime_error("cannot"); });
  const auto good = service::run_or_tell("p", [] {});
  CHECK(bad == 1);
  CHECK(good == 0);
  CHECK(err.text() == "p: cannot\n");
}
