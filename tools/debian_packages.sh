#!/usr/bin/env bash
# Installs the packages of requirements/debian.list that are missing, if this is Debian and root runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=$(sed '/^#/d' requirements/debian.list)
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $packages >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  { apt-get -qq update && apt-get -qq install --no-install-recommends $packages; } >/dev/null 2>&1 ||
    echo "The packages of requirements/debian.list could not be installed."
fi
