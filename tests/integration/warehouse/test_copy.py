"""COPY and UNLOAD, against an S3 in this process."""

import gzip
from datetime import datetime

import pytest

ROWS = "select i as id, 'name ' || i as name from range(3) r(i)"
PARQUET = "iam_role default format as parquet manifest"


@pytest.fixture
def people(cursor):
    cursor.execute("create table people (id bigint not null, name varchar(10))")
    return cursor


def copy(manifest: str, options: str = PARQUET, table: str = "people") -> str:
    return f"copy {table} from '{manifest}' {options}"


def test_a_manifest_loads_all_its_files_by_position(people, bucket, rows):
    one = bucket.parquet("1.parquet", ROWS)
    other = bucket.parquet("2.parquet", "select 7::bigint as renamed, 'seven' as something_else")
    people.execute(copy(bucket.manifest(one, other)))
    assert rows(people, "select id, name from people order by id") == [
        (0, "name 0"),
        (1, "name 1"),
        (2, "name 2"),
        (7, "seven"),
    ]
    assert rows(people, "select pg_last_copy_count()") == [(4,)]


def test_a_column_list_says_where_the_values_go(people, bucket, rows):
    entry = bucket.parquet("1.parquet", "select 'x' as a, 1::bigint as b")
    people.execute(copy(bucket.manifest(entry), table="people (name, id)"))
    assert rows(people, "select id, name from people") == [(1, "x")]


def test_a_temporary_table_can_be_loaded_and_the_load_rolled_back(connect, bucket, rows):
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("create temp table people (id bigint, name varchar(10))")
    connection.commit()
    cursor.execute(copy(bucket.manifest(bucket.parquet("1.parquet", ROWS))))
    assert rows(cursor, "select count(*) from people") == [(3,)]
    connection.rollback()
    assert rows(cursor, "select count(*) from people") == [(0,)]


def test_the_client_is_told_how_many_rows_came(connect, people, bucket):
    connection = connect(autocommit=True)
    connection.cursor().execute(copy(bucket.manifest(bucket.parquet("1.parquet", ROWS))))
    told = b"Load into table 'people' completed, 3 record(s) loaded successfully."
    assert [notice[b"M"] for notice in connection.notices] == [told]


def without(entry: dict, key: str) -> dict:
    return {name: value for name, value in entry.items() if name != key}


def test_a_parquet_manifest_has_to_tell_sizes(people, bucket, failure):
    entry = bucket.parquet("1.parquet", ROWS)
    error = failure(people, copy(bucket.manifest(without(entry, "meta"))))
    assert (error["C"], error["M"]) == ("XX000", "File entry does not have 'meta' key.")
    error = failure(people, copy(bucket.manifest({**entry, "meta": {}})))
    assert error["M"] == "File entry does not have 'content_length' key."


def test_a_wrong_size_is_refused(people, bucket, failure):
    entry = bucket.parquet("1.parquet", ROWS) | {"meta": {"content_length": 1}}
    assert "manifest says 1 bytes" in failure(people, copy(bucket.manifest(entry)))["D"]


def test_a_missing_file_fails_the_load_only_when_mandatory(people, bucket, failure, rows):
    there = bucket.parquet("1.parquet", ROWS)
    gone = there | {"url": f"{there['url']}.gone"}
    assert "1.parquet.gone" in failure(people, copy(bucket.manifest(there, gone)))["D"]
    people.execute(copy(bucket.manifest(there, without(gone, "mandatory"))))
    assert rows(people, "select count(*) from people") == [(3,)]
    assert failure(people, copy(bucket.manifest(without(gone, "mandatory"))))["C"] == "XX000"


def test_another_number_of_columns_is_refused(people, bucket, failure):
    entry = bucket.parquet("1.parquet", "select 1::bigint as id")
    error = failure(people, copy(bucket.manifest(entry)))
    assert (error["C"], error["M"]) == ("XX000", "Spectrum Scan Error")
    assert "Unmatched number of columns between table and file." in error["D"]
    assert "Table columns: 2, Data columns: 1" in error["D"]


