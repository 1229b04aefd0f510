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


def test_timestamps_say_that_they_are_microseconds(tmp_path):
    """Redshift takes others for nanoseconds: https://github.com/apache/arrow/issues/38000"""
    found = described("timestamp '2024-08-09 12:34:56.789'", tmp_path)
    assert (found["type"], found["converted_type"]) == ("INT64", "TIMESTAMP_MICROS")


def described(value: str, folder) -> dict[str, object]:
    """What the schema of a Parquet file says of a column of `value`."""
    path = str(folder / "one.parquet")
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {value} as found) to '{path}'")
        connection.execute("select * from parquet_schema(?) where name = 'found'", [path])
        [row] = connection.fetchall()
        return dict(zip([name for name, *_ in connection.description], row, strict=True))
