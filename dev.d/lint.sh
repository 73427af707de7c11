#!/bin/bash
# ./dev lint; sourced by ./dev.

# Files that git tracks or does not ignore, and that exist; arguments are git's path patterns.
sources() {
  git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r -d '' file; do
      if [[ -f $file ]]; then printf '%s\0' "$file"; fi
    done
}

lint_format() {
  sources '*.cpp' '*.hpp' | xargs -0 -r clang-format --dry-run -Werror
}

# The .cpp files that clang-tidy should see: those that changed, or all when a header did. Not the
# tests: Catch2's macros fill its report, and a minute for each file. Nor what is Boost's alone.
readonly not_tidied=(':!tests' ':!model_server/boost_json.cpp')
tidy_sources() {
  local scope=$1 base
  base=$(git merge-base HEAD origin/main 2>/dev/null) || scope=all
  if [[ $scope == all ]] ||
    { git diff --name-only "$base" && git ls-files --others --exclude-standard; } |
    grep -E '\.hpp$|(^|/)\.clang-tidy$' >/dev/null; then
    sources '*.cpp' "${not_tidied[@]}"
  else
    comm -z -12 <(sources '*.cpp' "${not_tidied[@]}" | sort -z) \
      <({ git diff -z --name-only "$base" && git ls-files -z --others --exclude-standard; } | sort -z)
  fi
}

# What a unity build compiles in their place: there, the files of a room count as headers.
unity_sources() {
  sed -n 's/^  "file": "\(.*\)".*/\1/p' build/dev/compile_commands.json |
    grep -vE '/tests/|_verify_interface_header_sets/|/boost_json\.' | tr '\n' '\0'
}

lint_tidy() {
  configure dev >/dev/null || return
  cmake --build --preset dev --target bpf_skeletons >/dev/null || return
  local sources="tidy_sources $1"
  if [[ ${CI:-} == true ]]; then sources=unity_sources; fi
  # GCC's own warning flags are unknown to clang; the count of what was suppressed is noise.
  $sources | xargs -0 -r -n 1 -P "$(nproc)" \
    clang-tidy --quiet -p build/dev --extra-arg=-Wno-unknown-warning-option \
    2> >(sed -E '/^[0-9]+ warnings? generated\.$/d' >&2)
}

lint_includes() {
  /usr/bin/python3 tests/check_includes.py
}

lint_shell() {
  local file first_line
  sources | while IFS= read -r -d '' file; do
    IFS= read -r -n 80 first_line <"$file" 2>/dev/null || true
    if [[ $first_line =~ ^#!.*sh$ ]]; then printf '%s\0' "$file"; fi
  done | xargs -0 -r shellcheck
}

command_lint() {
  local scope=changed
  [[ ${1:-} != --all && ${CI:-} != true ]] || scope=all
  need build model_server test lint
  local step
  local -a failed=()
  for step in format includes shell tidy; do
    note "lint: $step"
    "lint_$step" "$scope" || failed+=("$step")
  done
  ((${#failed[@]} == 0)) || die "lint failed: ${failed[*]}"
}
