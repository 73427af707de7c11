#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <string>

#include "collectors/catalog.hpp"
#include "tests/support/fixture_host.hpp"

using tests::at_second;

namespace {

/// The samples of a host whose os-release is `text`.
std::string samples_of(const std::string& text) {
  tests::FileTree tree;
  tree.write("root/etc/os-release", text);
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kOs.make(fixture.host);
  REQUIRE(collector->refresh(at_second(0)));
  return tests::samples_of(*collector);
}

}  // namespace

TEST_CASE("os shows every variable as a label and the version as a number") {
  CHECK(samples_of("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
                   "NAME=\"Debian GNU/Linux\"\n"
                   "VERSION_ID=\"12\"\n"
                   "VERSION=\"12 (bookworm)\"\n"
                   "VERSION_CODENAME=bookworm\n"
                   "ID=debian\n"
                   "HOME_URL=\"https://www.debian.org/\"\n") ==
        "node_os_info{build_id=\"\",id=\"debian\",id_like=\"\",image_id=\"\",image_version=\"\","
        "name=\"Debian GNU/Linux\",pretty_name=\"Debian GNU/Linux 12 (bookworm)\",variant=\"\","
        "variant_id=\"\",version=\"12 (bookworm)\",version_codename=\"bookworm\","
        "version_id=\"12\"} 1\n"
        "node_os_version{id=\"debian\",id_like=\"\",name=\"Debian GNU/Linux\"} 12\n");
  CHECK(samples_of("ID=i\nID_LIKE=il\nBUILD_ID=b\nIMAGE_ID=ii\nIMAGE_VERSION=iv\nNAME=n\n"
                   "PRETTY_NAME=p\nVARIANT=v\nVARIANT_ID=vi\nVERSION=ver\n"
                   "VERSION_CODENAME=vc\nVERSION_ID=x\n") ==
        "node_os_info{build_id=\"b\",id=\"i\",id_like=\"il\",image_id=\"ii\",image_version=\"iv\","
        "name=\"n\",pretty_name=\"p\",variant=\"v\",variant_id=\"vi\",version=\"ver\","
        "version_codename=\"vc\",version_id=\"x\"} 1\n");
}

TEST_CASE("os takes major and minor number of the version") {
  const auto [version_id, number] = GENERATE(table<std::string, std::string>({
      {"12", "12"},
      {"22.04", "22.04"},
      {"9.3.1", "9.3"},
      {"15-SP4", "15"},
      {"3.", "3"},
      {"20240101", "20240101"},
      {"1e5", "1"},
      {"0x10", "0"},
  }));
  INFO(version_id);
  CHECK_THAT(
      samples_of("ID=x\nID_LIKE=y\nVERSION_ID=" + version_id + "\n"),
      Catch::EndsWith("\nnode_os_version{id=\"x\",id_like=\"y\",name=\"\"} " + number + "\n"));
}

TEST_CASE("os has no version where VERSION_ID starts with no number") {
  const auto version_id = GENERATE(as<std::string>{}, "", "rolling", "-1", "+1", ".5", "inf", "nan",
                                   "' 12'", std::string(400, '9'));
  INFO(version_id);
  CHECK_THAT(samples_of("ID=x\nVERSION_ID=" + version_id + "\n"),
             !Catch::Contains("node_os_version"));
}

TEST_CASE("os shows what is in etc, else what is in usr/lib, of the moment") {
  tests::FileTree tree;
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kOs.make(fixture.host);
  const auto missing = collector->refresh(at_second(0));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == metrics::Errc::unsupported);

  tree.write("root/usr/lib/os-release", "ID=vendor\n");
  REQUIRE(collector->refresh(at_second(1)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains(",id=\"vendor\","));

  tree.write("root/etc/os-release", "ID=admin\n");
  REQUIRE(collector->refresh(at_second(2)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains(",id=\"admin\","));

  tree.write("root/etc/os-release", "ID=longer\n");
  REQUIRE(collector->refresh(at_second(3)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains(",id=\"longer\","));

  tree.remove("root/etc/os-release");
  REQUIRE(collector->refresh(at_second(4)));
  CHECK_THAT(tests::samples_of(*collector), Catch::Contains(",id=\"vendor\","));
}

TEST_CASE("os reads the file again only when its place, size or time changed") {
  tests::FileTree tree;
  const auto written = std::filesystem::file_time_type::clock::now();
  const auto write = [&](const std::string& name, const char* text,
                         std::chrono::nanoseconds later = {}) {
    tree.write(name, text);
    std::filesystem::last_write_time(tree.path() / name, written + later);
  };
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kOs.make(fixture.host);
  const auto samples_after = [&](int second) {
    REQUIRE(collector->refresh(at_second(second)));
    return tests::samples_of(*collector);
  };
  write("root/etc/os-release", "ID=one\n");
  CHECK_THAT(samples_after(0), Catch::Contains(",id=\"one\","));
  write("root/etc/os-release", "ID=two\n");
  CHECK_THAT(samples_after(1), Catch::Contains(",id=\"one\","));
  write("root/etc/os-release", "ID=two\n", std::chrono::nanoseconds(1));
  CHECK_THAT(samples_after(2), Catch::Contains(",id=\"two\","));
  write("root/etc/os-release", "ID=three\n", std::chrono::nanoseconds(1));
  CHECK_THAT(samples_after(3), Catch::Contains(",id=\"three\","));
  tree.remove("root/etc/os-release");
  write("root/usr/lib/os-release", "ID=seven\n", std::chrono::nanoseconds(1));
  CHECK_THAT(samples_after(4), Catch::Contains(",id=\"seven\","));
}

TEST_CASE("os fails on a file that is not os-release, again and again, and recovers") {
  tests::FileTree tree;
  tree.write("root/etc/os-release", "ID=debian\nNAME=\"Deb\n");
  const tests::FixtureHost fixture(tree.path());
  const auto collector = collectors::kOs.make(fixture.host);
  for (int second = 0; second < 2; ++second) {
    const auto malformed = collector->refresh(at_second(second));
    REQUIRE_FALSE(malformed);
    CHECK(malformed.error().code == metrics::Errc::malformed);
  }
  tree.write("root/etc/os-release", "ID=debian\n");
  CHECK(collector->refresh(at_second(2)));
}
