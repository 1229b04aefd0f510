"""However a history is split into files, Tidegate keeps the newest good change of each key."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.samples import PREFIX, contract, landed
from tidegate.preparing.chunk import Chunk
from tidegate.preparing.database import Database
from tidegate.preparing.download import LocalFile

OF = contract(
    {"id": "varchar(4)", "version": "integer", "name": "varchar(6)"}, sequence=["version"]
)
KEYS = st.sampled_from(["a", "a ", "b", "", "ü"])
VERSIONS = st.one_of(st.integers(-2, 2).map(str), st.sampled_from(["", "x", "1.5"]))
NAMES = st.text('a ,"\n\r\\ü', max_size=5)
CHANGES = st.tuples(st.sampled_from("IUDX"), KEYS, VERSIONS, NAMES)
SNAPSHOT_ROWS = st.tuples(st.just("I"), KEYS, VERSIONS, NAMES)
HISTORIES = st.fixed_dictionaries(
    {},
    optional={
        "LOAD1.csv": st.lists(SNAPSHOT_ROWS, max_size=4),
        **dict.fromkeys(["1.csv", "2.csv", "x/2.csv"], st.lists(CHANGES, max_size=8)),
    },
)


def in_file(changes: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(changes)
    return text.getvalue().encode()


def model(history: dict[str, list[tuple[str, ...]]]) -> dict[str, tuple[str, str | None]]:
    """By key, the operation and name of the good change that stands last in source order."""
    good = []
    for path, changes in history.items():
        folder, _, name = path.rpartition("/")
        snapshot = name.startswith("LOAD")
        for row, (operation, key, version, text) in enumerate(changes):
            whole = version.lstrip("-").isdigit()
            readable = whole or ((operation == "D" or version == "") and snapshot)
            # Blanks at the end may be too many, nothing else.
            text = text if len(text.encode()) <= 6 else text.rstrip(" ")
            if operation == "X" or not readable or (len(text.encode()) > 6 and operation != "D"):
                continue
            order = (0 if snapshot else 1, whole, int(version) if whole else 0, name, folder, row)
            good.append((order, key.rstrip(" "), operation, None if operation == "D" else text))
    return {key: (operation, text) for _, key, operation, text in sorted(good)}


@pytest.fixture(scope="module")
def database():
    return Database(1 << 28)


def prepared(
    history: dict[str, list[tuple[str, ...]]], database: Database
) -> dict[str, tuple[str, str | None]]:
    with TemporaryDirectory() as folder, database.connect() as connection:
        chunk = Chunk(OF, 1, connection)
        files = []
        for number, (path, changes) in enumerate(history.items()):
            local = Path(folder) / f"{number:06d}.csv"
            local.write_bytes(in_file(changes))
            files.append(LocalFile(landed(PREFIX + path, of=OF), local))
        chunk.read(files)
        assert chunk.quarantined == {}
        assert sum(n for n, _ in chunk.counts().values()) == sum(map(len, history.values()))
        newest = Path(folder) / "newest.parquet"
        chunk.write_changes(newest)
        rows = duckdb.read_parquet(str(newest)).project("id, _op, name").fetchall()
    assert len(rows) == len({key for key, _, _ in rows})
    return {key: (operation, name) for key, operation, name in rows}


@settings(max_examples=40)
@given(history=HISTORIES)
def test_newest_good_change_of_each_key_is_kept(history, database):
    assert prepared(history, database) == model(history)
