"""LMDB and the fake, given the same calls in any order, return the same values."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, blocks, memory
from facewire_server.errors import ServerError
from facewire_server.galleries.records import EnrollmentResult, IdentityInfo, NewIdentity
from facewire_server.galleries.refusal import Refusal
from facewire_server.types import Quality
from fakes.gallery import Gallery, MemoryGallery

DIMENSION = 128
CONTRACT = "c" * 64

_POOL = np.random.default_rng(0).standard_normal((6, DIMENSION)).astype(np.float32)
_POOL /= np.linalg.norm(_POOL, axis=1, keepdims=True)

galleries = st.sampled_from(["default", "default", "default", "a", "a.b"])
identities = st.sampled_from(["ann", "bob", "Bo", "b", "é", "\U00010000"])
template_numbers = st.integers(0, 15)
vectors = st.integers(0, len(_POOL) - 1)  # few: equal similarities are common
pictures = st.lists(st.tuples(template_numbers, vectors) | st.none(), max_size=6)
request_ids = st.sampled_from(["", "", "r", "s", "t", "u"])
limits = st.integers(1, 4)


def _id(number: int) -> str:
    return f"{number:032x}"


def _enroll(gallery, name, identity, create, shots, request_id, fingerprint):
    results = [
        EnrollmentResult(_id(shot[0]), quality=Quality(64.0, 1.0, 2.0), detection_score=0.5)
        if shot
        else EnrollmentResult("", refusal=Refusal.NO_FACE)
        for shot in shots
    ]
    chosen = [shot[1] for shot in shots if shot]
    return gallery.enroll(
        name,
        NewIdentity(identity, create=create),
        results,
        _POOL[chosen],
        request_id=request_id,
        fingerprint=fingerprint,
    )


async def _copy(gallery, name, other):
    _, copied = await _export(gallery, name)

    async def records():
        for record in copied:
            yield record

    return await gallery.import_records(other, CONTRACT, records())


async def _delete_identity(gallery, name, identity):
    return (await gallery.delete_identity(name, identity))[:2]


async def _merge(gallery, name, identity, merged):
    return (await gallery.merge_identities(name, identity, merged))[:3]


async def _split(gallery, name, identity, templates, new):
    ids = [_id(one) for one in templates]
    return (await gallery.split_identity(name, identity, ids, new, ""))[:3]


async def _delete_template(gallery, name, template):
    _, revision = await gallery.delete_template(name, _id(template))  # each has numbers of its own
    return revision


async def _export(gallery, name):
    async with gallery.export_records(name) as (info, records):
        return info, [record async for record in records]


CALLS = st.one_of(
    st.tuples(
        st.just(_enroll),
        galleries,
        identities,
        st.sampled_from([True, True, True, False]),
        pictures,
        request_ids,
        st.sampled_from([b"", b"", b"f"]),
    ),
    st.tuples(st.just(lambda g, n, p, k: g.search(n, _POOL[p], k)), galleries, st.lists(vectors, max_size=3), limits),
    st.tuples(st.just(_delete_template), galleries, template_numbers),
    st.tuples(st.just(_delete_identity), galleries, identities),
    st.tuples(st.just(_merge), galleries, identities, identities),
    st.tuples(
        st.just(_split),
        galleries,
        identities,
        st.lists(template_numbers, min_size=1, max_size=3),
        identities,
    ),
    st.tuples(st.just(lambda g, n, i: g.create_identity(n, i, "x")), galleries, identities),
    st.tuples(st.just(lambda g, n, i: g.update_identity(n, i, "y")), galleries, identities),
    st.tuples(st.just(lambda g, n, i: g.get_identity(n, i)), galleries, identities),
    st.tuples(st.just(lambda g, n, i, k: g.list_identities(n, i, k)), galleries, identities, limits),
    st.tuples(
        st.just(lambda g, n, i, t, k: g.list_templates(n, i, t, k)),
        galleries,
        identities,
        st.just("") | template_numbers.map(_id),
        limits,
    ),
    st.tuples(st.just(lambda g, n, r: g.remembered_enrollment(n, r, b"")), galleries, request_ids),
    st.tuples(st.just(lambda g, n: g.create_gallery(n, "")), galleries),
    st.tuples(st.just(lambda g, n: g.delete_gallery(n)), galleries),
    st.tuples(st.just(lambda g, n, k: g.list_galleries(n, k)), galleries | st.just(""), limits),
    st.tuples(st.just(_copy), galleries, galleries),
    st.tuples(st.just(_export), galleries),
)  # fmt: skip


async def _outcome(gallery: Gallery, call: Callable, *arguments):
    try:
        return _timeless(await call(gallery, *arguments))
    except ServerError as error:
        return type(error), getattr(error, "field", "")


def _timeless(value):
    """The same without what two stores need not share, times and what lies in files, and with arrays as bytes."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [_timeless(one) for one in value]
    if is_dataclass(value):
        return [
            _timeless(getattr(value, one.name))
            for one in fields(value)
            if one.compare and one.name != "created_at_us"
        ]
    return value


async def _state(gallery: Gallery):
    statistics = await gallery.statistics()
    names = [one.gallery_id for one in statistics.galleries]
    return (
        statistics.galleries,
        [_timeless(await _export(gallery, name)) for name in names],
        [_timeless(await gallery.search(name, _POOL, 3)) for name in names],
    )


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(calls=st.lists(CALLS, min_size=5, max_size=40))
def test_both_return_the_same_and_hold_the_same(calls):
    with (
        patch.object(blocks, "BLOCK_PAGES", 1),  # 7 rows: removals move rows between blocks
        patch.object(memory, "ENROLLMENTS_KEPT", 2),
        tempfile.TemporaryDirectory() as folder,
    ):
        asyncio.run(_compare(calls, Path(folder)))


async def _compare(calls, folder: Path) -> None:
    fake = MemoryGallery(model_contract_id=CONTRACT, dimension=DIMENSION)
    real = LmdbGallery(
        folder, vector_search=ExactSearch(), model_contract_id=CONTRACT, dimension=DIMENSION
    )
    with closing(real):
        for call, *arguments in calls:
            assert await _outcome(real, call, *arguments) == await _outcome(fake, call, *arguments)
        assert await _state(real) == await _state(fake)


def test_the_comparison_would_notice_a_difference():
    info = IdentityInfo("ann", "Ann", 1, 5)
    assert _timeless(info) == _timeless(replace(info, created_at_us=6))
    assert _timeless([info]) != _timeless([replace(info, template_count=2)])