@pytest.mark.parametrize(
    "query",
    ["select 1::int as id, 'a' as name", "select 1::bigint as id, 2 as name", "select 'a', 'b'"],
)
def test_another_type_is_refused_and_none_is_widened(people, bucket, failure, query):
    error = failure(people, copy(bucket.manifest(bucket.parquet("1.parquet", query))))
    assert "has an incompatible Parquet schema for column" in error["D"]


def test_decimals_have_to_agree_in_scale(cursor, bucket, failure, rows):
    cursor.execute("create table sums (amount decimal(38,2))")
    fine = bucket.parquet("1.parquet", "select 1.5::decimal(38,2) as amount")
    cursor.execute(copy(bucket.manifest(fine), table="sums"))
    other = bucket.parquet("2.parquet", "select 1.5::decimal(38,3) as amount")
    assert "DECIMAL" in failure(cursor, copy(bucket.manifest(other), table="sums"))["D"].upper()
    assert [str(amount) for (amount,) in rows(cursor, "select amount from sums")] == ["1.50"]


@pytest.mark.parametrize("written_as", ["decimal(9,2)", "decimal(12,2)"])
def test_decimals_that_parquet_holds_as_integers_are_refused(cursor, bucket, failure, written_as):
    cursor.execute(f"create table sums (amount {written_as})")
    entry = bucket.parquet("1.parquet", f"select 1.5::{written_as} as amount")
    error = failure(cursor, copy(bucket.manifest(entry), table="sums"))
    assert "has an incompatible Parquet schema for column" in error["D"]


def test_decimals_are_refused_in_more_bytes_than_their_precision_needs(cursor, bucket, failure):
    cursor.execute("create table sums (amount decimal(20,2))")
    entry = bucket.parquet("1.parquet", "select 1.5::decimal(20,2) as amount")
    error = failure(cursor, copy(bucket.manifest(entry), table="sums"))
    assert "'amount' has an invalid type length. Expecting: 9 len in file: 16" in error["D"]


def test_a_text_that_is_too_long_fails_the_load_and_leaves_nothing(people, bucket, failure, rows):
    entry = bucket.parquet("1.parquet", "select 1::bigint as id, 'ääääää' as name")
    error = failure(people, copy(bucket.manifest(entry)))
    assert error["M"] == "Spectrum Scan Error"
    assert "character varying(10)" in error["D"]
    assert rows(people, "select count(*), pg_last_copy_count() from people") == [(0, 0)]


@pytest.mark.parametrize("written_as", ["timestamp", "timestamptz", "timestamp_ns", "timestamp_ms"])
def test_timestamps_that_parquet_holds_as_integers_are_refused(cursor, bucket, failure, written_as):
    cursor.execute("create table moments (at timestamp)")
    query = f"select '2024-08-09 12:34:56.789'::{written_as} as at"
    cursor.execute(copy(bucket.manifest(bucket.parquet("1.parquet", query)), table="moments"))
    cursor.execute("select at from moments")
    assert cursor.fetchone() == [datetime(2024, 8, 9, 12, 34, 56, 789_000)]
    entry = bucket.parquet("2.parquet", query, "compression snappy")
    assert failure(cursor, copy(bucket.manifest(entry), table="moments"))["C"] == "0A000"


def test_what_is_no_parquet_is_refused(people, bucket, failure):
    url = bucket.put("1.parquet", "id,name\n")
    entry = {"url": url, "mandatory": True, "meta": {"content_length": 8}}
    assert "is not a Parquet file" in failure(people, copy(bucket.manifest(entry)))["D"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("format as parquet manifest", "42601"),
        ("iam_role 'admin' format as parquet manifest", "22023"),
        ("iam_role default parquet manifest region 'eu-west-1'", "0A000"),
        ("iam_role default parquet maxerror 5", "0A000"),
        ("iam_role default json 'auto'", "0A000"),
        ("iam_role default csv maxerror 5", "0A000"),
        ("iam_role default csv nonsense", "42601"),
    ],
)
def test_options_redshift_or_this_server_does_not_take(people, bucket, failure, options, code):
    assert failure(people, copy(bucket.manifest(), options))["C"] == code


