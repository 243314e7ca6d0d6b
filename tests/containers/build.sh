# Builds the images in the engine of engine.sh, as the head of each Dockerfile says. run.sh sources it.

python3 -m venv "$scratch/compose"
outside "$scratch/compose/bin/pip" install --quiet --disable-pip-version-check podman-compose==1.6.0

base=$(sed -n 's/^FROM \(debian:[^ ]*\).*/\1/p' Dockerfile.server)
say "base image $base"
if ! outside timeout 60 podman pull --quiet "$base" 2>/dev/null; then
  echo "it cannot be pulled; made by debootstrap, with this machine's certificates and settings of pip"
  outside debootstrap --variant=minbase bookworm "$scratch/base" >"$scratch/debootstrap.log" \
    || { tail -5 "$scratch/debootstrap.log" >&2; fail "debootstrap failed"; }
  rm -rf "$scratch"/base/var/cache/apt/archives/*.deb "$scratch"/base/var/lib/apt/lists/*
  mkdir -p "$scratch/base/etc/ssl/certs" "$scratch/base/usr/local/share/ca-certificates"
  cp /etc/ssl/certs/ca-certificates.crt "$scratch/base/etc/ssl/certs/"
  find /usr/local/share/ca-certificates -name '*.crt' \
    -exec cp {} "$scratch/base/usr/local/share/ca-certificates/" \;
  if [ -e /etc/pip.conf ]; then cp /etc/pip.conf "$scratch/base/etc/"; fi
  made=$(buildah from scratch)
  buildah add --quiet "$made" "$scratch/base" / >/dev/null
  buildah commit --quiet "$made" "$base" >/dev/null
  buildah rm "$made" >/dev/null
  rm -rf "$scratch/base"
fi

build() { # docker format: OCI's knows no health check
  say "building $1"
  outside buildah bud --quiet --format docker --isolation chroot --network host --tag "$@" . >"$scratch/build.log" 2>&1 \
    || { tail -30 "$scratch/build.log" >&2; fail "cannot build $1"; }
  podman image inspect --format '{{.Size}} bytes, user {{.User}}' "$1"
}
build facewire-models --file Dockerfile.serving-gpu --target models
made=$(buildah from facewire-models)
cp -r "$(buildah mount "$made")/models" "$FACEWIRE_MODELS"
buildah rm "$made" >/dev/null
podman rmi --force facewire-models >/dev/null
find "$FACEWIRE_MODELS" -type f -printf '%P %s\n'
build facewire-server --file Dockerfile.server
build facewire-serving-local --file serving/Dockerfile.local
build facewire-console --file Dockerfile.console
