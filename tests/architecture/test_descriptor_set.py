"""The descriptor set is the whole contract, with what the details of errors need."""

import subprocess
import sys
from pathlib import Path

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from facewire.v1 import gallery_pb2, recognition_pb2
from tools.descriptor_set import descriptor_set


def test_it_can_be_loaded_in_order_by_a_program_that_knows_nothing() -> None:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_set().file:
        pool.Add(file)
    for module in (recognition_pb2, gallery_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            known = pool.FindServiceByName(service.full_name)
            assert set(known.methods_by_name) == set(service.methods_by_name)
    for detail in ("Status", "ErrorInfo", "BadRequest", "RetryInfo"):
        assert pool.FindMessageTypeByName(f"google.rpc.{detail}")


def test_the_command_writes_it(repository: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "facewire.binpb"
    subprocess.run(
        [sys.executable, "tools/descriptor_set.py", path],
        cwd=repository,
        env={"PYTHONPATH": "server:clients/python"},
        check=True,
    )
    assert FileDescriptorSet.FromString(path.read_bytes()) == descriptor_set()
