"""What prepare_chunk assumes of DuckDB: which broken CSV it tells of, and how it writes Parquet."""

import duckdb
import pytest

GOOD = b"".join(b"%d,ok\n" % number for number in range(9))
BROKEN = {
    "an open quotation": b'1,"x\n2,y\n',
    "text behind a quotation": b'1,"x"y\n2,z\n',
    "too few columns": b"1\n2,z\n",
    "too many columns": b"1,x,y\n2,z\n",
    "not UTF-8": b"1,\xe9\n2,z\n",
    "a bare carriage return": b"1,x\n2,y\r3,z\n",
    "a long record": b"1," + b"x" * 2_000_001 + b"\n",
}


@pytest.fixture(params=[1, 2, 4])
def duck(request):
    with duckdb.connect(config={"threads": request.param}) as connection:
        connection.execute("set enable_progress_bar = false")
        yield connection


def read(duck, folder, *contents: bytes) -> int:
    paths = [folder / f"{number:03d}.csv" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return duck.execute(
        """
        select count(b) from read_csv(
            ?, columns = {'a': 'varchar', 'b': 'varchar'}, header = false, auto_detect = false,
            delim = ',', quote = '"', escape = '"', new_line = '\\n', filename = 'path'
        )
        """,
        [[str(path) for path in paths]],
    ).fetchone()[0]


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("place", [0, -1])
def test_each_of_two_files_a_thread_is_looked_at_to_its_end(duck, tmp_path, what, place):
    [threads] = duck.execute("select current_setting('threads')").fetchone()
    contents = [GOOD] * (2 * int(threads))
    contents[place] = BROKEN[what]
    with pytest.raises(duckdb.InvalidInputException):
        read(duck, tmp_path, *contents)


@pytest.mark.parametrize("what", [what for what in BROKEN if what != "an open quotation"])
def test_of_many_files_all_is_told_but_an_open_quotation(duck, tmp_path, what):
    with pytest.raises(duckdb.InvalidInputException):
        read(duck, tmp_path, *[GOOD] * 20, BROKEN[what], *[GOOD] * 20)


def test_of_many_files_an_open_quotation_is_passed_over(duck, tmp_path):
    """Once DuckDB tells of it, Chunk need not read files with quotations in small groups."""
    found = read(duck, tmp_path, *[GOOD] * 20, BROKEN["an open quotation"], *[GOOD] * 20)
    assert found == 40 * 9


@pytest.mark.parametrize(
    ("precision", "written"),
    [
        (9, ("INT32", None)),
        (18, ("INT64", None)),
        (20, ("FIXED_LEN_BYTE_ARRAY", "16")),
        (38, ("FIXED_LEN_BYTE_ARRAY", "16")),
    ],
)
def test_only_decimals_of_the_largest_precision_are_written_as_copy_takes_them(
    tmp_path, precision, written
):
    """Once others come in the fewest bytes they need, the stage may have the column's own type."""
    found = described(f"1.5::decimal({precision},2)", tmp_path)
    assert (found["type"], found["type_length"]) == written


@pytest.mark.parametrize(
    ("time", "day", "nanoseconds"),
    [
        # The days are those of Julius Scaliger, from https://aa.usno.navy.mil/data/JulianDate
        ("0001-01-01 00:00:00", 1_721_426, 0),
        ("1582-10-15 00:00:00.000001", 2_299_161, 1_000),
        ("1969-12-31 23:59:59.999999", 2_440_587, 86_399_999_999_000),
        ("1970-01-01 00:00:00", 2_440_588, 0),
        ("2024-08-09 12:34:56.789", 2_460_532, 45_296_789_000_000),
        ("9999-12-31 23:59:59.999999", 5_373_484, 86_399_999_999_000),
    ],
)
def test_timestamps_are_written_as_a_day_and_its_nanoseconds(tmp_path, time, day, nanoseconds):
    """Redshift reads others as nonsense: docs/adr/0018-timestamps-travel-as-int96.md"""
    option = "write_timestamp_as_int96 true"
    found = described(f"timestamp '{time}'", tmp_path, option, "compression uncompressed")
    assert (found["type"], found["converted_type"]) == ("INT96", None)
    written = nanoseconds.to_bytes(8, "little") + day.to_bytes(4, "little")
    assert written in (tmp_path / "one.parquet").read_bytes()
    with duckdb.connect() as connection:
        read = connection.execute(f"select found::varchar from '{tmp_path}/one.parquet'")
        assert read.fetchall() == [(time,)]


def described(value: str, folder, *options: str) -> dict[str, object]:
    """What the schema of a Parquet file says of a column of `value`."""
    path = str(folder / "one.parquet")
    with duckdb.connect() as connection:
        written_as = ", ".join(["format parquet", *options])
        connection.execute(f"copy (select {value} as found) to '{path}' ({written_as})")
        connection.execute("select * from parquet_schema(?) where name = 'found'", [path])
        [row] = connection.fetchall()
        return dict(zip([name for name, *_ in connection.description], row, strict=True))
