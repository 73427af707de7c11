#include "collectors/process/cgroup_place.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace collectors {
namespace {

constexpr std::size_t kContainerIdDigits = 64;
constexpr std::size_t kShownIdDigits = 12;
constexpr std::size_t kLeastPodDigits = 32;
constexpr std::size_t kMostPodDigits = 64;
constexpr std::size_t kMostJobDigits = 32;

bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_decimal(c) || (c >= 'a' && c <= 'f'); }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return text;
}

/// "docker-<id>.scope", "crio-<id>", "<id>", "kubepods-pod<uid>.slice:cri-containerd:<id>".
std::string_view container_id(std::string_view component) {
  component = without_suffix(component, ".scope");
  if (component.size() < kContainerIdDigits) return {};
  const auto id = component.substr(component.size() - kContainerIdDigits);
  const auto before = component.substr(0, component.size() - kContainerIdDigits);
  if (!std::ranges::all_of(id, is_hex)) return {};
  if (!before.empty() && before.back() != '-' && before.back() != ':') return {};
  return id;
}

/// "crio-conmon-<id>.scope" holds the process that watches over a container, from outside.
bool is_monitor(std::string_view component) {
  return component.find("conmon-") != std::string_view::npos;
}

/// Takes "kubepods-burstable-pod<uid>.slice" and below kubepods "pod<uid>".
std::string pod_uid(std::string_view component, bool is_below_kubepods) {
  constexpr std::string_view kPod = "pod";
  component = without_suffix(component.substr(0, component.find(':')), ".slice");
  const auto at = component.rfind(kPod);
  if (at == std::string_view::npos) return {};
  const auto before = component.substr(0, at);
  const auto is_slice = before.ends_with('-') && before.find("kubepods") != before.npos;
  if (!is_slice && !(before.empty() && is_below_kubepods)) return {};
  std::string uid(component.substr(at + kPod.size()));
  // systemd takes '-' for a step down in the tree of slices.
  std::ranges::replace(uid, '_', '-');
  const auto is_allowed = [](char c) { return is_hex(c) || c == '-'; };
  const auto fits = uid.size() >= kLeastPodDigits && uid.size() <= kMostPodDigits;
  return fits && std::ranges::all_of(uid, is_allowed) ? uid : "";
}

std::string_view slurm_job_id(std::string_view component) {
  constexpr std::string_view kJob = "job_";
  if (!component.starts_with(kJob)) return {};
  const auto id = component.substr(kJob.size());
  const auto is_allowed = [](char c) { return is_decimal(c) || is_letter(c); };
  return id.size() <= kMostJobDigits && std::ranges::all_of(id, is_allowed) ? id : "";
}

bool is_unit(std::string_view component) {
  constexpr std::array<std::string_view, 5> kSuffixes = {".service", ".scope", ".mount", ".socket",
                                                         ".swap"};
  return std::ranges::any_of(kSuffixes, [&](std::string_view suffix) {
    return component.size() > suffix.size() && component.ends_with(suffix);
  });
}

std::vector<std::string_view> components_of(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty()) {
    const auto component = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(component.size() + 1, path.size()));
    // ".." leads out of the exporter's own cgroup namespace.
    if (!component.empty() && component != "..") components.push_back(component);
  }
  return components;
}

std::string_view unit_of(const std::vector<std::string_view>& components) {
  for (const auto component : components) {
    if (component.ends_with(".slice")) continue;
    return is_unit(component) && container_id(component).empty() ? component : "";
  }
  return {};
}

}  // namespace

CgroupPlace place_in(std::string_view path) {
  const auto components = components_of(path);
  CgroupPlace place;
  place.cgroup = path;
  place.unit = unit_of(components);
  const auto is_users = place.unit.starts_with("user@");
  bool is_below_kubepods = false;
  bool is_below_slurm = false;
  for (const auto component : components) {
    if (!is_users && place.pod.empty()) place.pod = pod_uid(component, is_below_kubepods);
    if (const auto id = container_id(component); !id.empty()) {
      if (!is_monitor(component)) place.container = id.substr(0, kShownIdDigits);
      break;
    }
    if (!is_users && is_below_slurm && place.slurm_job.empty()) {
      place.slurm_job = slurm_job_id(component);
    }
    is_below_kubepods |= component.find("kubepods") != std::string_view::npos;
    is_below_slurm |= component.starts_with("slurm") || component.ends_with("slurmstepd.scope");
  }
  return place;
}

CgroupPlace place_of(std::span<const procfs::ProcessCgroup> cgroups) {
  static constexpr std::array kValues = {&CgroupPlace::unit, &CgroupPlace::pod,
                                         &CgroupPlace::container, &CgroupPlace::slurm_job};
  const auto rank = [](const procfs::ProcessCgroup& cgroup) {
    const std::string_view controllers = cgroup.controllers;
    if (controllers == "memory") return 0;
    if (controllers == "name=systemd") return 1;
    return controllers.empty() ? 2 : 3;
  };
  std::vector<procfs::ProcessCgroup> ordered(cgroups.begin(), cgroups.end());
  std::ranges::stable_sort(ordered, {}, rank);
  CgroupPlace place;
  for (const auto& cgroup : ordered) {
    auto here = place_in(cgroup.path);
    for (const auto value : kValues) {
      if ((place.*value).empty()) place.*value = std::move(here.*value);
    }
    // The root says nothing, unless nobody says more.
    if (place.cgroup.size() <= 1) place.cgroup = std::move(here.cgroup);
  }
  return place;
}

}  // namespace collectors
