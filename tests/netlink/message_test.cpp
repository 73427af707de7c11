#include "netlink/message.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

#include "tests/support/taskstats_bytes.hpp"

using netlink::Bytes;
using tests::attribute;
using tests::bytes_of;
using tests::joined;

namespace {

bool equal(Bytes bytes, const tests::ByteVector& expected) {
  return tests::ByteVector(bytes.begin(), bytes.end()) == expected;
}

}  // namespace

TEST_CASE("messages are taken off a datagram one by one") {
  const auto datagram =
      joined({tests::message(attribute(1, bytes_of(7)), 2), tests::message({}, 3)});
  Bytes rest(datagram);
  const auto first = netlink::take_message(rest);
  REQUIRE(first);
  CHECK(first->type == tests::kSomeFamily);
  CHECK(first->command == 2);
  CHECK(equal(first->payload, attribute(1, bytes_of(7))));
  const auto second = netlink::take_message(rest);
  REQUIRE(second);
  CHECK(second->command == 3);
  CHECK(second->payload.empty());
  CHECK(rest.empty());
}

TEST_CASE("a message whose length is not that of the datagram is none") {
  auto datagram = tests::message(attribute(1, bytes_of(7)));
  const auto [what, length] = GENERATE(table<const char*, std::uint32_t>({
      {"longer than the datagram", 29},
      {"as long as a number can be", 0xffffffff},
      {"shorter than its header", 15},
      {"empty", 0},
      {"too short for the header of a family", 19},
  }));
  INFO(what);
  const auto bytes = bytes_of(length);
  std::copy(bytes.begin(), bytes.end(), datagram.begin());
  Bytes rest(datagram);
  CHECK_FALSE(netlink::take_message(rest));
}

TEST_CASE("attributes are found by type, past padding and flags") {
  const std::uint16_t nested = 4U | NLA_F_NESTED;
  const auto attributes = joined({attribute(1, bytes_of('x')), attribute(2, {}),
                                  attribute(nested, bytes_of(7)), attribute(4, bytes_of(8))});
  const auto first = netlink::find_attribute(attributes, 1);
  REQUIRE(first);
  CHECK(equal(*first, bytes_of('x')));
  const auto empty = netlink::find_attribute(attributes, 2);
  REQUIRE(empty);
  CHECK(empty->empty());
  const auto found = netlink::find_attribute(attributes, 4);
  REQUIRE(found);
  CHECK(equal(*found, bytes_of(7)));
  CHECK_FALSE(netlink::find_attribute(attributes, 5));
}

TEST_CASE("an attribute that is not whole ends the search") {
  auto attributes = joined({attribute(1, bytes_of(7)), attribute(2, bytes_of(8))});
  SECTION("it reaches past the end") { attributes.pop_back(); }
  SECTION("it says to be shorter than its header") { attributes[8] = std::byte{3}; }
  CHECK(netlink::find_attribute(attributes, 1));
  CHECK_FALSE(netlink::find_attribute(attributes, 2));
}

TEST_CASE("errors and acknowledgements are told from other messages") {
  const auto number_of = [](const tests::ByteVector& datagram) {
    Bytes rest(datagram);
    const auto message = netlink::take_message(rest);
    return message ? netlink::error_number(*message) : std::nullopt;
  };
  CHECK(number_of(tests::netlink_error(EPERM)) == EPERM);
  CHECK(number_of(tests::netlink_error(0)) == 0);
  CHECK(number_of(tests::netlink_error(-1)) == std::nullopt);
  CHECK(number_of(tests::netlink_error(4096)) == std::nullopt);
  CHECK(number_of(tests::message({})) == std::nullopt);
}

TEST_CASE("a request reads back as it was meant") {
  const auto request = netlink::make_request(tests::kSomeFamily, 5, 1, 3, bytes_of('x'));
  CHECK(request.size() == 28);
  Bytes rest(request);
  const auto message = netlink::take_message(rest);
  REQUIRE(message);
  CHECK(rest.empty());
  CHECK(message->type == tests::kSomeFamily);
  CHECK(message->command == 5);
  CHECK(equal(message->payload, attribute(3, bytes_of('x'))));
}
