#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string_view>
#include <variant>

#include "model_server/inference_request.hpp"

namespace model_server {

/// What was read, or why it is refused.
template <class Value>
using Read = std::variant<Value, Rejection>;

/// The refusal in `read`, if it is one.
template <class Value>
const Rejection* rejection_in(const Read<Value>& read) {
  return std::get_if<Rejection>(&read);
}

Rejection reject(Reason reason, std::string_view field, std::string problem);

/// JSON that was parsed.
struct Document {
  boost::json::value value;
  /// JSON has no NaN and no Infinity, but some clients send them. They are read as 1e999, so that
  /// the reader of numbers can say where one stands; whoever meets none refuses with this.
  std::optional<Rejection> flaw = {};
};

/// `field` is what the text is called in a refusal. An object with a member twice, however spelled,
/// is refused: the parser would take the last one, and another the first.
Read<Document> parse_document(std::string_view text, std::string_view field);

}  // namespace model_server
