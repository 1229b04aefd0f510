"""What prepare_chunk makes of changes: keys, deletes, newest of each key, refusals, positions."""

import duckdb
import pytest

from tests.unit.samples import CHANGES, PREFIX, SNAPSHOT, Workshop, contract, landed, plan
from tidegate.batch.plan import BatchFolder
from tidegate.preparing.chunk import Chunk
from tidegate.preparing.database import Database
from tidegate.preparing.download import LocalFile

MEMORY = 128 << 20
NEWLINES, FILLER = "\n\r\n", "x" * 190
LATER = PREFIX + "20240809-192717788.csv"
# Names that the statements of prepare_chunk use themselves, or that are SQL.
ODD_NAMES = [
    "path", "row", "record", "operation", "head", "tail", "refusal", "position", "sequence", "key",
    "select", 'a "quoted" name', "semi;colon", "per%cent", "{brace}", "new\u00e9", "changes", "v0",
    "f1", "filename", "it's",
]  # fmt: skip


@pytest.fixture
def shop(aws) -> Workshop:
    return Workshop()


def test_newest_change_of_each_key_is_kept(shop):
    found = shop.prepare(
        contract(),
        {LATER: b"U,1,newest\nD,2,\n", CHANGES: b"I,1,a\nU,1,b\nI,2,c\nI,3,d\nD,3,\nI,3,e\n"},
    )
    assert [(row["id"], row["_op"], row["name"]) for row in found.rows] == [
        (3, "I", "e"),
        (1, "U", "newest"),
        (2, "D", None),
    ]
    assert [file.records for file in found.files.values()] == [2, 6]


def test_snapshot_row_never_beats_a_change_of_its_epoch(shop):
    of = contract(options={"timestamp": "ts"})
    files = {SNAPSHOT: b"2024-08-10 00:00:00,1,old\n", CHANGES: b"U,2024-08-09 00:00:00,1,new\n"}
    assert shop.prepare(of, files).column("name") == ["new"]


def test_positions_number_the_records_of_each_file(shop):
    files = {CHANGES: b'I,1,"a\nb"\n\nI,2,c\n', LATER: b"I,3,d\nI,4,e\n"}
    found = shop.prepare(contract(), files)
    assert found.column("_position") == [
        "000001 1  20240809-192717787.csv!/1723231637 0000000001",
        "000001 1  20240809-192717787.csv!/1723231637 0000000002",
        "000001 1  20240809-192717788.csv!/1723231637 0000000001",
        "000001 1  20240809-192717788.csv!/1723231637 0000000002",
    ]
    assert (found.chunk.first_position, found.chunk.last_position) == (
        found.rows[0]["_position"],
        found.rows[-1]["_position"],
    )


def test_deleted_rows_need_no_more_than_their_key(shop):
    of = contract({"id": "integer", "name": "varchar(3)", "paid": "date"})
    found = shop.prepare(of, {CHANGES: b"D,1,,\nD,2,much too long,no date\n"})
    assert [(row["id"], row["_op"], row["name"], row["paid"]) for row in found.rows] == [
        (1, "D", None, None),
        (2, "D", None, None),
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"X,1,secret", "the operation is none of I, U and D"),
        (b",1,secret", "the operation is none of I, U and D"),
        (b"i,1,secret", "the operation is none of I, U and D"),
        (b"NULL,1,secret", "the operation is none of I, U and D"),
        (b"U,,secret", "key column 'id' is null"),
        (b"D,NULL,secret", "key column 'id' is null"),
        (b"D,one,secret", "column 'id' is not a valid integer"),
    ],
)
def test_refused_row_tells_its_of_filerecord_and_reason_and_what_it_held(shop, record, reason):
    found = shop.prepare(contract(), {CHANGES: b"I,7,good\n" + record + b"\nI,8,good\n"})
    operation, id_, name = (None if v == "NULL" else v for v in record.decode().split(","))
    assert found.refused == [
        {
            "file": CHANGES,
            "record": 2,
            "reason": reason,
            "operation": operation,
            "fields": {"id": id_, "name": name},
        }
    ]
    assert found.column("id") == [7, 8]
    assert (found.files[CHANGES].records, found.files[CHANGES].refused) == (3, 1)
    assert "secret" not in found.chunk.model_dump_json()


def test_refused_change_does_not_supersede_a_good_one(shop):
    of = contract({"id": "integer", "name": "varchar(3)"})
    found = shop.prepare(of, {CHANGES: b"I,1,old\nU,1,too long\n"})
    assert found.column("name") == ["old"]


def test_key_of_several_columns(shop):
    of = contract({"a": "varchar(5)", "b": "date", "n": "integer"}, key=("b", "a"))
    content = b"I,x,2024-01-01,1\nU,x,2024-01-02,2\nU,y,2024-01-01,3\nU,x,2024-01-01,4\n"
    found = shop.prepare(of, {CHANGES: content})
    assert sorted(found.column("n")) == [2, 3, 4]