def test_the_table_and_the_manifest_have_to_be_there(people, bucket, failure):
    error = failure(people, copy(bucket.manifest(), table="nobody"))
    assert error["M"] == "Cannot COPY into nonexistent table nobody"
    assert failure(people, copy("s3://tidegate-work/nothing.json"))["C"] == "XX000"
    malformed = bucket.put("bad.json", "[]")
    assert failure(people, copy(malformed))["M"] == "The manifest is malformed"


def test_csv_files_under_a_prefix(cursor, bucket, rows):
    cursor.execute(
        "create table kinds (id int, name varchar(10), day date, at timestamp, yes boolean)"
    )
    bucket.put("in/a.csv", 'h\n1,"two\nlines",2024-02-29,2024-02-29 10:11:12.123456,true\n')
    bucket.put("in/b.csv", "h\n2,,,,\n3,\\N,2024-01-01,,f\n")
    options = "iam_role default csv ignoreheader 1 dateformat 'auto' timeformat 'auto'"
    cursor.execute(copy("s3://tidegate-work/in/", options, "kinds"))
    assert rows(cursor, "select id, name, day is null, yes from kinds order by id") == [
        (1, "two\nlines", False, True),
        (2, "", True, None),
        (3, None, False, False),
    ]


def test_gzipped_text_with_its_own_delimiter_and_null(cursor, bucket, rows):
    cursor.execute("create table kinds (id int, name varchar(10))")
    bucket.put("in.gz", gzip.compress(b"1|NULL\n2|\n3|x\n"))
    options = "iam_role default delimiter '|' null as 'NULL' emptyasnull gzip"
    cursor.execute(copy("s3://tidegate-work/in.gz", options, "kinds"))
    assert rows(cursor, "select id, name from kinds order by id") == [
        (1, None),
        (2, None),
        (3, "x"),
    ]


def test_a_refused_row_is_told_in_the_load_errors(people, bucket, failure, rows):
    url = bucket.put("in.csv", "id,name\n1,a\n2,much too long\n")
    error = failure(people, copy(url, "iam_role default csv ignoreheader 1"))
    assert error["M"].startswith("Load into table 'people' failed.")
    told = "select file_name, line_number, trim(column_name), error_code from sys_load_error_detail"
    assert rows(people, told) == [(url, 3, "name", 1204)]
    assert rows(people, "select colname from stl_load_errors") == [("name",)]


def test_unload_writes_parquet_and_a_manifest_that_copy_takes(people, bucket, rows):
    people.execute("insert into people values (1, 'one'), (2, null)")
    destination = "s3://tidegate-work/out/people_"
    people.execute(
        f"unload ('select * from people where name = ''one''') to '{destination}' "
        "iam_role default format parquet manifest"
    )
    assert bucket.listed("out/") == ["out/people_0000_part_00.parquet", "out/people_manifest"]
    people.execute(copy(f"{destination}manifest"))
    assert rows(people, "select count(*) from people where id = 1") == [(2,)]


def test_unload_writes_text_and_does_not_overwrite_unasked(people, bucket, failure):
    people.execute("insert into people values (1, 'a,b')")
    unload = (
        "unload ('select * from people') to 's3://tidegate-work/out/' iam_role default csv header"
    )
    people.execute(f"{unload} parallel off")
    assert bucket.read("out/000") == b'id,name\n1,"a,b"\n'
    assert "is not empty" in failure(people, f"{unload} parallel off")["M"]
    people.execute(f"{unload} parallel off allowoverwrite")


def test_nothing_of_a_load_stays_on_the_disk(people, bucket, warehouse):
    people.execute(copy(bucket.manifest(bucket.parquet("1.parquet", ROWS))))
    folder = warehouse.folder
    assert [path.name for path in folder.iterdir() if path.name != "spill"] == []
    warehouse.stop()
    assert not folder.exists()
    warehouse.start()
