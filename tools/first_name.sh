#!/usr/bin/env bash
# From nothing to the first name: clones the repository into an empty folder, does what the README says, and
# tells what the time was spent on: first_name.sh [REPOSITORY]
#
# The picture is one that a package of the tests carries, so nothing else is needed. Weights and
# packages are downloaded anew unless pip's cache and ~/.cache/facewire have them, which is said.
set -euo pipefail
repository=$(cd "${1:-$(dirname "$0")/..}" && pwd)
folder=$(mktemp -d)
server=
finish() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null && wait "$server" || true; fi
  rm -rf "$folder"
}
trap finish EXIT

begun=$EPOCHREALTIME last=$EPOCHREALTIME
seconds() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.1f", to - from }'; }
spent() {
  local now=$EPOCHREALTIME
  printf '%8s s  %s\n' "$(seconds "$last" "$now")" "$1"
  last=$now
}

weights=$HOME/.cache/facewire/weights
echo "weights in the cache: $([[ -d $weights ]] && ls "$weights" | wc -l || echo none)"

git clone --quiet "$repository" "$folder/facewire"
cd "$folder/facewire"
spent "clone"
make --silent setup
spent "set-up of server, SDK and tools"
make --silent .venv-models/.done
spent "set-up of the exporter (TensorFlow)"
make --silent models
spent "models"

mkdir -p people/eileen
.venv/bin/python - <<'PYTHON'
import cv2
from skimage import data

picture = data.astronaut()[..., ::-1]
cv2.imwrite("people/eileen/1.jpg", picture)
cv2.imwrite("party.jpg", cv2.flip(picture, 1))
PYTHON
spent "(two pictures)"

mkfifo ready
.venv/bin/facewire-server run --listen 127.0.0.1:0 > ready &
server=$!
exec 3< ready # reading alone: so the end of the server is the end of the file
read -r line <&3 || { echo "first_name: the server has not started; it says why above" >&2; exit 1; }
export FACEWIRE_SERVER=${line##* }
spent "start of the server"
.venv/bin/facewire enroll people/
spent "enroll"
.venv/bin/facewire recognize --json party.jpg > answer.json
spent "recognize"
grep --quiet '"display_name": "eileen"' answer.json
printf '%8s s  from nothing to the first name\n' "$(seconds "$begun" "$EPOCHREALTIME")"
