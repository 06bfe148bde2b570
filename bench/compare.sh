#!/usr/bin/env bash
# Postern beside its peers, on this machine, in one run: see README.md.
#
#   bench/compare.sh [--build-dir DIR] [options of compare.py]
#
# Run as root on Debian 12: missing peers are installed (no service is started), and the release preset is built
# when DIR is not given.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

fail() {
    echo "compare.sh: $*" >&2
    exit 1
}

install_peers() {
    local missing=() package policy=/usr/sbin/policy-rc.d
    for package in haproxy nginx libnginx-mod-mail dovecot-core dovecot-imapd dovecot-pop3d perdition openssl python3; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || fail "must be run as root to install ${missing[*]}"
    echo "compare.sh: installing ${missing[*]}"
    if [ ! -e "$policy" ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o Acquire::Retries=3 update
    apt-get -q -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"
    if [ "$(trap -p EXIT)" ]; then
        rm -f "$policy"
        trap - EXIT
    fi
}

build=
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --build-dir)
            [ $# -gt 1 ] || fail "--build-dir needs a folder"
            build=$2
            shift
            ;;
        --build-dir=*) build=${1#*=} ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

install_peers
if [ -z "$build" ]; then
    build=$root/build/release
    (cd "$root" && cmake --preset release >/dev/null && cmake --build "$build" --target postern bench_load bench_store)
fi
exec python3 "$here/compare.py" --build-dir "$build" ${arguments[@]+"${arguments[@]}"}
