"""Finding the file that prepare_chunk dies of: a chunk that died is cut smaller, till it is alone.

A file that died alone may have died by chance, so it is set aside after the second time. Where many
files would be, they are not at fault, and a person has to look.
"""

from collections.abc import Iterable, Mapping

from tidegate.batch.objects import LandedFile
from tidegate.batch.plan import BatchFolder, Death, OpenBatch, Plan
from tidegate.ledger.items import pieces
from tidegate.storage.listing import list_landed
from tidegate.storage.work_bucket import WorkBucket

MOST_SET_ASIDE = 5  # files of a batch
_PARTS = 8  # of a chunk: of 250 files one is alone after three times
_DEATHS_ALONE = 2


def read_deaths(work: WorkBucket, plan_key: str) -> list[Death]:
    """The chunks that died of the attempt with the plan at `plan_key`."""
    prefix = BatchFolder.deaths(plan_key)
    found = list_landed(work.s3, work.name, prefix=prefix)
    return [work.read(one.key, Death) for one in found]


def narrow(batch: OpenBatch, deaths: Iterable[Death]) -> OpenBatch:
    """The same files as before, with smaller chunks where some died, and what is set aside."""
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


def goes_on(plan: Plan, deaths: Iterable[Death]) -> bool:
    """Whether the next attempt is closer to the files that are at fault, and they are few."""
    before = OpenBatch(**{name: getattr(plan, name) for name in OpenBatch.model_fields})
    after = narrow(before, deaths)
    return after != before and len(after.set_aside) <= MOST_SET_ASIDE


def set_aside(batch: OpenBatch, by_hand: Mapping[str, str]) -> OpenBatch:
    """`batch` with those of its files set aside that a person named, by id with the reason."""
    named = {file.id for chunk in batch.chunks for file in chunk} & by_hand.keys()
    reasons = {id_: by_hand[id_] for id_ in sorted(named)}
    return batch.model_copy(update={"set_aside": batch.set_aside | reasons}) if named else batch


def _cut(chunk: list[LandedFile]) -> list[list[LandedFile]]:
    return list(pieces(chunk, -(-len(chunk) // _PARTS)))


def _reason(death: Death) -> str:
    told = f"{death.error}: {death.message}" if death.message else death.error
    return (
        f"prepare_chunk died of it alone, twice ({told}); split it, or give prepare_chunk more "
        "memory, and land it again"
    )
