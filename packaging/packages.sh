# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034
# Sourced by packaging/run.sh, tests/run.sh and .ci/run; needs bash.

BUILD_PACKAGES=(
    cmake ninja-build g++ ccache pkg-config
    qt6-base-dev libssl-dev libboost1.81-dev libyaml-cpp-dev libsimdjson-dev zlib1g-dev
    libbrotli-dev libre2-dev libzstd-dev qtkeychain-qt6-dev libsecret-1-dev
)
TEST_PACKAGES=(clang-14 libclang-rt-14-dev python3 nodejs npm nginx haproxy dbus gnome-keyring)
FORMAT_PACKAGES=(clang-format-14)

say() { printf 'gatehouse: %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# A command of the package's name counts too: Node may come from elsewhere than from Debian.
is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] \
        || command -v "$1" >/dev/null
}

# install_missing PACKAGE… installs what is not there, and starts no service that comes with it.
install_missing() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "these are missing, and there is no apt to install them with: ${missing[*]}"
        return 3
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        say "these are missing; install them as root: apt-get install ${missing[*]}"
        return 3
    fi
    say "installing ${missing[*]}"
    apt_install "${missing[@]}"
}

# In a subshell, so that the guard against starting services goes whatever happens.
apt_install() (
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap 'rm -f "$log"; as_root rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
        as_root chmod 755 /usr/sbin/policy-rc.d
    fi
    as_root apt-get update >"$log" 2>&1 </dev/null || true # old lists may do
    if ! as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        say "apt could not install them"
        exit 3
    fi
    keep_off "$@"
)

# The proxies are for comparison only; they are not to serve at the next boot.
keep_off() {
    local package
    [ -d /run/systemd/system ] || return 0
    for package in "$@"; do
        case $package in
        nginx | haproxy) as_root systemctl disable --quiet "$package" 2>/dev/null || true ;;
        esac
    done
}

# The launcher is part of every compile command, so all scripts have to agree on it.
use_ccache() {
    export CCACHE_DIR=${CCACHE_DIR:-$HOME/.cache/ccache}
    if [ -z "${GATEHOUSE_LAUNCHER+set}" ] && command -v ccache >/dev/null; then
        GATEHOUSE_LAUNCHER=ccache
    fi
    export GATEHOUSE_LAUNCHER=${GATEHOUSE_LAUNCHER-}
}

# build_preset PRESET [TARGET…] configures and builds; run it in the repository.
build_preset() {
    local preset=$1
    shift
    cmake --preset "$preset" \
        && nice cmake --build --preset "$preset" -j "$(nproc)" ${1:+--target "$@"}
}
