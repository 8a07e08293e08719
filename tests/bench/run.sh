#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures nginx, HAProxy and the gateway side by side: `tests/bench/run.sh --help`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

ulimit -n "$(ulimit -Hn)"
for program in nginx haproxy; do
    if ! PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null; then
        echo "bench: $program is not installed (apt-get install nginx-light haproxy)" >&2
    fi
done

# The client and the provider need nothing but a compiler: they are built here, not in the tree.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse-bench
mkdir -p "$tools"
for name in load provider; do
    program=$tools/bench_$name
    newer=$(find "$here" -name '*.[ch]*' -newer "$program" 2>/dev/null || true)
    if [[ ! -x $program || -n $newer ]]; then
        nice "${CXX:-c++}" -std=c++20 -O2 -I "$root" "$here/$name.cpp" -o "$program.new"
        mv "$program.new" "$program"
    fi
done

PATH="$PATH:/usr/sbin" exec python3 -B "$here/run.py" --tools "$tools" "$@"
