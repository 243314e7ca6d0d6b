#!/usr/bin/env bash
# Measures the seconds from an empty folder to the first name, stage by stage:
#
#   tools/first_name.sh [REPOSITORY...]      several are measured one after the other, to compare them
#
# Each REPOSITORY (a folder or an address that git clones; by default this one) is cloned, and what the README says is
# done in the clone. Needed besides: 4 GB of disk. pip's cache and the cache of the weights are used as they are.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
[[ $# -gt 0 ]] || set -- "$here"
folder=$(mktemp -d)
server=
stop_server() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null && wait "$server" || true; fi
  server=
}
trap 'stop_server; rm -rf "$folder"' EXIT

seconds() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.1f", to - from }'; }
stage() { # NAME: prints the seconds since the last stage
  local now=$EPOCHREALTIME
  printf '%8s s  %s\n' "$(seconds "$last" "$now")" "$1"
  last=$now
}

picture() { # the public-domain picture of scikit-image, before the clock runs
  python3 -m venv "$folder/pip"
  "$folder/pip/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$folder" scikit-image==0.26.0
  "$folder/pip/bin/python" -m zipfile --extract "$folder"/scikit_image-*.whl "$folder/wheel"
  echo "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5  $folder/wheel/skimage/data/astronaut.png" \
    | sha256sum --check --quiet
  mkdir -p "$folder/people/eileen"
  cp "$folder/wheel/skimage/data/astronaut.png" "$folder/people/eileen/1.png"
}

measure() { # REPOSITORY
  local clone=$folder/facewire begun=$EPOCHREALTIME ready line
  last=$begun
  git clone --quiet "$1" "$clone"
  cd "$clone"
  stage clone
  make --silent .venv/.done
  stage "environment of the server"
  if [[ $(make --dry-run models 2>/dev/null) == *"venv .venv-models"* ]]; then # of older checkouts
    make --silent .venv-models/.done
    stage "environment of the exporter (TensorFlow)"
  fi
  make --silent models 2>/dev/null
  stage models
  ready=$folder/ready
  mkfifo "$ready"
  .venv/bin/facewire-server run --listen 127.0.0.1:0 >"$ready" 2>"$folder/log" &
  server=$!
  exec 3<"$ready" # the only reader: the end of the server is the end of the file
  read -r line <&3 || { cat "$folder/log" >&2; echo "first_name: the server has not started" >&2; exit 1; }
  export FACEWIRE_SERVER=${line##* }
  stage "start of the server"
  .venv/bin/facewire enroll "$folder/people" >/dev/null 2>&1
  stage enroll
  .venv/bin/facewire recognize --json "$folder/people/eileen/1.png" >"$folder/result.json"
  stage recognize
  grep --quiet '"display_name": "eileen"' "$folder/result.json"
  printf '%8s s  from an empty folder to the first name; %s in the clone\n' \
    "$(seconds "$begun" "$EPOCHREALTIME")" "$(du --summarize --human-readable . | cut -f1)"
  exec 3<&-
  stop_server
  cd "$here"
  rm -rf "$clone" "$ready"
}

weights=$HOME/.cache/facewire/weights
echo "weights in the cache: $(find "$weights" -name '*.onnx' 2>/dev/null | wc -l); load: $(cut -d' ' -f1-3 /proc/loadavg)"
picture
for repository in "$@"; do
  echo "$repository"
  measure "$repository"
done
