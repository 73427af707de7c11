// What the room offers when it is built without BPF.
#include "bpf/process_watch.hpp"

namespace bpf {

using metrics::Errc;
using metrics::Error;
using metrics::Result;

class ProcessWatch::Implementation {};

ProcessWatch::ProcessWatch(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
ProcessWatch::ProcessWatch(ProcessWatch&&) noexcept = default;
ProcessWatch& ProcessWatch::operator=(ProcessWatch&&) noexcept = default;
ProcessWatch::~ProcessWatch() = default;

namespace {

Error absent() { return {Errc::unsupported, "built without BPF"}; }

}  // namespace

Result<ProcessWatch> ProcessWatch::open(const Options&) { return absent(); }
Result<std::span<const ProcessRecord>> ProcessWatch::walk(Detail) { return absent(); }
Result<void> ProcessWatch::drain_exits(Exits&, Clock::time_point) { return absent(); }

std::uint64_t ProcessWatch::last_sights() const { return 0; }
bool ProcessWatch::has_cpu_delay() const { return false; }
bool ProcessWatch::has_storage_bytes() const { return false; }

}  // namespace bpf
