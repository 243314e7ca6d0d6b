#!/usr/bin/env bash
# Generates every stub of the repository: generate_stubs.sh PYTHON INTO
#
# The generator is older than the runtime on purpose: code from grpcio-tools 1.74 runs on
# protobuf >= 6.31 and grpcio >= 1.74, so users are not forced to the newest.
set -euo pipefail
python=$1 into=$2
protoc() { "$python" -m grpc_tools.protoc "$@"; }

mkdir -p "$into/clients/python" "$into/server"
protoc -I protos --python_out="$into/clients/python" --pyi_out="$into/clients/python" \
  protos/facewire/v1/{face,recognition,gallery}.proto
protoc -I protos --grpc_python_out="$into/clients/python" \
  protos/facewire/v1/{recognition,gallery}.proto
# The records of gallery, journal and unknown people: how they lie on disk, not what travels.
protoc -I server --python_out="$into/server" --pyi_out="$into/server" \
  server/facewire_server/backends/{lmdb_gallery,lmdb_journal,unknown_files}/records.proto
