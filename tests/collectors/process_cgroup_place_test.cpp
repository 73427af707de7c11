#include <catch2/catch.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "collectors/process/cgroup_place.hpp"
#include "tests/support/fixture_host.hpp"

using collectors::CgroupPlace;
using collectors::place_in;
using collectors::place_of;
using procfs::ProcessCgroup;

namespace collectors {

std::ostream& operator<<(std::ostream& out, const CgroupPlace& place) {
  return out << "{cgroup=" << place.cgroup << " unit=" << place.unit << " pod=" << place.pod
             << " container=" << place.container << " slurm_job=" << place.slurm_job << "}";
}

}  // namespace collectors

namespace {

const std::string kId = "0123456789ab" + std::string(52, 'c');
const std::string kOtherId = std::string(64, 'f');
const std::string kUid = "c2d4e6f8-0a1b-4c3d-8e5f-7a9b1c3d5e7f";
const std::string kUidOfSystemd = "c2d4e6f8_0a1b_4c3d_8e5f_7a9b1c3d5e7f";
const std::string kStaticUid = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const std::string kShort = "0123456789ab";
const std::string kPods = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod";

struct Case {
  const char* what;
  std::string path;
  CgroupPlace place = {};
};

// Without the path itself.
const std::vector<Case> kCases = {
    {"the root, kernel threads", "/"},
    {"nothing", ""},
    {"no unit", "/process_api/x"},

    {"a service", "/system.slice/ssh.service", {.unit = "ssh.service"}},
    {"of a template",
     "/system.slice/system-getty.slice/getty@tty1.service",
     {.unit = "getty@tty1.service"}},
    {"its own cgroups",
     "/system.slice/systemd-udevd.service/udev",
     {.unit = "systemd-udevd.service"}},
    {"pid 1", "/init.scope", {.unit = "init.scope"}},
    {"a mount's helper", "/system.slice/mnt-data.mount", {.unit = "mnt-data.mount"}},
    {"a session", "/user.slice/user-1000.slice/session-3.scope", {.unit = "session-3.scope"}},
    {"a user's manager",
     "/user.slice/user-1000.slice/user@1000.service/init.scope",
     {.unit = "user@1000.service"}},
    {"a user's service",
     "/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service",
     {.unit = "user@1000.service"}},
    {"a slice", "/system.slice/system-getty.slice"},
    {"a unit that systemd did not make", "/my/ssh.service"},
    {"a name that is only the type", "/system.slice/.service"},
    {"above the namespace's root", "/../../system.slice/ssh.service", {.unit = "ssh.service"}},
    {"a machine",
     "/machine.slice/machine-web.scope/payload/system.slice/a.service",
     {.unit = "machine-web.scope"}},

    {"docker, systemd", "/system.slice/docker-" + kId + ".scope", {.container = kShort}},
    {"docker, cgroupfs", "/docker/" + kId, {.container = kShort}},
    {"docker in version 1 of systemd",
     "/system.slice/docker.service/docker/" + kId,
     {.unit = "docker.service", .container = kShort}},
    {"docker itself", "/system.slice/docker.service", {.unit = "docker.service"}},
    {"docker builds", "/docker/buildkit/nsi7v8rvqbvcqgv4bsxuhxq0t"},
    {"an init within",
     "/system.slice/docker-" + kId + ".scope/system.slice/ssh.service",
     {.container = kShort}},
    {"docker in docker", "/docker/" + kId + "/docker/" + kOtherId, {.container = kShort}},
    {"rootless docker",
     "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + kId + ".scope",
     {.unit = "user@1000.service", .container = kShort}},
    {"podman", "/machine.slice/libpod-" + kId + ".scope/container", {.container = kShort}},
    {"podman, cgroupfs", "/libpod_parent/libpod-" + kId, {.container = kShort}},
    {"podman's monitor", "/machine.slice/libpod-conmon-" + kId + ".scope"},
    {"nerdctl", "/system.slice/nerdctl-" + kId + ".scope", {.container = kShort}},
    {"Amazon ECS", "/ecs/" + kStaticUid + "/" + kId, {.container = kShort}},

    {"containerd, systemd",
     kPods + kUidOfSystemd + ".slice/cri-containerd-" + kId + ".scope",
     {.pod = kUid, .container = kShort}},
    {"containerd, cgroupfs",
     "/kubepods/burstable/pod" + kUid + "/" + kId,
     {.pod = kUid, .container = kShort}},
    {"containerd of another driver",
     "/system.slice/containerd.service/kubepods-burstable-pod" + kUidOfSystemd +
         ".slice:cri-containerd:" + kId,
     {.unit = "containerd.service", .pod = kUid, .container = kShort}},
    {"CRI-O, systemd",
     kPods + kUidOfSystemd + ".slice/crio-" + kId + ".scope/container",
     {.pod = kUid, .container = kShort}},
    {"CRI-O, cgroupfs",
     "/kubepods/besteffort/pod" + kUid + "/crio-" + kId,
     {.pod = kUid, .container = kShort}},
    {"CRI-O's monitor",
     kPods + kUidOfSystemd + ".slice/crio-conmon-" + kId + ".scope",
     {.pod = kUid}},
    {"docker under the kubelet",
     kPods + kUidOfSystemd + ".slice/docker-" + kId + ".scope",
     {.pod = kUid, .container = kShort}},
    {"guaranteed, systemd",
     "/kubepods.slice/kubepods-pod" + kUidOfSystemd + ".slice",
     {.pod = kUid}},
    {"guaranteed, cgroupfs",
     "/kubepods/pod" + kUid + "/" + kId,
     {.pod = kUid, .container = kShort}},
    {"a root of the kubelet's own",
     "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + kUidOfSystemd + ".slice",
     {.pod = kUid}},
    {"a static pod",
     kPods + kStaticUid + ".slice/crio-" + kId + ".scope",
     {.pod = kStaticUid, .container = kShort}},
    {"Kubernetes in docker: the node counts",
     "/docker/" + kOtherId + "/kubelet" + kPods + kUidOfSystemd + ".slice/cri-containerd-" + kId +
         ".scope",
     {.container = std::string(12, 'f')}},
    {"a pod without kubepods", "/pod" + kUid + "/" + kId, {.container = kShort}},
    {"a uid too short", "/kubepods/pod" + kUid.substr(0, 31)},
    {"a uid too long", "/kubepods/pod" + kId + "0"},
    {"a uid that is none", "/kubepods/pod" + std::string(36, 'x')},
    {"within kubepods, but no pod", "/kubepods.slice/kubepods-burstable.slice"},

    {"Slurm",
     "/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0",
     {.unit = "slurmstepd.scope", .slurm_job = "4711"}},
    {"Slurm, batch",
     "/system.slice/slurmstepd.scope/job_4711/step_batch/slurm",
     {.unit = "slurmstepd.scope", .slurm_job = "4711"}},
    {"Slurm, two on a host",
     "/system.slice/node1_slurmstepd.scope/job_7/step_extern",
     {.unit = "node1_slurmstepd.scope", .slurm_job = "7"}},
    {"Slurm 26.05",
     "/system.slice/slurmstepd.scope/job_sABC0DEF1GHJK2/step_0",
     {.unit = "slurmstepd.scope", .slurm_job = "sABC0DEF1GHJK2"}},
    {"Slurm in version 1", "/slurm/uid_1000/job_4711/step_0/task_0", {.slurm_job = "4711"}},
    {"Slurm in version 1, two on a host", "/slurm_node1/uid_0/job_1", {.slurm_job = "1"}},
    {"Slurm's own", "/system.slice/slurmstepd.scope/system", {.unit = "slurmstepd.scope"}},
    {"a container in a job",
     "/slurm/uid_1000/job_4711/step_0/docker/" + kId,
     {.container = kShort, .slurm_job = "4711"}},
    {"a job of somebody else", "/system.slice/build.service/job_4711", {.unit = "build.service"}},
    {"a job without number", "/slurm/uid_1000/job_/step_0"},
    {"a job that is none", "/slurm/uid_1000/job_1-2"},
    {"a job too long", "/slurm/job_" + std::string(33, '1')},

    {"a user plays a pod and a job",
     "/user.slice/user-1.slice/user@1.service/slurm/job_1/kubepods/pod" + kUid,
     {.unit = "user@1.service"}},
    {"a container plays a pod and a job",
     "/docker/" + kId + "/slurm/job_1/kubepods/pod" + kUid + "/" + kOtherId,
     {.container = kShort}},
    {"upper case is no id", "/docker/" + std::string(64, 'A')},
    {"an id of 63 digits", "/docker/" + std::string(63, 'a')},
    {"an id of 65 digits", "/docker/" + std::string(65, 'a')},
    {"an id behind something", "/docker/x" + kId},
    {"slashes", "//system.slice///ssh.service//", {.unit = "ssh.service"}},
    {"a zero",
     std::string("/system.slice/a\0b.service", 25),
     {.unit = std::string("a\0b.service", 11)}},
    {"no UTF-8", "/system.slice/\xff\xfe.service", {.unit = "\xff\xfe.service"}},
};

}  // namespace

