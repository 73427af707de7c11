// What a parser has to survive.
#pragma once

#include <cstddef>
#include <string>

namespace tests {

/// Calls `parse` with every prefix of `whole` and with each byte damaged in turn: under the
/// sanitizers, this is the test that needs no imagination.
template <class Parse>
void survives_truncation_and_damage(const std::string& whole, Parse parse) {
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) (void)parse(whole.substr(0, cut));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char damage : {'\0', ' ', '\n', '-', '9', ':', '(', ')', '"', '\xff'}) {
      auto text = whole;
      text[at] = damage;
      (void)parse(text);
    }
  }
}

}  // namespace tests
