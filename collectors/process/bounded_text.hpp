#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace collectors {

/// `text` as the value of a label: repaired UTF-8 (metrics::repaired) of at most `max_bytes`, cut
/// between two characters. So long texts that differ only later become one.
/// A name that a user picks, of up to 128 KiB for an argument, must not fill the page.
std::string bounded_text(std::string_view text, std::size_t max_bytes);

}  // namespace collectors