def test_keys_that_differ_in_trailing_blanks_are_one_key(shop):
    of = contract({"id": "varchar(5)", "name": "varchar(5)"})
    found = shop.prepare(of, {CHANGES: b'I,a,x\nU,"a  ",y  \nI, a,z\n'})
    assert [(row["id"], row["name"]) for row in found.rows] == [("a", "y  "), (" a", "z")]


@pytest.mark.parametrize(
    ("sequence", "reason"),
    [
        ("", "'seq', which orders changes, is null or cannot be read"),
        ("NULL", "'seq', which orders changes, is null or cannot be read"),
        ("a\tb", "'seq', which orders changes, is null or cannot be read"),
        ("9" * 400, "the sequence is too long"),
    ],
)
def test_change_without_a_usable_sequence_is_refused(shop, sequence, reason):
    of = contract(fields=["seq", "id", "name"], sequence=["seq"])
    found = shop.prepare(of, {CHANGES: f"U,{sequence},1,x\nU,1,2,y\n".encode()})
    assert (found.reasons, found.column("id")) == ([(1, reason)], [2])


@pytest.mark.parametrize(
    ("compared", "older", "newer"),
    [
        (None, "F/FFFFFFFF", "10/0"),
        (None, "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.500Z"),
        (None, "099", "0100"),
        ("lsn", "F/FFFFFFFF", "10/0"),
        ("binlog", "mysql-bin.979715", "mysql-bin.1215501"),
        ("number", "9.5", "10"),
        ("hex", "99", "9A"),
        ("timestamp", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.500Z"),
        ("text", "B", "a"),
    ],
)
def test_newer_change_wins_by_how_the_sequence_compares(shop, compared, older, newer):
    part = {"name": "seq", "as": compared} if compared else "seq"
    of = contract(fields=["seq", "id", "name"], sequence=[part])
    found = shop.prepare(
        of, {CHANGES: f"U,{newer},1,new\n".encode(), LATER: f"U,{older},1,old\n".encode()}
    )
    assert (found.column("name"), found.reasons) == (["new"], [])


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        (
            "seq",
            "000A",
            (
                "is not a number, time or LSN; say in the contract how it compares: "
                "sequence: [{name: seq, as: lsn|binlog|number|hex|timestamp|text}]"
            ),
        ),
        (
            {"name": "seq", "as": "lsn"},
            "12",
            "does not compare as lsn, which is written like 16/B374D848",
        ),
    ],
)
@pytest.mark.parametrize("file", [CHANGES, SNAPSHOT])
def test_value_that_does_not_compare_is_refused_with_what_to_do(shop, part, value, reason, file):
    of = contract(fields=["seq", "id", "name"], sequence=[part])
    mark = "" if file == SNAPSHOT else "U,"
    found = shop.prepare(of, {file: f"{mark}{value},1,x\n{mark}1/A,2,y\n".encode()})
    said = f"'seq', which orders changes, {reason}"
    assert (found.reasons, found.column("id")) == ([(1, said)], [2])


def test_deleted_row_is_not_ordered_by_a_sequence_that_is_none(shop):
    of = contract({"id": "integer", "version": "integer"}, sequence=["version"])
    found = shop.prepare(of, {CHANGES: b"U,1,2\nD,1,1.5\nU,2,1\nD,2,99999999999999999999\n"})
    reason = "'version', which orders changes, is null or cannot be read"
    assert (found.reasons, found.column("_op")) == ([(2, reason), (4, reason)], ["U", "U"])


def test_snapshot_rows_need_no_sequence_but_one_that_can_be_read_if_there_is_one(shop):
    of = contract({"id": "integer"}, fields=["seq", "at", "id"], sequence=["seq", "at"])
    found = shop.prepare(of, {SNAPSHOT: b",,1\na\tb,,2\n,a\tb,3\n"})
    assert found.column("_position") == ["000001 0  1723231637!/LOAD00000001.csv 0000000001"]
    reason = "'seq' or 'at', which orders changes, is null or cannot be read"
    assert found.reasons == [(2, reason), (3, reason)]


def test_sequence_orders_before_of_fileand_line(shop):
    of = contract({"id": "integer", "version": "integer"}, sequence=["version"])
    found = shop.prepare(of, {CHANGES: b"U,1,10\nU,1,9\n", LATER: b"U,1,-1\nD,1,2\n"})
    assert [(row["version"], row["_op"]) for row in found.rows] == [(10, "U")]


def test_columns_may_have_any_name(shop):
    columns = {"id": "integer"} | dict.fromkeys(ODD_NAMES, "varchar(9)")
    record = ",".join(f"v{n}" for n in range(len(ODD_NAMES)))
    of = contract(columns, key=("id", *ODD_NAMES[:3]))
    found = shop.prepare(of, {CHANGES: f"I,1,{record}\nX,2,{record}\n".encode()})
    assert [found.rows[0][name] for name in ODD_NAMES] == record.split(",")
    assert [found.refused[0]["fields"][name] for name in ODD_NAMES] == record.split(",")


