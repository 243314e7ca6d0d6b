# A container engine of its own, which neither sees nor touches what else is on this machine, and words for the steps of
# run.sh, which sources this file in namespaces of its own. Sets nothing up that outlives them but files in $scratch.

started=$SECONDS
say() { printf '\n== %4d s  %s\n' "$((SECONDS - started))" "$*"; }
fail() { echo "images_test: $*" >&2; exit 1; }
outside() { nsenter --net=/proc/self/fd/9 "$@"; } # in this machine's network
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
refused() { # STATUS TEXT COMMAND...: the command ends with that status and says that
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >"$scratch/refusal" 2>&1 || status=$?
  cat "$scratch/refusal"
  [ $status -eq "$wanted" ] || fail "status $status, not $wanted: $*"
  grep --quiet --regexp "$text" "$scratch/refusal" || fail "it did not say '$text': $*"
}

ip link set lo up
own_folders=()
for folder in /var/lib/containers /run/containers /run/libpod /run/netns; do # what no setting moves goes to $scratch, too
  [ -d $folder ] || { mkdir $folder; own_folders+=($folder); }
  mkdir -p "$scratch/moved$folder"
  mount --bind "$scratch/moved$folder" $folder
done
export CONTAINERS_STORAGE_CONF=$scratch/storage.conf CONTAINERS_CONF=$scratch/containers.conf TMPDIR=$scratch
export DISABLE_HC_SYSTEMD=true # health is asked for here, not by a timer
cat >"$CONTAINERS_STORAGE_CONF" <<TOML
[storage]
driver = "vfs" # the one that needs nothing of the kernel
graphroot = "$scratch/store"
runroot = "$scratch/run"
TOML
cat >"$CONTAINERS_CONF" <<TOML
[containers]
default_ulimits = ["nofile=512:1024", "nproc=1024:1024"] # more than the host's may not be asked for
[engine]
runtime = "runc" # crun refuses hosts with hybrid control groups
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "$scratch/engine"
helper_binaries_dir = ["/usr/lib/podman", "/usr/libexec/podman"]
init_path = "$(command -v catatonit)"
[network]
network_backend = "netavark"
network_config_dir = "$scratch/networks"
TOML

export FACEWIRE_MODELS=$scratch/models FACEWIRE_SECRETS=$scratch/secrets FACEWIRE_CPUS=1 FACEWIRE_PORT=50051
overlay=()
compose() {
  "$scratch/compose/bin/podman-compose" --project-name facewire-test --profile cpu \
    --file compose.yaml --file tests/containers/compose.yaml "${overlay[@]}" "$@"
}
container() { podman ps --all --quiet --filter "label=com.docker.compose.service=$1"; }
facewire() { "$bin/facewire" --server "127.0.0.1:$FACEWIRE_PORT" "$@"; }
health() { podman exec "$(container server)" facewire-server health "${@:---ready}"; }

engine_groups() { find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*'; } # of containers, and the parent that the engine leaves
before=$(engine_groups)
tear_down() {
  local status=$?
  if [ $status -ne 0 ]; then
    for each in $(podman ps --all --quiet); do podman logs --tail 20 "$each" >&2 || true; done
  fi
  say "tearing down"
  [ -z "${camera:-}" ] || kill "$camera" 2>/dev/null || true
  compose down --volumes || true
  left=$(podman ps --all --quiet; podman volume ls --quiet)
  podman system reset --force >/dev/null 2>&1 || true
  engine_groups | grep --invert-match --line-regexp --fixed-strings "$before" | xargs --no-run-if-empty rmdir || true
  for folder in "${own_folders[@]}"; do umount --recursive $folder && rmdir $folder; done
  [ -z "$left" ] || { echo "images_test: left behind: $left" >&2; status=1; }
  [ $status -eq 0 ] && say "passed"
  exit $status
}
trap tear_down EXIT
trap 'exit 130' INT TERM
