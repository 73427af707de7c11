// Small networks as the bytes of an ONNX file, which is a protocol buffer.
#pragma once

#include <initializer_list>
#include <string>

namespace tests {

/// A field of bytes, text or a message; and one of a small number.
inline std::string field(unsigned number, const std::string& value) {
  std::string bytes(1, static_cast<char>((number << 3U) | 2U));
  auto size = value.size();
  for (; size >= 0x80; size >>= 7U) bytes += static_cast<char>((size & 0x7FU) | 0x80U);
  return bytes + static_cast<char>(size) + value;
}
inline std::string field(unsigned number, unsigned value) {
  return {static_cast<char>(number << 3U), static_cast<char>(value)};
}

/// An input or output of 1 x 2 floats.
inline std::string pair_of_floats(const std::string& name) {
  const auto dimensions = field(1, field(1, 1U)) + field(1, field(1, 2U));
  const auto tensor = field(1, 1U) + field(2, dimensions);
  return field(1, name) + field(2, field(1, tensor));
}

struct Operation {
  const char* name;
  const char* output;
};

/// Of the input x, each operation of x and x gives an output.
inline std::string onnx_of(std::initializer_list<Operation> operations) {
  std::string graph = field(2, "test") + field(11, pair_of_floats("x"));
  for (const auto& [name, output] : operations) {
    graph += field(1, field(1, "x") + field(1, "x") + field(2, output) + field(4, name));
    graph += field(12, pair_of_floats(output));
  }
  return field(1, 7U) + field(7, graph) + field(8, field(2, 11U));
}

}  // namespace tests
