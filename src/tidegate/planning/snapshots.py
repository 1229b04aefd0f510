"""Finds the newest snapshot of a table in the landing bucket."""

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
_UPLOADED_AT_ONCE = 600  # seconds; a parallel copy of a load may shuffle its files by that much
_LONGEST_PAUSE = 6 * 3600  # seconds between two files of a load


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Finds snapshots: the full-load files of the landing bucket."""

    s3: "S3Client"
    landing_bucket: str

    def newest(self, contract: Contract, prefix: str | None = None) -> list[LandedFile]:
        """Return the files of the newest snapshot under `prefix`, in source order.

        The default for `prefix` is that of the contract.

        Raises:
            RefreshRefusedError: there is no snapshot; or there is no `prefix`, and the files landed
                at several times, so they may be of several snapshots.
        """
        under = prefix or contract.source.prefix
        files = [place(landed, contract.route) for landed in self._list(under)]
        found = _newest(contract, [file for file in files if file.kind == SNAPSHOT])
        if not found:
            raise RefreshRefusedError(
                f"{contract.table}: no file under {under!r} has a name like "
                f"{_names(contract)}; land a snapshot, or correct snapshot_prefix"
            )
        pause = None if prefix else longest_pause(found)
        if pause:
            before, after = pause
            raise RefreshRefusedError(
                f"{contract.table}: the files named like {_names(contract)} under {under!r} did "
                f"not land at one time ({before.key!r} at {_time(before)}, the next one, "
                f"{after.key!r}, at {_time(after)}); set snapshot_prefix to a folder that holds "
                "only the snapshot, or remove the files that are not part of it"
            )
        return found

    def last_landed_at(self, contract: Contract) -> int:
        """Return when the contract's last file landed, in seconds since 1970."""
        return max(landed.landed_at for landed in self._list(contract.source.prefix))

    def _list(self, under: str) -> Iterator[LandedObject]:
        listed = list_landed(self.s3, self.landing_bucket, prefix=under)
        return (landed for landed in listed if is_data(landed.key))


def _names(contract: Contract) -> str:
    return " or ".join(map(repr, contract.source.snapshot))


def _newest(contract: Contract, files: list[LandedFile]) -> list[LandedFile]:
    if contract.write == "replace":
        # In this mode each file is a whole snapshot.
        return sorted(files, key=lambda file: file.order)[-1:]
    return newest_load(files)


def newest_load(files: Iterable[LandedFile]) -> list[LandedFile]:
    """Return `files` without those left over from an earlier load, in source order.

    A load overwrites the files of the load before by name. If it has fewer files, the last files
    of the earlier load stay. They are older than the first file of their series.
    """
    series: dict[tuple[str, str], list[LandedFile]] = defaultdict(list)
    for file in sorted(files, key=lambda file: file.key):
        folder, _, name = file.key.rpartition("/")
        series[folder, _COUNTER.split(name)[0]].append(file)
    newest = [file for some in series.values() for file in some if _not_before(some[0], file)]
    return sorted(newest, key=lambda file: file.order)


def longest_pause(files: Iterable[LandedFile]) -> tuple[LandedFile, LandedFile] | None:
    """Return the files around the longest pause, or None if one load may pause so long."""
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
