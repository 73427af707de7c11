#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "collectors/process/labels.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::GroupLabels;
using collectors::NeededFacts;
using collectors::ProcessFacts;
using Cgroups = std::vector<procfs::ProcessCgroup>;

namespace {

ProcessFacts trainer() {
  ProcessFacts facts;
  facts.comm = "python3";
  facts.user_id = 1000;
  facts.user = "ann";
  facts.cgroups = Cgroups{{"", "/system.slice/slurmstepd.scope/job_42/step_0"}};
  return facts;
}

std::vector<std::string> values(const char* list, const ProcessFacts& facts) {
  const auto labels = GroupLabels::parse(list);
  REQUIRE(labels);
  return labels->values(facts);
}

}  // namespace

TEST_CASE("labels have a value each, in the order they were asked for") {
  using Values = std::vector<std::string>;
  const auto [list, expected] = GENERATE(table<const char*, Values>({
      {"", {}},
      {"user", {"ann"}},
      {"unit,user", {"slurmstepd.scope", "ann"}},
      {"slurm_job,container,pod", {"42", "", ""}},
      {"user,cgroup,unit,pod,container,slurm_job",
       {"ann", "/system.slice/slurmstepd.scope/job_42/step_0", "slurmstepd.scope", "", "", "42"}},
  }));
  INFO(list);
  CHECK(values(list, trainer()) == expected);
  CHECK(GroupLabels::parse(list)->names().size() == expected.size());
}

TEST_CASE("a label's value is empty when the fact is not known") {
  CHECK(values("user,cgroup,unit", {}) == std::vector<std::string>{"", "", ""});
  auto facts = trainer();
  facts.user.reset();
  CHECK(values("user", facts) == std::vector<std::string>{"1000"});
}

TEST_CASE("labels need only what they show") {
  CHECK(GroupLabels().needs() == NeededFacts{});
  CHECK(GroupLabels::parse("user")->needs() == NeededFacts{.user = true});
  CHECK(GroupLabels::parse("pod")->needs() == NeededFacts{.cgroups = true});
  CHECK(GroupLabels::parse("unit,user")->needs() == NeededFacts{.user = true, .cgroups = true});
}

TEST_CASE("an unknown label is refused with what is allowed") {
  const auto [list, what] = GENERATE(table<const char*, const char*>({
      {"users", "'users' is no label"},
      {"user,", "'' is no label"},
      {",user", "'' is no label"},
      {"user,,pod", "'' is no label"},
      {"user, pod", "' pod' is no label"},
      {"User", "'User' is no label"},
      {"user,pod,user", "'user' is there twice"},
      {"\xff\n", "is no label"},
  }));
  INFO(list);
  const auto labels = GroupLabels::parse(list);
  REQUIRE_FALSE(labels);
  CHECK(labels.error().code == metrics::Errc::malformed);
  CHECK_THAT(labels.error().detail,
             Catch::Contains(what) &&
                 Catch::EndsWith("user, cgroup, unit, pod, container, slurm_job, each once"));
}

TEST_CASE("the values of labels are valid UTF-8 and bounded") {
  ProcessFacts facts;
  facts.user = std::string(1000, 'u');
  facts.cgroups = Cgroups{{"", "/system.slice/\xff" + std::string(2000, 'x') + ".service"}};
  const auto all = values("user,cgroup,unit", facts);
  CHECK(all[0].size() == GroupLabels::kMaxValueBytes);
  CHECK(all[1].size() == GroupLabels::kMaxCgroupBytes);
  CHECK(all[1].starts_with("/system.slice/\xEF\xBF\xBDxx"));
  CHECK(all[2].size() == GroupLabels::kMaxValueBytes);
}

TEST_CASE("the list of labels survives truncation and damage") {
  tests::survives_truncation_and_damage("user,cgroup,unit,pod,container,slurm_job",
                                        GroupLabels::parse);
}
