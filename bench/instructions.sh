#!/usr/bin/env bash
# Counts the instructions of one login and one megabyte through Postern, and fails when they are more than
# instructions.txt says: see README.md. Needs valgrind (deploy/packages.sh bench).
#
#   bench/instructions.sh --build-dir DIR [--update]
set -euo pipefail
exec python3 "$(dirname "$0")/instructions.py" "$@"