def test_source_columns_may_differ_in_case_only(shop):
    columns = [
        {"name": "id", "type": "integer"},
        {"name": "upper", "type": "varchar(9)", "from": "NAME"},
        {"name": "lower", "type": "varchar(9)", "from": "n\"am'e"},
        {"name": "other", "type": "varchar(9)", "from": "name"},
    ]
    of = contract(columns={"id": "integer"}).model_validate(
        contract().as_written()
        | {
            "columns": columns,
            "source": {"prefix": PREFIX, "format": "dms_csv", "options": {"header": True}},
        }
    )
    found = shop.prepare(of, {CHANGES: b'Op,id,name,NAME,"n""am\'e"\nI,1,a,B,c\nI,x,a,B,c\n'})
    assert [(row["upper"], row["lower"], row["other"]) for row in found.rows] == [("B", "c", "a")]
    assert found.refused[0]["fields"] == {"id": "x", "NAME": "B", "n\"am'e": "c", "name": "a"}


def test_same_chunk_prepared_twice_is_the_same_objects(shop):
    of = contract()
    planned = plan(of, [[shop.land(CHANGES, b"I,1,Ann\nI,x,Bob\n", of)]])
    folder = BatchFolder(of.table, planned.batch, planned.fence)
    shop.work.write(folder.plan, planned)

    def objects() -> dict[str, str]:
        listed = shop.s3.list_objects_v2(Bucket=shop.work.name)["Contents"]
        return {entry["Key"]: entry["ETag"] for entry in listed}

    first, before = shop.prepare_chunk(folder.plan, 0), objects()
    assert (shop.prepare_chunk(folder.plan, 0), objects()) == (first, before)
    assert set(before) == {
        "batches/sales.orders/0000000000007/0000000000003/plan.json",
        "batches/sales.orders/0000000000007/0000000000003/chunk-0000.json",
        "batches/sales.orders/0000000000007/0000000000003/chunk-0000.parquet",
        "quarantine/sales.orders/0000000000007/0000000000003/chunk-0000.jsonl",
    }


def test_chunk_much_larger_than_the_memory_passes(tmp_path):
    of, path, records = (
        contract({"id": "integer", "name": "varchar(200)"}),
        tmp_path / "a.csv",
        2_000_000,
    )
    with path.open("w", newline="") as file:
        for n in range(records):
            file.write(f'I,{n % 700_000},"{n}{"" if n % 7 else NEWLINES}{FILLER}"\n')
    with Database(MEMORY).connect() as connection:
        chunk = Chunk(of, 1, connection)
        chunk.read([LocalFile(landed(CHANGES, of=of), path)])
        rows, _, last = chunk.write_changes(tmp_path / "newest.parquet")
        assert (chunk.quarantined, chunk.counts()) == ({}, {str(path): (records, 0)})
    assert path.stat().st_size > 3 * MEMORY
    assert (rows, last[-11:]) == (700_000, " 0002000000")
    newest = duckdb.read_parquet(str(tmp_path / "newest.parquet")).filter("id in (0, 600000)")
    of_file = "000001 1  20240809-192717787.csv!/1723231637"
    assert newest.order("id").project("id, name, _position").fetchall() == [
        (0, f"1400000{NEWLINES}{FILLER}", f"{of_file} 0001400001"),
        (600_000, f"1300000{FILLER}", f"{of_file} 0001300001"),
    ]


def test_records_are_numbered_as_they_stand_by_whatever_threads_after_whatever_chunk(tmp_path):
    of, path, records = contract({"id": "integer"}), tmp_path / "a.csv", 800_000
    path.write_text("".join(f"I,{n:060}\n" for n in range(1, records + 1)))
    newest = tmp_path / "newest.parquet"
    database = Database(1 << 30)
    with database.connect() as connection:
        Chunk(of, 1, connection).write_changes(newest)
    with database.connect() as connection:
        chunk = Chunk(of, 1, connection)
        chunk.read([LocalFile(landed(CHANGES, of=of), path)])
        chunk.write_changes(newest)
    numbers = duckdb.read_parquet(str(newest)).project(
        "id, right(_position, 10)::integer as record"
    )
    assert numbers.filter("id = record").count("*").fetchall() == [(records,)]


def test_column_that_a_row_lacks_makes_it_no_other_version(shop):
    narrow = {"at": "timestamp", "id": "integer", "name": "varchar(9)"}
    wide = narrow | {"more": "varchar(9)"}

    def digests(columns: dict[str, str], content: bytes) -> list[str]:
        of = contract(columns, write="history", changed_at="at", track=list(columns)[2:])
        return shop.prepare(of, {CHANGES: content}).column("_digest")

    [narrow_row] = digests(narrow, b"I,2024-08-09 01:00:00,1,Ann\n")
    lacking, having = digests(
        wide, b"I,2024-08-09 01:00:00,1,Ann,NULL\nU,2024-08-09 02:00:00,1,Ann,new\n"
    )
    assert lacking == narrow_row
    assert having != narrow_row
