"""Finding the newest snapshot of a table among what lies in the landing bucket."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidegate.contract import Contract
from tidegate.landing.listing import list_landed
from tidegate.landing.objects import LandedFile
from tidegate.landing.routing import is_data, place
from tidegate.position import SNAPSHOT

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# LOAD00000001.csv, SEGMENT1_LOAD0000000A.csv.gz: the counter is hexadecimal.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
_COUNTER = re.compile(r"[0-9A-F]{8}(?=\.|$)")


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The full-load files of the landing bucket."""

    s3: "S3Client"
    landing_bucket: str

    def newest(self, contract: Contract, prefix: str | None = None) -> list[LandedFile]:
        """The files of the newest snapshot under `prefix`, by default the contract's, in order."""
        under = prefix or contract.source.prefix
        listed = list_landed(self.s3, self.landing_bucket, prefix=under)
        files = [place(landed, contract) for landed in listed if is_data(landed.key)]
        return newest_load(file for file in files if file.kind == SNAPSHOT)


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


def _not_before(first: LandedFile, file: LandedFile) -> bool:
    return file.landed_at >= first.landed_at
