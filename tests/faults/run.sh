#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the fault tests: run.sh [--gateway BIN] [--target nginx] [--verbose]
here=$(cd "$(dirname "$0")" && pwd) || exit 3
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
scripts='self_check.py smuggling.py bad_provider.py bad_client.py matrix.py canary.py sessions.py jwks.py flex.py limits.py spending.py cache.py resilience.py'
status=0
# A script that nobody runs tests nothing.
for program in $(grep -l '^if __name__' "$here"/*.py); do
    case " $scripts " in
    *" ${program##*/} "*) ;;
    *)
        echo "FAIL ${program##*/} is not among the scripts that run.sh runs"
        status=1
        ;;
    esac
done
for script in $scripts; do
    echo "== $script"
    python3 "$here/$script" "$@" || status=1
done
exit $status
