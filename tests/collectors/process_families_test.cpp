#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/process/families.hpp"
#include "metrics/text_encoder.hpp"
#include "tests/support/ledger_host.hpp"

using Catch::Contains;
using collectors::ExitReason;
using tests::exit_of;
using tests::LedgerHost;

namespace {

/// The page of groups of which one process was killed, as a source tells of it.
std::string page_of_killed(ExitReason reason, bool tells_exits, bool tells_oom_kills) {
  LedgerHost ledger({.has_exits = tells_exits});
  ledger.see({tests::process(1, "train")})
      .see({}, {exit_of(tests::process(1, "train"), 0, reason)});
  const std::vector<std::string_view> no_labels;
  metrics::TextEncoder encoder(metrics::TextFormat::prometheus_0_0_4);
  collectors::emit_groups(encoder, {.groups = ledger.ledger().groups(),
                                    .label_names = no_labels,
                                    .ticks_per_second = 100,
                                    .boot_time_seconds = 0,
                                    .now = ledger.now(),
                                    .tells_exits = tells_exits,
                                    .tells_oom_kills = tells_oom_kills});
  return std::string(encoder.text());
}

}  // namespace

TEST_CASE("a process killed for memory is on the page where the source can tell") {
  CHECK_THAT(page_of_killed(ExitReason::oom, true, true), Contains("reason=\"oom\"} 1\n"));
}

TEST_CASE("a reason that the source cannot tell is absent, and not 0") {
  CHECK_THAT(page_of_killed(ExitReason::signal, true, false),
             Contains("reason=\"signal\"} 1\n") && !Contains("reason=\"oom\""));
  CHECK_THAT(page_of_killed(ExitReason::signal, false, false),
             !Contains("host_process_exited_total"));
}
