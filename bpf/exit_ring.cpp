#include "bpf/exit_ring.hpp"

#include <linux/bpf.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace bpf {
namespace {

// What precedes each record; its length and flags are written last.
struct Header {
  std::uint32_t length_and_flags;
  std::uint32_t page_offset;
};
constexpr std::uint64_t kAlignmentBytes = 8;
// What ProcessWatch::Options says of sizes.
static_assert(sizeof(ExitRecord) == 144);

// Positions only grow; the ring's size is a power of two. Loads and stores that another CPU must
// see in order, through memory that it maps, too.
std::uint64_t load(const void* position) {
  return __atomic_load_n(static_cast<const std::uint64_t*>(position), __ATOMIC_ACQUIRE);
}

}  // namespace

metrics::Result<ExitRing> ExitRing::open(int map, std::size_t size_bytes) {
  const auto page = page_bytes();
  auto consumer = Mapping::make(map, 0, page, Mapping::Access::read_write);
  if (!consumer) return consumer.error();
  auto producer = Mapping::make(map, page, page + size_bytes, Mapping::Access::read);
  if (!producer) return producer.error();
  return ExitRing(*std::move(consumer), *std::move(producer), size_bytes);
}

ExitRing::ExitRing(Mapping consumer, Mapping producer, std::size_t size_bytes)
    : consumer_(std::move(consumer)), producer_(std::move(producer)), size_bytes_(size_bytes) {}

void ExitRing::copy(std::uint64_t position, void* to, std::size_t bytes) const {
  const auto* const ring = static_cast<const char*>(producer_.data()) + page_bytes();
  const auto begin = position & (size_bytes_ - 1);
  const auto before_end = std::min(bytes, size_bytes_ - begin);
  std::memcpy(to, ring + begin, before_end);
  std::memcpy(static_cast<char*>(to) + before_end, ring, bytes - before_end);
}

void ExitRing::drain(std::vector<ExitRecord>& records) {
  const auto* const ring = static_cast<const char*>(producer_.data()) + page_bytes();
  auto position = load(consumer_.data());
  const auto end = load(producer_.data());
  // First of all, as nothing may throw between reading a record and giving its place back.
  records.reserve(records.size() + (end - position) / (sizeof(Header) + sizeof(ExitRecord)));
  while (position < end) {
    const auto* const header = ring + (position & (size_bytes_ - 1));
    const auto length_and_flags =
        __atomic_load_n(reinterpret_cast<const std::uint32_t*>(header), __ATOMIC_ACQUIRE);
    if ((length_and_flags & BPF_RINGBUF_BUSY_BIT) != 0) break;  // Still being written.
    const auto length = length_and_flags & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    if ((length_and_flags & BPF_RINGBUF_DISCARD_BIT) == 0 && length == sizeof(ExitRecord)) {
      copy(position + sizeof(Header), &records.emplace_back(), sizeof(ExitRecord));
    }
    position += (sizeof(Header) + length + kAlignmentBytes - 1) & ~(kAlignmentBytes - 1);
  }
  __atomic_store_n(static_cast<std::uint64_t*>(consumer_.data()), position, __ATOMIC_RELEASE);
}

}  // namespace bpf
