#!/usr/bin/env bash
# Writes beside each pinned package the hashes of its files, so that pip installs what was pinned and nothing else.
# Run it after a version was changed; uv, which asks the package index for them, is installed for the moment only.
# A new package, or one that is gone, is added or removed by hand: as NAME==VERSION, a line each.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
for file in requirements/*.txt serving/requirements*.txt; do
  sed -n '/^#/p' "$file" >"$scratch/head"
  sed -nE 's/^([A-Za-z0-9._-]+==[^ ]+).*/\1/p' "$file" >"$scratch/pins.txt"
  # No dependency is added: what a file leaves out stays out.
  "$scratch/venv/bin/uv" pip compile --quiet --no-deps --generate-hashes --no-header --no-annotate \
    --system-certs "$scratch/pins.txt" --output-file "$scratch/hashed"
  cat "$scratch/head" "$scratch/hashed" >"$file"
done