TEST_CASE("a cgroup's path tells the unit, the pod, the container and the job") {
  for (const auto& [what, path, place] : kCases) {
    INFO(what);
    auto expected = place;
    expected.cgroup = path;
    CHECK(place_in(path) == expected);
  }
}

TEST_CASE("with several hierarchies each value comes from the first that has one") {
  const auto [what, cgroups, place] =
      GENERATE(table<const char*, std::vector<ProcessCgroup>, CgroupPlace>({
          {"none", {}, {}},
          {"the root of all", {{"memory", "/"}, {"", "/"}}, {.cgroup = "/"}},
          {"version 2", {{"", "/init.scope"}}, {.cgroup = "/init.scope", .unit = "init.scope"}},
          {"memory goes before systemd",
           {{"pids", "/pids"}, {"name=systemd", "/init.scope"}, {"memory", "/m"}, {"", "/"}},
           {.cgroup = "/m", .unit = "init.scope"}},
          {"systemd, where memory is not divided",
           {{"", "/x"}, {"memory", "/"}, {"name=systemd", "/init.scope"}},
           {.cgroup = "/init.scope", .unit = "init.scope"}},
          {"a job of Slurm in version 1",
           {{"", "/"},
            {"name=systemd", "/system.slice/slurmd.service"},
            {"memory", "/slurm/uid_1/job_5/step_0"}},
           {.cgroup = "/slurm/uid_1/job_5/step_0", .unit = "slurmd.service", .slurm_job = "5"}},
          {"any other",
           {{"pids", "/docker/" + kId}},
           {.cgroup = "/docker/" + kId, .container = kShort}},
      }));
  INFO(what);
  CHECK(place_of(cgroups) == place);
}

TEST_CASE("the path of a cgroup survives truncation, damage and length") {
  for (const auto& [what, path, place] : kCases) {
    tests::survives_truncation_and_damage(path, place_in);
  }
  std::string deep;
  while (deep.size() < 1'000'000) deep += "/kubepods/slurm/job_x";
  CHECK(place_in(deep).slurm_job == "x");
  CHECK(place_in(std::string(1'000'000, '/')).unit.empty());
}
