#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds Gatehouse and serves with the built-in simulated provider. Arguments go to `gatehouse run`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/packages.sh

install_missing "${BUILD_PACKAGES[@]}"
use_ccache

mkdir -p build
log=build/run.log
if [ -x build/release/bin/gatehouse ]; then
    say "bringing the build up to date ($log)"
else
    say "building; this takes some minutes the first time ($log)"
fi
if ! build_preset release gatehouse >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    say "the build failed; all of it is in $log"
    exit 3
fi

exec build/release/bin/gatehouse run --demo "$@"
