"""Files stand in the order in which DMS wrote them, whatever folders they lie in."""

import pytest

from tidegate.position import file_order

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
        ["a.csv", "é.csv", "日.csv", "\U0001f600.csv"],
    ],
)
def test_source_order_is_the_order_of_names(keys):
    orders = [file_order(PREFIX + key, PREFIX) for key in keys]
    assert orders == sorted(set(orders), key=str.encode)


def test_usual_names_stand_as_they_are():
    assert file_order(PREFIX + "2024/08/09/20240809-192717787.csv", PREFIX) == (
        "20240809-192717787.csv!/2024/08/09"
    )


def test_long_names_keep_their_beginning_and_are_told_apart():
    one, two = (file_order(f"{PREFIX}{'n' * 300}{end}", PREFIX) for end in "ab")
    assert one[:101] == two[:101] == "n" * 100 + "~"
    assert (one == two, len(one)) == (False, 117)
