// Families as people look them up: what there may be on a page, without a host that has it.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/sink.hpp"

namespace metrics {

struct ListedFamily {
  std::string name;  ///< `<field>` in it stands for what the kernel calls it.
  std::string help;
  Kind kind;
  std::string labels;  ///< Their names, with commas between them; without a histogram's `le`.
  /// What must be for it to be there, such as "with BPF". Empty where nothing but the kernel
  /// decides.
  std::string_view condition;
};

/// Collects them in the order of the page.
class FamilyList {
 public:
  /// Families with the same labels. `condition` is static text.
  void add(std::initializer_list<Family> families, std::string_view labels = {},
           std::string_view condition = {}) {
    for (const auto& family : families) {
      families_.push_back({std::string(family.name), std::string(family.help), family.kind,
                           std::string(labels), condition});
    }
  }

  /// The `family` of each row of a table.
  template <class Rows>
  void add_rows(const Rows& rows, std::string_view labels = {}, std::string_view condition = {}) {
    for (const auto& row : rows) add({row.family}, labels, condition);
  }

  [[nodiscard]] const std::vector<ListedFamily>& families() const { return families_; }

 private:
  std::vector<ListedFamily> families_;
};

}  // namespace metrics
