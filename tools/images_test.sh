#!/usr/bin/env bash
# Builds the images, runs compose.yaml's `cpu` profile with real containers, recognizes a face through the published
# port, kills a model's container and sees the server recover. Needs no container engine's daemon and no image
# registry: podman runs the containers, and a base image that cannot be pulled is made by debootstrap.
#
# As root on Debian or Ubuntu, with:
#   apt-get install --no-install-recommends podman buildah runc netavark aardvark-dns iptables catatonit debootstrap
#
#   tools/images_test.sh VENV      VENV has the command `facewire` and scikit-image (.venv)
#
# Everything lies in a folder under $TMPDIR (12 GB for a while) and is gone at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(realpath "$1")/bin

for tool in podman buildah runc iptables catatonit debootstrap; do
  command -v "$tool" >/dev/null || { echo "images_test: needs $tool; the head of this script says how to install it" >&2; exit 2; }
done

scratch=$(mktemp --directory --tmpdir facewire-images-XXXXXX)
started=$SECONDS
say() { printf '\n== %4d s  %s\n' "$((SECONDS - started))" "$*"; }
fail() { echo "images_test: $*" >&2; exit 1; }

# An engine of its own, which neither sees nor touches what else is on this machine.
export CONTAINERS_STORAGE_CONF=$scratch/storage.conf CONTAINERS_CONF=$scratch/containers.conf
export DISABLE_HC_SYSTEMD=true # health is asked for here, not by a timer
cat >"$CONTAINERS_STORAGE_CONF" <<END
[storage]
driver = "vfs" # the one that needs nothing of the kernel
graphroot = "$scratch/store"
runroot = "$scratch/run"
END
cat >"$CONTAINERS_CONF" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"] # more than the host's may not be asked for
[engine]
runtime = "runc" # crun refuses hosts with hybrid control groups
cgroup_manager = "cgroupfs"
events_logger = "file"
helper_binaries_dir = ["/usr/lib/podman", "/usr/libexec/podman"]
init_path = "$(command -v catatonit)"
[network]
network_backend = "netavark"
network_config_dir = "$scratch/networks"
END

export FACEWIRE_MODELS=$scratch/models FACEWIRE_SECRETS=$scratch/secrets FACEWIRE_CPUS=1 FACEWIRE_PORT
FACEWIRE_PORT=$("$bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
overlay=()
compose() {
  "$scratch/compose/bin/podman-compose" --project-name facewire-test --profile cpu \
    --file compose.yaml --file tests/containers/compose.yaml "${overlay[@]}" "$@"
}
container() { podman ps --all --quiet --filter "label=com.docker.compose.service=$1"; }
facewire() { "$bin/facewire" --server "127.0.0.1:$FACEWIRE_PORT" "$@"; }
health() { podman exec "$(container server)" facewire-server health "${@:---ready}"; }

tear_down() {
  local status=$?
  if [ $status -ne 0 ]; then
    for each in $(podman ps --all --quiet); do podman logs --tail 20 "$each" >&2 || true; done
  fi
  say "tearing down"
  compose down --volumes --timeout 20 || true
  left=$(podman ps --all --quiet; podman volume ls --quiet)
  podman system reset --force >/dev/null 2>&1 || true
  rm -rf "$scratch"
  [ -z "$left" ] || { echo "images_test: left behind: $left" >&2; status=1; }
  [ $status -eq 0 ] && say "passed"
  exit $status
}
trap tear_down EXIT
python3 -m venv "$scratch/compose"
"$scratch/compose/bin/pip" install --quiet --disable-pip-version-check podman-compose==1.6.0

base=$(sed -n 's/^FROM \(debian:[^ ]*\).*/\1/p' Dockerfile.server)
say "base image $base"
if ! timeout 60 podman pull --quiet "$base" 2>/dev/null; then
  echo "it cannot be pulled; made by debootstrap, with this machine's certificates and settings of pip"
  debootstrap --variant=minbase bookworm "$scratch/base" >"$scratch/debootstrap.log" \
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
  buildah bud --quiet --format docker --isolation chroot --network host --tag "$@" . >"$scratch/build.log" 2>&1 \
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

say "what the server's image holds"
podman run --rm --network none --entrypoint /opt/facewire/bin/python facewire-server -c '
import importlib.util, os
for absent in ("tensorflow", "openvino_telemetry", "pip"):
    assert importlib.util.find_spec(absent) is None, absent
assert os.getuid() == 10001, os.getuid()
print("no tensorflow, no telemetry, no installer; uid", os.getuid())'

say "open to others without TLS it refuses to start"
podman run --rm --network none facewire-server 2>&1 | tee "$scratch/refusal" || true
grep -q insecure-listen "$scratch/refusal" || fail "it started"

say "alone, by its embedded engine, it serves with models mounted"
podman run --detach --name alone --network none --read-only --env FACEWIRE_LISTEN=127.0.0.1:50051 \
  --volume "$FACEWIRE_MODELS:/models:ro" facewire-server >/dev/null
await() { # SECONDS COMMAND...: until the command succeeds
  local until=$((SECONDS + $1)) begun=$SECONDS
  shift
  while ! "$@" >"$scratch/last" 2>&1; do
    [ $SECONDS -lt $until ] || { cat "$scratch/last" >&2; fail "not within the time: $*"; }
    sleep 0.2
  done
  cat "$scratch/last"
  echo "after $((SECONDS - begun)) s"
}
await 60 podman healthcheck run alone
podman exec alone facewire-server health --ready
podman rm --force --volumes alone >/dev/null

say "the server starts before any model is there"
compose up --detach --no-build server
process_only() {
  local states
  states=$(health) || true
  grep "^process SERVING" <<<"$states" && grep "^facewire.v1.RecognitionService NOT_SERVING" <<<"$states"
}
await 60 process_only
health --live
if podman healthcheck run "$(container server)"; then fail "compose calls it healthy, and it is not ready"; fi

say "its limits hold, and it plans for one processor"
podman inspect --format 'memory {{.HostConfig.Memory}}, processes {{.HostConfig.PidsLimit}}, log {{.HostConfig.LogConfig.Size}}' \
  "$(container server)" | tee "$scratch/limits"
grep -q "memory 2147483648, processes 1024, log 10" "$scratch/limits" || fail "these are not the limits of compose.yaml"
podman exec "$(container server)" python3 -c '
from facewire_server.host.processors import usable_processors
print(usable_processors())
assert usable_processors().quota == 1.0'

mkdir -p "$scratch/people/eileen"
"$bin/python" - "$scratch" <<'END'
import sys
from pathlib import Path

import cv2
from skimage import data

folder = Path(sys.argv[1])
picture = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)  # Eileen Collins, NASA, public domain
cv2.imwrite(str(folder / "people/eileen/1.jpg"), picture)
cv2.imwrite(str(folder / "people/eileen/2.jpg"), (picture * 0.8).astype("uint8"))
cv2.imwrite(str(folder / "probe.jpg"), cv2.resize(picture, None, fx=0.8, fy=0.8))
END
recognized() {
  facewire recognize --json "$scratch/probe.jpg" \
    | grep --only-matching '"outcome": "KNOWN", "identity_id": "eileen"'
}
unavailable() {
  local status=0
  facewire recognize --json "$scratch/probe.jpg" || status=$?
  [ $status -eq 3 ] # the CLI's "not ready: try again"
}
await 30 unavailable
born=$(podman inspect --format '{{.State.Pid}} {{.State.StartedAt}}' "$(container server)")

