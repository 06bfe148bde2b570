#!/usr/bin/env bash
# Installs what is needed on a Debian 12 machine, builds every preset and runs all their tests. Run as root.
#
#   tests/run.sh                  everything: release asan tsan fuzz
#   tests/run.sh release tidy     only these; tidy (clang-tidy) takes as long as all others together
#
# Ends at the first stage that fails, with its status, and always with a summary.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$((2 * $(nproc)))}  # end-to-end tests mostly wait
export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
stages=("$@")
[ ${#stages[@]} -gt 0 ] || stages=(release asan tsan fuzz)
summary=()

summarise() {
    printf '\n== Summary\n'
    printf '%s\n' "${summary[@]}"
}

# Runs one stage, and ends everything when it fails.
stage() {
    local name=$1 began=$SECONDS status=0
    shift
    printf '\n== %s\n' "$name"
    "$@" || status=$?
    summary+=("$(printf '%-24s %5d s  %s' "$name" $((SECONDS - began)) "$([ "$status" = 0 ] && echo passed || echo "FAILED ($status)")")")
    if [ "$status" != 0 ]; then
        summarise
        exit "$status"
    fi
}

configure_and_build() {
    cmake --preset "$1" && cmake --build --preset "$1"
}

# ThreadSanitizer of gcc 12 cannot place its shadow memory beside a fully randomised address space.
without_randomisation() {
    if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

stage packages deploy/packages.sh test
for preset in "${stages[@]}"; do
    stage "$preset: build" configure_and_build "$preset"
    case $preset in
        tsan) stage "$preset: tests" without_randomisation ctest --preset "$preset" ;;
        *) stage "$preset: tests" ctest --preset "$preset" ;;
    esac
done
summarise
