#!/usr/bin/env bash
# Holds the contract to its rules: check_protos.sh BIN (the folder of buf and python)
set -euo pipefail
bin=$1

"$bin/buf" lint
"$bin/buf" format --diff --exit-code
"$bin/buf" breaking --against protos/released.binpb

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
tools/generate_stubs.sh "$bin/python" "$fresh"
while read -r stub; do
  cmp --silent "$fresh/$stub" "$stub" || { echo "$stub is out of date: run make protos" >&2; exit 1; }
done < <(cd "$fresh" && find . -name '*_pb2*' -type f)
echo "protos: lint clean, compatible with the released contract, stubs current"
