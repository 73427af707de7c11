// Families of other programs, put together so that a page can hold them.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/exposition_parser.hpp"
#include "metrics/sink.hpp"

namespace collectors {

/// Takes pages one after the other and emits each family once, with the samples of all pages that
/// have it. What one page said cannot be replaced by a later one. Holds views of the pages and of
/// their texts, which must outlive it. Not thread-safe.
class RelayedFamilies {
 public:
  /// Whose page it is.
  struct Source {
    metrics::Label label = {};  ///< Added to every sample; none when its name is "".
    std::string_view help;      ///< For families without HELP.
  };

  enum class Refusal : std::uint8_t {
    reserved,   ///< The name is one of the host's own.
    type,       ///< An earlier page has the family with another type.
    duplicate,  ///< An earlier page or family has a series, or a name, of it.
    label,      ///< It has the source's label, and the one that this would be moved to as well.
    help,       ///< An earlier page has another HELP: that one stays, and the samples are taken.
  };
  static std::string_view name_of(Refusal refusal);

  struct Refused {
    Refusal why;
    std::string_view family;
  };

  /// Adds what it can of `page`, and returns what it cannot.
  std::vector<Refused> add(const metrics::Exposition& page, const Source& source);

  void clear();

  void emit(metrics::Sink& sink) const;

 private:
  struct Part {
    const metrics::ExposedFamily* exposed;
    metrics::Label label;
  };
  struct Group {
    metrics::Family family;
    bool has_help = false;
    std::vector<Part> parts = {};
    std::set<std::string> series = {};  // as series_of() tells; of several parts alone
  };

  std::optional<Refusal> add_family(const metrics::ExposedFamily& exposed, const Source& source);
  static std::optional<Refusal> extend(Group& group, const metrics::ExposedFamily& exposed,
                                       const Source& source);

  std::vector<Group> groups_;
  // Names of families and samples, as either format shows them -> index of the group.
  std::unordered_map<std::string, std::size_t> claims_;
};

}  // namespace collectors
