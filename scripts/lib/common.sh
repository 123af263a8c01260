# SPDX-License-Identifier: Apache-2.0
# For scripts/demo and scripts/test: packages and a build, quiet when all is well.
# shellcheck shell=bash

root=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
# shellcheck disable=SC2034  # for those who source this file
build=$root/build

# quietly COMMAND…: shows the output of COMMAND only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

# prepare [TARGET]: packages, and a build of TARGET, or of all.
prepare() {
  cd "$root" || return
  scripts/bootstrap
  if [ ! -f "$build/build.ninja" ]; then
    echo "Configuring $build …"
    quietly meson setup "$build" --buildtype=debugoptimized
  fi
  echo "Building $build …"
  quietly meson compile -C "$build" "$@"
}
