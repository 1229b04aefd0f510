"""Finding the newest snapshot of a table among what lies in the landing bucket."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from tidegate.batch.objects import LandedFile, LandedObject
from tidegate.contract import Contract
from tidegate.errors import RefreshRefusedError
from tidegate.landing.routing import is_data, place
from tidegate.position import SNAPSHOT
from tidegate.storage.listing import list_landed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# LOAD00000001.csv, SEGMENT1_LOAD0000000A.csv.gz: the counter is hexadecimal.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
_COUNTER = re.compile(r"[0-9A-F]{8}(?=\.|$)")
_UPLOADED_AT_ONCE = 600  # seconds by which a copy of a load may change the order of its files
_LONGEST_PAUSE = 6 * 3600  # seconds between two files of a load


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The full-load files of the landing bucket."""

    s3: "S3Client"
    landing_bucket: str

    def newest(self, contract: Contract, prefix: str | None = None) -> list[LandedFile]:
        """The files of the newest snapshot under `prefix`, by default the contract's, in order.

        Raises:
            RefreshRefusedError: there is none, or nobody said which, and files of several times may
                all belong to it.
        """
        under = prefix or contract.source.prefix
        files = [place(landed, contract.route) for landed in self._list(under)]
        found = _newest(contract, [file for file in files if file.kind == SNAPSHOT])
        if not found:
            raise RefreshRefusedError(
                f"{contract.table}: nothing under {under!r} is named like "
                f"{_names(contract)}; land a snapshot, or correct snapshot_prefix"
            )
        pause = None if prefix else longest_pause(found)
        if pause:
            before, after = pause
            raise RefreshRefusedError(
                f"{contract.table}: what is named like {_names(contract)} under "
                f"{under!r} did not land at one time ({before.key!r} at {_time(before)}, the next "
                f"one, {after.key!r}, at {_time(after)}): say by snapshot_prefix under which all "
                "is of the snapshot, or remove what is not of it"
            )
        return found

    def last_landed_at(self, contract: Contract) -> int:
        """When the last of the contract's files landed, in seconds since 1970."""
        return max(landed.landed_at for landed in self._list(contract.source.prefix))

    def _list(self, under: str) -> Iterator[LandedObject]:
        listed = list_landed(self.s3, self.landing_bucket, prefix=under)
        return (landed for landed in listed if is_data(landed.key))


def _names(contract: Contract) -> str:
    return " or ".join(map(repr, contract.source.snapshot))


def _newest(contract: Contract, files: list[LandedFile]) -> list[LandedFile]:
    if contract.write == "replace":
        # Each file is a snapshot of its own.
        return sorted(files, key=lambda file: file.order)[-1:]
    return newest_load(files)


def newest_load(files: Iterable[LandedFile]) -> list[LandedFile]:
    """Those of `files` that are not left over from a load before the last, in source order.

    A load overwrites the files of the one before it by name; if it is shorter, the last ones of
    the longer one stay. Those were written before the first file of their series was.
    """
    series: dict[tuple[str, str], list[LandedFile]] = defaultdict(list)
    for file in sorted(files, key=lambda file: file.key):
        folder, _, name = file.key.rpartition("/")
        series[folder, _COUNTER.split(name)[0]].append(file)
    newest = [file for some in series.values() for file in some if _not_before(some[0], file)]
    return sorted(newest, key=lambda file: file.order)


def longest_pause(files: Iterable[LandedFile]) -> tuple[LandedFile, LandedFile] | None:
    """The files before and after the longest time without any, if that is too long for one load."""
    by_time = sorted(files, key=lambda file: file.landed_at)
    pauses = list(pairwise(by_time))
    before, after = max(pauses, key=_pause, default=(by_time[0], by_time[0]))
    return (before, after) if _pause((before, after)) > _LONGEST_PAUSE else None


def _pause(pair: tuple[LandedFile, LandedFile]) -> int:
    return pair[1].landed_at - pair[0].landed_at


def _not_before(first: LandedFile, file: LandedFile) -> bool:
    return file.landed_at >= first.landed_at - _UPLOADED_AT_ONCE


def _time(file: LandedFile) -> str:
    return f"{datetime.fromtimestamp(file.landed_at, UTC):%Y-%m-%d %H:%M} UTC"
