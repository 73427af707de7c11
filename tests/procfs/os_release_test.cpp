#include "procfs/os_release.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/fixture_host.hpp"

using procfs::parse_os_release;

TEST_CASE("parse_os_release reads every variable it knows") {
  const auto release = parse_os_release(
      "# A comment\n"
      "\n"
      "BUILD_ID=\"2013-03-20.3\"\n"
      "ID=rocky\n"
      "ID_LIKE=\"rhel centos fedora\"\n"
      "IMAGE_ID=vendorx-cashier-system\n"
      "IMAGE_VERSION=33\n"
      "NAME=\"Rocky Linux\"\n"
      "PRETTY_NAME=\"Rocky Linux 9.3 (Blue Onyx)\"\n"
      "VARIANT=\"Server Edition\"\n"
      "VARIANT_ID=server\n"
      "VERSION=\"9.3 (Blue Onyx)\"\n"
      "VERSION_CODENAME=bookworm\n"
      "VERSION_ID=\"9.3\"\n"
      "ANSI_COLOR=\"0;32\"\n");
  REQUIRE(release);
  CHECK(release->build_id == "2013-03-20.3");
  CHECK(release->id == "rocky");
  CHECK(release->id_like == "rhel centos fedora");
  CHECK(release->image_id == "vendorx-cashier-system");
  CHECK(release->image_version == "33");
  CHECK(release->name == "Rocky Linux");
  CHECK(release->pretty_name == "Rocky Linux 9.3 (Blue Onyx)");
  CHECK(release->variant == "Server Edition");
  CHECK(release->variant_id == "server");
  CHECK(release->version == "9.3 (Blue Onyx)");
  CHECK(release->version_codename == "bookworm");
  CHECK(release->version_id == "9.3");
}

TEST_CASE("parse_os_release undoes quotes and escapes as a shell does") {
  const auto [assignment, name] = GENERATE(table<const char*, const char*>({
      {"NAME=Debian", "Debian"},
      {"NAME=", ""},
      {"NAME=\"\"", ""},
      {"  NAME=Debian\t ", "Debian"},
      {R"(NAME="Debian GNU/Linux")", "Debian GNU/Linux"},
      {R"(NAME='Debian GNU/Linux')", "Debian GNU/Linux"},
      {R"(NAME="a \"b\" \\ \$c \`d\` e")", R"(a "b" \ $c `d` e)"},
      {R"(NAME="a\nb")", R"(a\nb)"},
      {R"(NAME='a \"b\" $c')", R"(a \"b\" $c)"},
      {R"(NAME="it's")", "it's"},
      {R"(NAME='"it"')", R"("it")"},
      {R"(NAME=a\ b\"c)", R"(a b"c)"},
      {R"(NAME="a"'b'c)", "abc"},
      {"NAME=a=b", "a=b"},
      {"NAME=a #b", "a #b"},
      {"NAME=\"\xff\x01\"", "\xff\x01"},
      {"NAME=first\nNAME=second", "second"},
  }));
  INFO(assignment);
  const auto release = parse_os_release("ID=x\n" + std::string(assignment));
  REQUIRE(release);
  CHECK(release->name == name);
}

TEST_CASE("parse_os_release leaves alone what it does not know") {
  const auto release = parse_os_release("ID=debian\nHOME_URL=\"https://x\nNAMED=x\nname=y\n");
  REQUIRE(release);
  CHECK(release->id == "debian");
  CHECK(release->name.empty());
}

TEST_CASE("parse_os_release rejects text that is not os-release") {
  const auto [what, text] = GENERATE(table<const char*, const char*>({
      {"empty file", ""},
      {"comments alone", "# ID=debian\n"},
      {"nothing that is known", "HOME_URL=x\n"},
      {"a word", "ID=debian\nNAME\n"},
      {"no name", "ID=debian\n=x\n"},
      {"an open double quote", "NAME=\"Debian\n"},
      {"an open single quote", "NAME='Debian\n"},
      {"a value over two lines", "NAME=\"Debian\nGNU/Linux\"\n"},
      {"an escape of nothing", "NAME=Debian\\\n"},
      {"an escaped closing quote", "NAME=\"Debian\\\"\n"},
  }));
  INFO(what);
  const auto release = parse_os_release(text);
  REQUIRE_FALSE(release);
  CHECK(release.error().code == metrics::Errc::malformed);
}

TEST_CASE("parse_os_release survives any truncation and damage") {
  tests::survives_truncation_and_damage(
      "NAME=\"a \\\"b\\\" \\\\\"\n# c\nID='d'\nVERSION_ID=12\\ 3\n",
      [](const std::string& text) { (void)parse_os_release(text); });
}
