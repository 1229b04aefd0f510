"""Finds the file that makes prepare_chunk die, by cutting a failed chunk until the file is alone.

One failure alone may be chance, so Tidegate sets the file aside after the second. If that would
happen to many files, the files are not at fault: the table blocks and a person has to look.
"""

from collections.abc import Iterable, Mapping

from tidegate.batch.objects import LandedFile
from tidegate.batch.plan import BatchFolder, Death, OpenBatch, Plan
from tidegate.ledger.items import pieces
from tidegate.storage.listing import list_landed
from tidegate.storage.work_bucket import WorkBucket

MOST_SET_ASIDE = 5  # files of a batch
_PARTS = 8  # a chunk of 250 files is cut down to one file in three rounds
_DEATHS_ALONE = 2


def read_deaths(work: WorkBucket, plan_key: str) -> list[Death]:
    """Read which chunks died in the attempt whose plan is at `plan_key`."""
    prefix = BatchFolder.deaths(plan_key)
    found = list_landed(work.s3, work.name, prefix=prefix)
    return [work.read(one.key, Death) for one in found]


def narrow(batch: OpenBatch, deaths: Iterable[Death]) -> OpenBatch:
    """Return `batch` with the chunks that died cut smaller, and the files at fault set aside."""
    by_chunk = {death.chunk: death for death in deaths}
    chunks: list[list[LandedFile]] = []
    alone, set_aside = dict(batch.died_alone), dict(batch.set_aside)
    for number, chunk in enumerate(batch.chunks):
        death = by_chunk.get(number)
        read = [file for file in chunk if file.id not in set_aside]
        chunks += _cut(chunk) if death and len(read) > 1 else [chunk]
        if death and len(read) == 1:
            [file] = read
            alone[file.id] = alone.get(file.id, 0) + 1
            if alone[file.id] >= _DEATHS_ALONE:
                set_aside[file.id] = _reason(death)
    changed = {"chunks": chunks, "died_alone": alone, "set_aside": set_aside}
    return batch.model_copy(update=changed)


def can_narrow(plan: Plan, deaths: Iterable[Death]) -> bool:
    """Tell whether the next attempt comes closer to the files at fault, and these are few."""
    before = OpenBatch(**{name: getattr(plan, name) for name in OpenBatch.model_fields})
    after = narrow(before, deaths)
    return after != before and len(after.set_aside) <= MOST_SET_ASIDE


def set_aside(batch: OpenBatch, by_hand: Mapping[str, str]) -> OpenBatch:
    """Return `batch` with the files set aside that a person named; `by_hand` is id to reason."""
    named = {file.id for chunk in batch.chunks for file in chunk} & by_hand.keys()
    reasons = {id_: by_hand[id_] for id_ in sorted(named)}
    return batch.model_copy(update={"set_aside": batch.set_aside | reasons}) if named else batch


def _cut(chunk: list[LandedFile]) -> list[list[LandedFile]]:
    return list(pieces(chunk, -(-len(chunk) // _PARTS)))


def _reason(death: Death) -> str:
    error = f"{death.error}: {death.message}" if death.message else death.error
    return (
        f"prepare_chunk died twice on this file alone ({error}); split it, or give prepare_chunk "
        "more memory, and land it again"
    )
