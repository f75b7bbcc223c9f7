#!/bin/sh
# Looks for the Chromium that the tests open pages in, and installs Debian's where that is possible: sh locks/chromium.sh
# Without one the other tests run all the same, and the run says at its end what to type.
set -eu
command -v "${HEED_CHROMIUM:-chromium}" >/dev/null && exit 0
[ -z "${HEED_CHROMIUM:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0

echo "Installing Chromium for the tests of the pages (once)"
if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core; then
    exit 0
fi
echo "heed: Chromium could not be installed; the other tests run all the same." >&2
