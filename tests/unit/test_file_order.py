"""Files stand in the order in which DMS wrote them, whatever folders they lie in."""

import pytest

from tidegate.position import file_order, has_order

PREFIX = "dms/sales/orders/"


@pytest.mark.parametrize(
    "keys",
    [
        ["LOAD00000009.csv", "LOAD0000000A.csv", "LOAD0000000F.csv", "LOAD00000010.csv"],
        ["20141029-113401000.csv", "20141029-1134010000.csv", "20141029-113401001.csv"],
        ["2024/12/31/20241231-235959999.csv", "2025/01/01/20250101-000000000.csv"],
        # DDMMYYYY does not sort, the names do
        ["31122024/20241231-235959999.csv", "01012025/20250101-000000000.csv"],
        ["z/20240809-1.csv", "a/20240809-2.csv"],
        ["a/LOAD00000001.csv", "b/LOAD00000001.csv"],
        ["a.csv", "a.csv.gz"],
        ["x/a", "x/a.csv"],
        ["a b.csv", "a!b.csv", "a#b.csv"],
        ["part_1.csv", "part_9.csv", "part_10.csv", "part_100.csv"],
        ["part_08.csv", "part_09.csv", "part_10.csv", "part_99.csv", "part_100.csv"],
        ["part-00000099-c000.csv", "part-00000100-c000.csv"],
        ["export_2024-9-30.csv", "export_2024-10-1.csv"],
        ["20240809-9.csv", "20240809-10.csv", "20240810-1.csv"],
        [f"run_{10**digits}.csv" for digits in range(14)],
        [f"{'n' * 200}_9.csv", f"{'n' * 200}_10.csv"],
        ["a.csv", "é.csv", "日.csv", "\U0001f600.csv"],
    ],
)
def test_source_order_is_the_order_of_names(keys):
    orders = [file_order(PREFIX + key, PREFIX) for key in keys]
    assert orders == sorted(set(orders), key=str.encode)


def test_usual_names_stand_as_they_are():
    for name in ("LOAD0000000A.csv", "SEGMENT1_LOAD00000010.csv.gz", "20240809-1.csv"):
        assert file_order(PREFIX + name, PREFIX) == name
    assert file_order(PREFIX + "2024/08/09/20240809-192717787.csv", PREFIX) == (
        "20240809-192717787.csv!/2024/08/09"
    )


def test_numbers_within_names_have_the_count_of_their_digits_before_them():
    assert file_order(PREFIX + "part-9_00012_1723231637.csv", PREFIX) == (
        "part-919_00012_990101723231637.csv"
    )


@pytest.mark.parametrize(
    ("name", "is_short"),
    [("n" * 255, True), ("n" * 254 + "8", True), ("n" * 254 + "9", False), ("é" * 128, False)],
)
def test_name_too_long_for_a_position_has_no_order_and_is_told_apart(name, is_short):
    assert has_order(f"{PREFIX}{'folder' * 90}/{name}") is is_short
    one, two = (file_order(f"{PREFIX}{name}{end}", PREFIX) for end in ("xx1", "xx2"))
    assert (one == two, has_order(f"{PREFIX}{name}xx1")) == (False, False)
