"""Which objects are the newest snapshot, among the files of loads before it and of changes."""

import boto3
import pytest

from tests.unit.samples import PREFIX, Workshop, contract, landed
from tidegate.batch.objects import LandedObject
from tidegate.errors import RefreshRefusedError
from tidegate.planning import snapshots
from tidegate.planning.snapshots import Snapshots, longest_pause, newest_load


def names(*written: tuple[str, int]) -> list[str]:
    files = [
        landed(PREFIX + name).model_copy(update={"landed_at": landed_at})
        for name, landed_at in written
    ]
    return [file.key.removeprefix(PREFIX) for file in newest_load(files)]


HOUR = 3600


def test_files_left_over_from_a_longer_load_before_are_not_taken():
    old, new = 10 * HOUR, 20 * HOUR
    written = [("LOAD00000001.csv", new), ("LOAD00000002.csv", new + 5), ("LOAD00000003.csv", old)]
    assert names(*written) == ["LOAD00000001.csv", "LOAD00000002.csv"]


def test_files_that_were_uploaded_at_once_are_of_one_load_in_whatever_order():
    written = [("LOAD00000001.csv", HOUR), ("LOAD00000002.csv", HOUR - 90)]
    assert names(*written) == ["LOAD00000001.csv", "LOAD00000002.csv"]


def test_counter_is_hexadecimal():
    written = [(f"LOAD{number:08X}.csv.gz", 100 * HOUR - number * HOUR) for number in range(9, 17)]
    assert names(*written) == ["LOAD00000009.csv.gz"]


@pytest.mark.parametrize("between", ["/", "_"])
def test_parts_of_a_parallel_load_are_told_apart(between):
    written = [(f"part{part}{between}LOAD00000001.csv", (9 - part) * HOUR) for part in (1, 2)]
    left_over = (f"part2{between}LOAD00000002.csv", 2 * HOUR)
    assert names(*written, left_over) == sorted(name for name, _ in written)


@pytest.mark.parametrize(
    "both",
    [
        ("2026-01/LOAD00000001.csv", "2026-02/LOAD00000001.csv"),
        ("LOAD_20260101.csv", "LOAD_20260201.csv"),
        ("LOAD00000001.csv", "LOAD00000001.csv.gz"),
        ("SEGMENT2_LOAD00000001.csv", "SEGMENT1_LOAD00000001.csv"),
    ],
)
def test_files_of_times_far_apart_are_not_taken_for_one_snapshot(both):
    old, new = both
    placed = [
        landed(PREFIX + name).model_copy(update={"landed_at": landed_at})
        for name, landed_at in ((old, 0), (new, 7 * HOUR))
    ]
    before, after = longest_pause(newest_load(placed))
    assert (before.key, after.key) == (PREFIX + old, PREFIX + new)
    assert longest_pause(newest_load(placed[1:])) is None


def test_prefix_that_is_said_to_hold_one_snapshot_is_believed(monkeypatch):
    written = {PREFIX + "LOAD00000001.csv": 0, PREFIX + "LOAD00000002.csv": 7 * HOUR}
    listed = [
        LandedObject(key=key, etag=key, size=1, landed_at=landed_at)
        for key, landed_at in written.items()
    ]
    monkeypatch.setattr(snapshots, "list_landed", lambda *_, **__: listed)
    find = Snapshots(boto3.client("s3"), "landing")
    assert [file.key for file in find.newest(contract(), PREFIX)] == list(written)
    with pytest.raises(RefreshRefusedError, match=r"'dms/.*LOAD00000001.csv' at 1970-01-01 00:00"):
        find.newest(contract())


def test_each_file_of_a_replaced_table_is_a_snapshot_and_the_last_by_name_counts(
    monkeypatch,
):
    written = {"2026-01.csv": 90 * HOUR, "2026-03.csv": 0, "2026-02.csv": 50 * HOUR}
    listed = [
        LandedObject(key=PREFIX + name, etag=name, size=1, landed_at=landed_at)
        for name, landed_at in written.items()
    ]
    monkeypatch.setattr(snapshots, "list_landed", lambda *_, **__: listed)
    find = Snapshots(boto3.client("s3"), "landing")
    [newest] = find.newest(contract(write="replace"))
    assert newest.key == PREFIX + "2026-03.csv"


def test_snapshot_is_what_is_named_like_one_under_the_prefix(aws):
    shop, of = Workshop(), contract()
    for name in (
        "LOAD00000001.csv",
        "2024/LOAD00000001.csv",
        "20240809-1.csv",
        "awsdms_x/LOAD1.csv",
    ):
        shop.land(PREFIX + name, b"1,a\n", of)
    shop.land("dms/sales/orders_of_others/LOAD00000001.csv", b"1,a\n", of)
    find = Snapshots(shop.s3, shop.landing)

    def found(prefix: str | None = None) -> list[str]:
        return [file.key.removeprefix(PREFIX) for file in find.newest(of, prefix)]

    assert found() == ["LOAD00000001.csv", "2024/LOAD00000001.csv"]
    assert found(PREFIX + "2024/") == ["2024/LOAD00000001.csv"]
    with pytest.raises(
        RefreshRefusedError, match=r"orders/2025/' has a name like 'LOAD.*' or '\*_LOAD"
    ):
        found(PREFIX + "2025/")


def test_object_is_known_by_the_id_that_its_event_gave_it(aws):
    shop, of = Workshop(), contract()
    file = shop.land(PREFIX + "LOAD00000001.csv", b"1,a\n", of)
    [found] = Snapshots(shop.s3, shop.landing).newest(of)
    assert (found.id, found.size, found.order) == (file.id, file.size, file.order)