say "both models come"
compose up --detach --no-build
await 120 health
podman ps --format '{{.Names}}  {{.Image}}  {{.Ports}}'

say "a face is enrolled and recognized through the published port"
facewire enroll "$scratch/people"
recognized

for model in embedding-cpu mtcnn-cpu; do
  say "$model is killed"
  podman kill "$(container $model)" >/dev/null
  await 30 unavailable
  say "$model is started again"
  podman start "$(container $model)" >/dev/null
  await 120 health
  recognized
done

[ "$born" = "$(podman inspect --format '{{.State.Pid}} {{.State.StartedAt}}' "$(container server)")" ] \
  || fail "the server was restarted"
echo "the server is the process that it was: $born"

say "published to others, it takes TLS and a token as secrets"
compose down --timeout 20
mkdir "$FACEWIRE_SECRETS"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -out "$FACEWIRE_SECRETS/certificate.pem" -keyout "$FACEWIRE_SECRETS/key.pem" 2>/dev/null
echo first-0123456789 >"$FACEWIRE_SECRETS/token"
chown -R 10001:10001 "$FACEWIRE_SECRETS"
chmod -R u=rwX,go= "$FACEWIRE_SECRETS"
# podman-compose 1.6.0 puts no variables into a list that is marked `!override`, as Docker's does.
sed "s/\${FACEWIRE_PORT:-50051}/$FACEWIRE_PORT/" compose.public.yaml >"$scratch/public.yaml"
overlay=(--file "$scratch/public.yaml")
compose up --detach --no-build
await 120 health
podman port "$(container server)"
trusted() { FACEWIRE_TOKEN=$1 facewire --tls-ca "$FACEWIRE_SECRETS/certificate.pem" gallery list --json; }
refused() {
  local status=0
  trusted "$1" || status=$?
  [ $status -eq 4 ] # the CLI's "not allowed"
}
trusted first-0123456789
refused second-0123456789
echo second-0123456789 >"$FACEWIRE_SECRETS/token"
podman kill --signal HUP "$(container server)" >/dev/null
await 30 trusted second-0123456789
refused first-0123456789

say "it drains and ends when it is stopped"
server=$(container server)
podman stop --time 20 "$server" >/dev/null
podman logs "$server" 2>&1 | tail -12
[ "$(podman inspect --format '{{.State.ExitCode}}' "$server")" = 0 ] || fail "it did not end cleanly"
