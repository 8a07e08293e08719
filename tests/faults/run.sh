#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the fault tests: run.sh [--gateway BIN] [--target nginx] [--verbose]
here=$(cd "$(dirname "$0")" && pwd) || exit 3
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
status=0
for script in smuggling.py bad_provider.py bad_client.py matrix.py canary.py sessions.py jwks.py; do
    echo "== $script"
    python3 "$here/$script" "$@" || status=1
done
exit $status
