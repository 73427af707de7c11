// Exits for which there is no room in the ring.
#include <unistd.h>

#include <cstdint>
#include <iterator>
#include <numeric>
#include <string>

#include "bpf/process_values.hpp"
#include "tests/support/process_watch.hpp"

using tests::comes_true;
using tests::Drained;
using tests::open_watch;
using tests::storm;

namespace {

std::uint64_t sum_of(const ExitSums& sums) {
  return std::accumulate(std::begin(sums.exits), std::end(sums.exits), std::uint64_t{0});
}

}  // namespace

TEST_CASE("What finds the ring full is summed up under its name, and nothing is lost") {
  auto watch = open_watch({.ring_bytes = 4096});  // 26 records.
  if (!watch) return;
  constexpr int kCount = 300;
  // Each set of sums, and the first one again. Others of this host may fill the ring, too, so the
  // names are this test's own.
  for (int round = 0; round < 3; ++round) {
    const auto comm = "r" + std::to_string(round) + "." + std::to_string(::getpid());
    const auto parent = storm(kCount, comm.c_str());
    Drained drained;
    std::uint64_t in_ring = 0;
    std::uint64_t summed = 0;
    std::uint64_t run_time_ns = 0;
    const auto count = [&] {
      drained.drain(*watch);
      in_ring = summed = run_time_ns = 0;
      for (const auto& record : drained.records) {
        if (bpf::name_of(record) != comm) continue;
        ++in_ring;
        run_time_ns += record.counters.run_time_ns;
      }
      for (const auto& [key, sums] : drained.summed) {
        if (bpf::name_of(key) != comm) continue;
        CHECK(key.user_id == ::getuid());
        CHECK(sums.peak_resident_pages > 0);
        summed += sum_of(sums);
        run_time_ns += sums.counters.run_time_ns;
      }
      return in_ring + summed >= kCount + 1;
    };
    CHECK(comes_true(count));
    for (int more = 0; more < 3; ++more) count();
    CHECK(in_ring + summed == kCount + 1);  // The parent has the same name.
    CHECK(summed > 0);
    CHECK(sum_of(drained.nameless) == 0);
    const auto lacking_share = static_cast<double>(watch->last_sights()) / kCount;
    CHECK(static_cast<double>(run_time_ns) / 1000 >=
          static_cast<double>(parent.children_us) * (0.99 - lacking_share));
  }
}

TEST_CASE("What finds even the sums full is still counted, and once") {
  auto roomy = open_watch();  // Sees all that the other one sees: it comes first and goes last.
  auto watch = open_watch({.ring_bytes = 4096, .sum_keys = 1});
  if (!roomy || !watch) return;
  constexpr int kCount = 100;
  constexpr std::uint64_t kExpected = 3 * std::uint64_t{kCount + 1};
  for (const char* const comm : {"one", "two", "three"}) (void)storm(kCount, comm);
  Drained drained;
  std::uint64_t named = 0;
  const auto count = [&] {
    drained.drain(*watch);
    named = drained.records.size();
    for (const auto& [key, sums] : drained.summed) named += sum_of(sums);
    return named + sum_of(drained.nameless) >= kExpected;
  };
  CHECK(comes_true(count));
  for (int more = 0; more < 4; ++more) count();
  CHECK(sum_of(drained.nameless) >= kCount);
  CHECK(drained.nameless.counters.run_time_ns > 0);
  Drained all;
  CHECK(comes_true([&] {
    all.drain(*roomy);
    std::uint64_t seen = all.records.size() + sum_of(all.nameless);
    for (const auto& [key, sums] : all.summed) seen += sum_of(sums);
    return seen >= named + sum_of(drained.nameless);
  }));
}
