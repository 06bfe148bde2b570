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
    local package
    for package in haproxy nginx libnginx-mod-mail dovecot-imapd dovecot-pop3d perdition openssl python3; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] && continue
        "$root/deploy/packages.sh" bench
        return
    done
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

case " ${arguments[*]-} " in
    *" --help "* | *" -h "*) exec python3 "$here/compare.py" --help ;;
esac
install_peers
if [ -z "$build" ]; then
    build=$root/build/release
    (cd "$root" && cmake --preset release >/dev/null && cmake --build "$build" --target postern bench_load bench_store)
fi
exec python3 "$here/compare.py" --build-dir "$build" ${arguments[@]+"${arguments[@]}"}
