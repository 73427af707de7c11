#pragma once

#include <string_view>
#include <vector>

namespace procfs {

/// The properties of a device in udev's database: /run/udev/data/b<major>:<minor> of a block
/// device. udev replaces these files by renaming, so the folder's mtime tells of every change.
struct UdevData {
  struct Property {
    std::string_view key;    ///< Such as "ID_MODEL"; a view into the text.
    std::string_view value;  ///< Also a view, and what the device said of itself: any bytes.
  };
  std::vector<Property> properties;  ///< In file order.

  /// The value of `key`; "" where udev has none, which is also how udev removes one.
  [[nodiscard]] std::string_view find(std::string_view key) const;
};

/// Takes the lines `E:KEY=VALUE` out of the text, which must outlive the result. Cannot fail: the
/// format is udev's own business, so lines of any other shape are passed over.
UdevData parse_udev_data(std::string_view text);

}  // namespace procfs
