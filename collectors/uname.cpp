// What uname(2) says. Family of node_exporter.
#include "collectors/catalog.hpp"

namespace collectors {
namespace {

constexpr metrics::Family kUnameInfo = {
    "node_uname_info", "Names of the kernel, the machine and the host, from uname(2)."};

class Uname final : public Collector {
 public:
  explicit Uname(const Host& host) : host_(host) {}

  metrics::Result<void> refresh(Clock::time_point /*now*/) override {
    names_ = host_.system.names();
    return {};
  }

  void emit(metrics::Sink& sink) const override {
    sink.family(kUnameInfo);
    sink.sample({{"domainname", names_.domain},
                 {"machine", names_.machine},
                 {"nodename", names_.node},
                 {"release", names_.release},
                 {"sysname", names_.system},
                 {"version", names_.version}},
                1);
  }

  static void list(metrics::FamilyList& list) {
    list.add({kUnameInfo}, "domainname,machine,nodename,release,sysname,version");
  }

 private:
  Host host_;
  procfs::System::Names names_;
};

}  // namespace

constinit const CollectorSpec kUname = {"uname",
                                        "Kernel, machine and host name (uname(2)).",
                                        true,
                                        Reads::memory,
                                        make_collector<Uname>,
                                        Uname::list};

}  // namespace collectors
