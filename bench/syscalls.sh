#!/usr/bin/env bash
# Counts the system calls of one login, one megabyte and one NOOP through Postern: see README.md.
# Needs strace (deploy/packages.sh bench).
#
#   bench/syscalls.sh --build-dir DIR
set -euo pipefail
exec python3 "$(dirname "$0")/syscalls.py" "$@"
