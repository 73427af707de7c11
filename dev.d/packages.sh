#!/bin/bash
# What commands of ./dev need of Debian and npm; sourced by it.

# The packages of the given sections of packages.txt.
packages() {
  awk -v wanted=" $* " '
    { sub(/#.*/, ""); sub(/[ \t]+$/, "") }
    /^\[/ { section = substr($0, 2, length($0) - 2); next }
    NF && index(wanted, " " section " ") { print }' packages.txt | sort -u
}

missing_packages() {
  # shellcheck disable=SC2016  # dpkg-query expands these.
  comm -23 <(packages "$@") \
    <(packages "$@" | xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
      sed -n 's/^installed //p' | sort -u)
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

apt_install() {
  local -a install=(as_root env DEBIAN_FRONTEND=noninteractive
    apt-get install -qq --no-install-recommends -o Dpkg::Use-Pty=0)
  "${install[@]}" "$@" && return
  as_root apt-get update -qq  # Package lists are absent on a fresh system, and stale on an old one.
  "${install[@]}" "$@"
}

# Runs the command while Debian's maintainer scripts are told to start no service; on a booted
# machine Prometheus and node_exporter would otherwise take ports 9090 and 9100.
readonly policy=/usr/sbin/policy-rc.d
without_service_starts() {
  if [[ -e $policy ]]; then  # An administrator's own policy stays.
    "$@"
    return
  fi
  trap 'as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy"
  local status=0
  "$@" || status=$?
  as_root rm -f "$policy"
  trap - EXIT
  return "$status"
}

# The packages' services must not start at the next boot either.
disable_services() {
  [[ -d /run/systemd/system ]] || return 0
  local package
  for package in "$@"; do
    case $package in
      prometheus | prometheus-alertmanager | prometheus-node-exporter | prometheus-process-exporter)
        as_root systemctl --quiet disable --now "$package"
        ;;
      podman) as_root systemctl --quiet disable --now podman.socket ;;
    esac
  done
}

# Installs what is missing of the given sections of packages.txt.
need() {
  [[ -x /usr/bin/dpkg-query && -x /usr/bin/apt-get ]] ||
    die "no apt here: ./dev needs Debian 12; elsewhere, install the like of packages.txt by hand"
  local -a missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0

  ((EUID == 0)) || command -v sudo >/dev/null ||
    die "neither root nor sudo: as root, run apt-get install --no-install-recommends ${missing[*]}"
  note "installing ${missing[*]}"
  local log
  log=$(mktemp)
  without_service_starts apt_install "${missing[@]}" &>"$log" ||
    die "apt-get could not install them (no network?): see $log"
  rm "$log"
  disable_services "${missing[@]}"
}

# Debian's node and npm, or another vendor's of that name, which conflicts with Debian's.
readonly node=/usr/bin/node npm=/usr/bin/npm
need_node() {
  [[ -x $node && -x $npm ]] || need dashboards
}

# Installs what the directory's package-lock.json says, once.
need_node_modules() {
  need_node
  [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]] && return
  note "installing the node modules of $1"
  "$npm" ci --prefix "$1" --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
}

# Debian's kubectl, or another vendor's, which conflicts with it.
need_kubectl() {
  command -v kubectl >/dev/null || need kubernetes
}
