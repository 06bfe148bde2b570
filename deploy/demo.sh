#!/usr/bin/env bash
# Shows Postern at work on a bare Debian 12: installs what it needs, builds, starts two Dovecot stores and one
# Cyrus store with a few users and messages, and Postern before them; logs in; shows what happened. Everything
# listens on loopback. It stays up until Ctrl-C and then removes all but the packages and the build.
#
#   deploy/demo.sh                          IMAP on 993, POP3 on 995
#   deploy/demo.sh --imaps 1993 --pop3s 1995
#   deploy/demo.sh --once                   ends after it has shown everything
#
# Run as root. POSTERN_BINARY names a program that is already built.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

case " $* " in *" -h "* | *" --help "*)
    sed -n '2,/^set /{/^#/!d; s/^# \{0,1\}//; p}' "${BASH_SOURCE[0]}"
    exit ;;
esac

quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || status=$?
    [ "$status" = 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

if [ -z "${POSTERN_BINARY:-}" ]; then
    echo "Installing packages ..."
    quietly "$top/deploy/packages.sh" demo
    echo "Building (some minutes the first time) ..."
    cd "$top"
    quietly cmake --preset release
    quietly cmake --build --preset release --target postern
    export POSTERN_BINARY="$top/build/release/postern"
fi
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$top/deploy/demo.py" "$@"
