#!/usr/bin/env bash
# Builds the images, runs compose.yaml's `cpu` profile with real containers and shows what docs/containers.md promises of
# them: tests/containers/run.sh lists it. Needs no container engine's daemon and no image registry: podman runs the
# containers, and a base image that cannot be pulled is made by debootstrap.
#
# As root on Debian or Ubuntu, with:
#   apt-get install --no-install-recommends podman buildah runc netavark aardvark-dns iptables catatonit debootstrap
#
#   tools/images_test.sh VENV      VENV has the command `facewire` and scikit-image (.venv)
#
# All of it happens in network, mount and process namespaces of its own, which end with it, and in a folder under $TMPDIR
# (12 GB for a while). It fails if this machine has another firewall rule, interface, mount or control group than before.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(realpath "$1")/bin

for tool in podman buildah runc iptables-save catatonit debootstrap unshare nsenter ip; do
  command -v "$tool" >/dev/null || { echo "images_test: needs $tool; the head of this script says how to install it" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "images_test: must be run as root" >&2; exit 2; }

traces() { # what an engine could leave on this machine, a line each
  { iptables-save; ip6tables-save; } 2>/dev/null | grep -v '^#' | sed 's/ *\[[0-9:]*\]//; s/^/rule: /'
  if command -v nft >/dev/null; then nft --stateless list ruleset | sed 's/^/nft: /'; fi
  find /sys/class/net -mindepth 1 -printf 'interface: %f\n'
  awk '{ print "mount: " $5 }' /proc/self/mountinfo
  find /sys/fs/cgroup -type d -path '*libpod*' -printf 'control group: %p\n'
  find /run/netns /run/libpod /run/runc /run/containers /var/lib/containers /var/tmp /dev/shm -maxdepth 2 \
    \( -path '*netns*' -o -path '*libpod*' -o -path '*runc*' -o -path '*container*' -o -path '*buildah*' \) -printf 'file: %p\n' 2>/dev/null
  echo "forwarding: $(cat /proc/sys/net/ipv4/ip_forward)"
}

scratch=$(mktemp --directory --tmpdir facewire-images-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
traces | LC_ALL=C sort >"$scratch/before"
status=0
# The ninth file is this machine's network, which the builds need.
unshare --net --mount --pid --mount-proc --fork --kill-child \
  tests/containers/run.sh "$bin" "$scratch" 9</proc/self/ns/net || status=$?
traces | LC_ALL=C sort >"$scratch/after"
if ! diff "$scratch/before" "$scratch/after" >"$scratch/left"; then
  echo "images_test: left behind (>) or lost (<):" >&2
  grep '^[<>]' "$scratch/left" >&2
  status=1
fi
[ $status -eq 0 ] && echo "nothing is left behind: the same $(wc -l <"$scratch/before") rules, interfaces, mounts and groups as before"
exit $status
