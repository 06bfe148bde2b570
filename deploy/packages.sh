#!/usr/bin/env bash
# Installs the Debian 12 packages that Postern needs. Run as root; a second run finds nothing to do.
#
#   deploy/packages.sh build    to compile the program and its unit tests
#   deploy/packages.sh demo     also the stores of the demo
#   deploy/packages.sh test     also the mail clients of the end-to-end tests, and clang 19
#   deploy/packages.sh bench    to compile, and the peers and tools of bench/
#
# Nothing is removed, and no service that a package brings is started. Dovecot is installed; Cyrus, which Debian
# does not allow beside it, is only unpacked, to ${POSTERN_CACHE:-/var/cache/postern}/cyrus.
set -euo pipefail

build_packages=(
    g++ cmake ninja-build pkg-config ca-certificates
    android-libboringssl-dev libuv1-dev libc-ares-dev
    libtomlplusplus-dev prometheus-cpp-dev libcivetweb-dev libcli11-dev libspdlog-dev libfmt-dev
    nlohmann-json3-dev libboost-dev libcrypt-dev libhiredis-dev libsystemd-dev libxxhash-dev libre2-dev
    zlib1g-dev doctest-dev
)
demo_packages=(
    dovecot-imapd dovecot-pop3d curl openssl python3
    # what the unpacked Cyrus loads
    libsasl2-2 libsasl2-modules libsasl2-modules-db libdb5.3 libcom-err2 libwrap0 libssl3 zlib1g libclamav12
    libical3 libicu72 libjansson4 libkrb5-3 libldap-2.5-0 libpcre3 libpq5 libsqlite3-0 libxapian30 libxml2
    libzephyr4
)
test_packages=(
    isync fetchmail netbase prometheus  # fetchmail looks its ports up in netbase's /etc/services
    redis-server fail2ban
    valgrind  # counts instructions
    clang-19 libclang-rt-19-dev clang-tidy-19 clang-format-19 ccache git
)
bench_packages=(
    haproxy nginx libnginx-mod-mail dovecot-core dovecot-imapd dovecot-pop3d perdition openssl python3
    valgrind strace libbenchmark-dev
)
unpacked_packages=(cyrus-common cyrus-imapd cyrus-pop3d sasl2-bin)

cache=${POSTERN_CACHE:-/var/cache/postern}
export DEBIAN_FRONTEND=noninteractive

fail() {
    echo "packages.sh: $*" >&2
    exit 1
}

missing_of() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

# Once per run, and only when something is missing.
refresh_lists() {
    [ -n "${lists_are_fresh:-}" ] || apt-get -q -o Acquire::Retries=3 update
    lists_are_fresh=yes
}

policy=/usr/sbin/policy-rc.d
forbid_services() {
    [ -e "$policy" ] && return
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}
allow_services() {
    [ "$(trap -p EXIT)" ] || return 0
    rm -f "$policy"
    trap - EXIT
}

install_missing() {
    local missing
    mapfile -t missing < <(missing_of "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "packages.sh: installing ${missing[*]}"
    refresh_lists
    forbid_services
    apt-get -q -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"
    allow_services
}

unpack_cyrus() {
    [ -x "$cache/cyrus/usr/lib/cyrus/bin/imapd" ] && [ -x "$cache/cyrus/usr/sbin/saslpasswd2" ] && return
    echo "packages.sh: unpacking ${unpacked_packages[*]} to $cache/cyrus"
    refresh_lists
    local fresh="$cache/cyrus.new" archive
    rm -rf "$fresh"
    mkdir -p "$fresh/archives" "$fresh/tree"
    (cd "$fresh/archives" && apt-get -q -o Acquire::Retries=3 -o APT::Sandbox::User=root download "${unpacked_packages[@]}")
    for archive in "$fresh"/archives/*.deb; do
        dpkg-deb -x "$archive" "$fresh/tree"
    done
    rm -rf "$cache/cyrus"
    mv "$fresh/tree" "$cache/cyrus"
    rm -rf "$fresh"
}

[ "$(id -u)" = 0 ] || fail "must be run as root"
case ${1:-} in
    build)
        install_missing "${build_packages[@]}"
        ;;
    demo)
        install_missing "${build_packages[@]}" "${demo_packages[@]}"
        unpack_cyrus
        ;;
    test)
        install_missing "${build_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}"
        unpack_cyrus
        ;;
    bench)
        install_missing "${build_packages[@]}" "${bench_packages[@]}"
        ;;
    *)
        fail "usage: deploy/packages.sh build|demo|test|bench"
        ;;
esac
