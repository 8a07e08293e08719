#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the real SDKs and agents through the gateway: tests/clients/run.sh [--only NAME] [--gateway BIN] …
set -eu
here=$(cd "$(dirname "$0")" && pwd)
stamp=$here/node_modules/.package-lock.sum
sum=$(sha256sum < "$here/package-lock.json")
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$sum" ]; then
    echo "installing the clients (1.1 GB, once)" >&2
    (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    echo "$sum" > "$stamp"
fi
exec node "$here/run.mjs" "$@"
