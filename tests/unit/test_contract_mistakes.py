"""`tidegate check` names each mistake with its file, its line and what to do."""
# ruff: noqa: E501  (tables read better in one line a case)

from pathlib import Path

import pytest

from tidegate.contract import check_contracts, read_contracts
from tidegate.errors import ContractError

GOOD = """\
table: sales.orders
source:
  prefix: dms/sales/orders/
  format: dms_csv
  options: {header: false, null: "NULL"}
key: [id]
columns:
  - {name: id, type: bigint}
  - {name: note, type: varchar(9)}
"""

MISTAKES = [
    ("varchar(9)}", "decimal(9,2)}", ["9: columns.1.2): is cut off at a comma; put the type in quotes: type: \"decimal(12,2)\"", "9: columns.1.type: 'decimal(9' is not a type; write one of smallint, integer, bigint, real, double, boolean, date, time, timestamp, timestamptz, super, varbyte, decimal(p,s), char(n), varchar(n)"]),
    # top level
    ("key: [id]", "kee: [id]", ["6: kee: unknown key (did you mean 'key'?); correct or remove it"]),
    ("key: [id]", "key: [ID]", ["6: key: 'ID' is not found in columns; add it there or write another name"]),
    ("key: [id]", "key: []", ["6: key: upsert needs the columns that identify a row; name them"]),
    ("key: [id]", "key: id", ["6: key: 'id' is not a list; write [id]"]),
    ("key: [id]", "key: [id, id]", ["6: key: 'id' is named more than once; keep one"]),
    ("key: [id]", "key: [id]\nsequence: [seq]", ["7: sequence: 'seq' is not found in source.fields; add it there or write another name"]),
    ("key: [id]", "key: [id]\nwrite: merge", ["7: write: 'merge' is not supported; write 'upsert', 'soft_delete', 'history', 'append' or 'replace'"]),
    ("key: [id]", "key: [id]\nfreshness: 15", ["7: freshness: 15 is not a duration; write a number and s, m, h or d: 15m"]),
    ("key: [id]", "key: [id]\nmax_deletes: half", ["7: max_deletes: 'half' is not a number of rows; write a number, or at most 100%: 5000, 50%"]),
    ("key: [id]", "key: [id]\nrefresh_floor: 101%", ["7: refresh_floor: '101%' is not a number of rows; write a number, or at most 100%: 5000, 50%"]),
    ("key: [id]", "key: [id]\ndistkey: nid", ["7: distkey: 'nid' is not found in columns; add it there or write another name"]),
    ("key: [id]", "key: [id]\nsortkey: [note, nid]", ["7: sortkey: 'nid' is not found in columns; add it there or write another name"]),
    ("sales.orders", "orders", ["1: table: 'orders' must be written schema.table"]),
    ("sales.orders", "Sales.orders", ["1: table: Redshift folds 'Sales' to lower case; write 'sales'"]),
    ("sales.orders", "a.b.c", ["1: table: 'b.c' holds a dot, which separates schema and table; remove it"]),
    ("sales.orders", ".orders", ["1: table: a name cannot be empty"]),
    ("sales.orders", "tidegate.orders", ["1: table: schema 'tidegate' is reserved; choose another one"]),
    ("sales.orders", "pg_temp.orders", ["1: table: schema 'pg_temp' is reserved; choose another one"]),
    # write modes
    ("key: [id]", "key: [id]\nwrite: history", ["1: changed_at: history needs it; name the source column with the time of a change"]),
    ("key: [id]", "key: [id]\nwrite: history\nchanged_at: at", ["8: changed_at: 'at' is not found in source.fields; add it there or write another name"]),
    ("key: [id]", "key: [id]\nwrite: history\nchanged_at: note\ntrack: [nota]", ["9: track: 'nota' is not found in columns; add it there or write another name"]),
    ("key: [id]", "key: [id]\nwrite: history\nchanged_at: note", None),
    ("key: [id]", "key: [id]\nchanged_at: note", ["7: changed_at: works only with write: history; remove it, or write that"]),
    ("key: [id]", "key: [id]\ntrack: [note]", ["7: track: works only with write: history; remove it, or write that"]),
    ("key: [id]", "write: append", None),
    ("key: [id]", "write: replace", None),
    ("key: [id]", "write: replace\nsequence: [id]", ["7: sequence: replace loads whole snapshots in order of name; remove it"]),
    ("key: [id]", "write: soft_delete", ["1: key: soft_delete needs the columns that identify a row; name them"]),
    ("key: [id]", "key: [id]\npartial: true\nwrite: soft_delete", ["7: partial: soft_delete takes only whole rows; write upsert"]),
    ("key: [id]", "key: [id]\npartial: true", None),
    ("varchar(9)}", "super}\npartial: true", ["10: partial: column 'note' of type super needs whole rows; remove one of them"]),
    ("header: false", "header: false, unsupplied: NOSUP", ["5: source.options.unsupplied: says that rows are partial; add partial: true as well"]),
    ("header: false", "header: false, unsupplied: 'NULL'", ["5: source.options.unsupplied: 'NULL' already stands for null; write another text"]),
    ("  format: dms_csv\n", "  format: dms_csv\n  before_image: BI_\n", ["5: source.before_image: 'BI_id' is not found in source.fields; add it there or write another name"]),
    ("  format: dms_csv\n", "  format: dms_csv\n  fields: [id, BI_id, note]\n  before_image: BI_\n", None),
    ("  format: dms_csv\n", "  format: dms_csv\n  operations: {I: insert, X: erase}\n", ["5: source.operations.X: 'erase' is not supported; write 'insert', 'update', 'delete' or 'truncate'"]),
    ("key: [id]\n", "key: [id]\nwrite: replace\n", None),
    ('  options: {header: false, null: "NULL"}\nkey: [id]\n', "  operations: {T: truncate}\nwrite: replace\nkey: [id]\n", ["5: source.operations: replace loads only whole snapshots, and no truncate; remove it"]),
    # source
    ("  format: dms_csv\n", "", ["2: source.format: is missing; add it"]),
    ("dms_csv", "csv", ["4: source.format: 'csv' is not supported; write 'dms_csv', 'parquet' or 'jsonl'"]),
    ("  format: dms_csv\n", "  format: dms_csv\n  prefx: a/\n", ["5: source.prefx: unknown key (did you mean 'prefix'?); correct or remove it"]),
    ("dms/sales/orders/", "dms/sales/orders", ["3: source.prefix: 'dms/sales/orders' must name a folder: no slash at its start, one at its end; without the last slash 'sales/cust' would also claim 'sales/customers/'"]),
    ("prefix: dms/", "prefix: /dms/", ["3: source.prefix: '/dms/sales/orders/' must name a folder: no slash at its start, one at its end; without the last slash 'sales/cust' would also claim 'sales/customers/'"]),
    ("  format: dms_csv\n", "  format: dms_csv\n  fields: [id, note, Id]\n", ["5: source.fields: 'id' is named more than once; keep one"]),
    ("  format: dms_csv\n", "  format: dms_csv\n  fields: [Op, id, note]\n", ["5: source.fields: 'Op' holds the operation; write another name, here or for source.options.operation"]),
    ("  format: dms_csv\n", "  format: dms_csv\n  fields: [id]\n", ["10: columns.1.from: 'note' is not found in source.fields; add it there or write another name"]),
    ("dms_csv", "jsonl", ["5: source.options.header: is an option for CSV, not for jsonl; remove it", "5: source.options.null: is an option for CSV, not for jsonl; remove it"]),
    ('dms_csv\n  options: {header: false, null: "NULL"}\n', "jsonl\n  options: {operation: op, timestamp: at}\n", None),
    ('dms_csv\n  options: {header: false, null: "NULL"}\n', "parquet\n", None),
    ('{header: false, null: "NULL"}', "{operation: note}", ["9: columns.1.from: 'note' holds the operation; write another name, here or for source.options.operation"]),
    # options
    ("header: false", "header: no thanks", ["5: source.options.header: 'no thanks' is neither true nor false; write one of them"]),
    ("header: false", "headers: false", ["5: source.options.headers: unknown key (did you mean 'header'?); correct or remove it"]),
    ('null: "NULL"', "null: NULL", ["5: source.options.null: has no value; write one, in quotes if it is the word null, or remove the key"]),
    ('null: "NULL"', 'null: "a,b"', ["5: source.options.null: 'a,b' holds the delimiter, a quote or a line end; write another text"]),
    ('null: "NULL"', "delimiter: '\"'", ["5: source.options.delimiter: '\"' cannot separate columns; write ','"]),
    ('null: "NULL"', 'delimiter: ""', ["5: source.options.delimiter: is empty; write at least one"]),
    ('null: "NULL"', "timestamp: 5", ["5: source.options.timestamp: 5 is not text; put it in quotes"]),
    # columns
    ("name: note, type: varchar(9)", "name: note", ["9: columns.1.type: is missing; add it"]),
    ("name: note,", "name: id,", ["9: columns.1.name: 'id' is named more than once; keep one"]),
    ("name: note,", "name: Note,", ["9: columns.1.name: Redshift folds 'Note' to lower case; write 'note'"]),
    ("name: note,", "name: xmin,", ["9: columns.1.name: 'xmin' is a system column of Redshift; choose another name"]),
    ("name: note,", "name: _position,", ["9: columns.1.name: '_position' is a metadata column of Tidegate; choose another name"]),
    ("name: note,", "name: on,", ["9: columns.1.name: True is not text; put it in quotes"]),
    ("name: note,", "name: a.b,", ["9: columns.1.name: 'a.b' holds a dot, which separates schema and table; remove it"]),
    ("name: note,", "name: 'note ',", ["9: columns.1.name: 'note ' begins or ends with a blank; remove it"]),
    ("name: note,", 'name: "a\\tb",', ["9: columns.1.name: 'a\\tb' holds a control character; remove it"]),
    ("name: note,", "name: note, frm: x,", ["9: columns.1.frm: unknown key (did you mean 'from'?); correct or remove it"]),
    ("name: note,", "name: note, from: Op,", ["9: columns.1.from: 'Op' holds the operation; write another name, here or for source.options.operation"]),
    ("varchar(9)", "text", ["9: columns.1.type: 'text' is not a type of a contract; write varchar(n)"]),
    ("bigint", "super", ["6: key: column 'id' is super, which cannot be a key; choose another"]),
    ("bigint", "double", ["6: key: column 'id' is double, which cannot be a key; choose another"]),
    ("key: [id]", "key: [id]\nsequence: [id]", None),
    ("key: [id]", "key: [id]\nsequence: [id, {name: note, as: lsn}]", None),
    ("key: [id]", "key: [id]\nsequence: [id, {name: note}]", None),
    ("key: [id]\ncolumns:\n", "key: [id]\nsequence: [{name: x, as: number}]\ncolumns:\n  - {name: x, type: real}\n", None),
    ("key: [id]", "key: [id]\nsequence: [id, {name: note, as: scn}]", ["7: sequence.1.as: 'scn' is not supported; write 'lsn', 'binlog', 'number', 'hex', 'timestamp' or 'text'"]),
    ("key: [id]", "key: [id]\nsequence: [{nam: note, as: lsn}]", ["7: sequence.0.nam: unknown key (did you mean 'name'?); correct or remove it", "7: sequence.0.name: is missing; add it"]),
    ("key: [id]", "key: [id]\nsequence: [{as: lsn}]", ["7: sequence.0.name: is missing; add it"]),
    ("key: [id]", "key: [id]\nsequence: [5]", ["7: sequence.0.name: 5 is not text; put it in quotes"]),
    ("key: [id]", "key: [id]\nsequence: [{name: nota, as: lsn}]", ["7: sequence: 'nota' is not found in source.fields; add it there or write another name"]),
    ("key: [id]", "key: [id]\nsequence: [id, {name: id, as: hex}]", ["7: sequence: 'id' is named more than once; keep one"]),
    ("key: [id]\ncolumns:\n", "key: [id]\nsequence: [x]\ncolumns:\n  - {name: x, type: real}\n", ["7: sequence: column 'x' is real, which has no exact order; choose another"]),
    # more than one
    ("key: [id]", "kee: 1\nkey: [idd]\nsortkey: [nid]", ["6: kee: unknown key (did you mean 'key'?); correct or remove it", "7: key: 'idd' is not found in columns; add it there or write another name", "8: sortkey: 'nid' is not found in columns; add it there or write another name"]),
    ("varchar(9)}", "varchar(9)}\n  - {name: note, type: super}\n  - {name: is_current, type: date}\nwrite: history\ntrack: [x]", ["1: changed_at: history needs it; name the source column with the time of a change", "10: columns.2.name: 'note' is named more than once; keep one", "11: columns.3.name: history adds 'is_current' itself; choose another name", "13: track: 'x' is not found in columns; add it there or write another name"]),
    # nothing, and more than a contract can be
    ("key: [id]", "key:", ["6: key: has no value; write one, in quotes if it is the word null, or remove the key"]),
    ("key: [id]", "key: {id: integer}", ["6: key: is a mapping; write a list"]),
    ("  format: dms_csv\n", "  format: dms_csv\n  operations: [I]\n", ["5: source.operations: is not a mapping; write key: value lines below it"]),
    ("sales.orders", '"\\ud800.x"', ["1: holds half of a character; write the whole character"]),
    ("prefix: dms/", "prefix: s3://landing/", ["3: source.prefix: 's3://landing/sales/orders/' includes the bucket; write only the path after it"]),
    ("prefix: dms/", "prefix: awsdms_x/", ["3: source.prefix: 'awsdms_x/sales/orders/' is for control tables of DMS, which are never loaded; name another folder"]),
    ("prefix: dms/", f"prefix: {'x' * 1024}/", ["3: source.prefix: is longer than the 1024 bytes of a key in S3; shorten it"]),
    ("key: [id]", 'key: !!int ""', ["6: '' is not a value; put it in quotes"]),
    ("key: [id]", "key: !!bool maybe", ["6: 'maybe' is not a value; put it in quotes"]),
    ("key: [id]", "key: !!timestamp now", ["6: 'now' is not a value; put it in quotes"]),
    ("key: [id]", "key: [id]\n# \x00", ["7: holds a character U+0000; remove it"]),
    ("key: [id]", "key: " + "[" * 3000, ["1: is nested too deeply, or an alias holds itself; write it out"]),
    ("key: [id]", "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)), ["6: is too large for a contract; write less"]),
    # YAML
    (GOOD, "", ["1: is empty; write a contract or remove the file"]),
    (GOOD, "# nothing\n", ["1: is empty; write a contract or remove the file"]),
    (GOOD, "- a\n- b\n", ["1: is not a mapping; write key: value lines below it"]),
    (GOOD, "just words", ["1: is not a mapping; write key: value lines below it"]),
    ("key: [id]", "key: [id]\nkey: [note]", ["7: key 'key' is here twice; keep one"]),
    ("  format", "\tformat", ["4: is not YAML: found character '\\t' that cannot start any token; correct it"]),
    ("key: [id]", "key: [id", ["7: is not YAML: expected ',' or ']', but got ':'; correct it"]),
    ("key: [id]", "? [id]\n: 1", ["6: a key is not plain text; write key: value"]),
    ("key: [id]", "key: &a [*a]", ["1: is nested too deeply, or an alias holds itself; write it out"]),
    ("key: [id]", "key: !tag [id]", None),
    ("key: [id]", "key: [!tag id]", ["6: is not YAML: could not determine a constructor for the tag '!tag'; correct it"]),
    ("key: [id]", "key: [2024-13-45]", ["6: '2024-13-45' is not a value: month must be in 1..12; put it in quotes"]),
    ("key: [id]", "key: [id]\n--- more", ["7: is not YAML: but found another document; correct it"]),
]  # fmt: skip


def mistakes(folder: Path, **files: str | bytes) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return [str(mistake).removeprefix(f"{folder}/") for mistake in check_contracts([folder])[1]]


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES)
def test_each_mistake_is_named_with_line_and_remedy(tmp_path, right, wrong, said):
    assert GOOD.count(right) >= 1
    text = GOOD.replace(right, wrong, 1)
    assert mistakes(tmp_path, orders=text) == [f"orders.yaml:{line}" for line in said or []]


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES)
def test_each_mistake_is_named_alike_in_a_file_that_is_too_long_for_libyaml(
    tmp_path, right, wrong, said
):
    text = GOOD.replace(right, wrong, 1) + "\n\n#" + "x" * 10_000
    assert mistakes(tmp_path, orders=text) == [f"orders.yaml:{line}" for line in said or []]


@pytest.mark.parametrize("levels", ["[", "{a: ", "- ", "? "])
def test_file_that_is_nested_very_deeply(tmp_path, levels):
    assert mistakes(tmp_path, a=levels * 50_000) == [
        "a.yaml:1: is nested too deeply, or an alias holds itself; write it out"
    ]


def test_all_mistakes_of_all_files_are_named_at_once(tmp_path):
    wrong = GOOD.replace("bigint", "int").replace("dms_csv", "tsv")
    assert mistakes(tmp_path, b=wrong, a="") == [
        "a.yaml:1: is empty; write a contract or remove the file",
        "b.yaml:4: source.format: 'tsv' is not supported; write 'dms_csv', 'parquet' or 'jsonl'",
        "b.yaml:8: columns.0.type: 'int' is not a type of a contract; write integer",
    ]


def test_file_that_is_not_utf_8(tmp_path):
    text = GOOD.encode().replace(b"note", b"n\xf6te")
    at = text.index(b"\xf6")
    assert mistakes(tmp_path, a=text) == [
        f"a.yaml:1: byte {at} is not UTF-8; save the file as UTF-8"
    ]


def test_file_that_is_not_there(tmp_path):
    [mistake] = check_contracts([tmp_path / "none.yaml"])[1]
    assert str(mistake).endswith(
        "none.yaml:1: cannot be read: No such file or directory; give a file or a folder"
    )


def test_two_contracts_for_one_table(tmp_path):
    other = GOOD.replace("dms/sales", "dms/other")
    [said] = mistakes(tmp_path, a=GOOD, b=other)
    assert said.startswith("b.yaml:1: table: 'sales.orders' has a contract already; keep one")
    assert said.endswith(f"(see {tmp_path}/a.yaml)")


def test_two_tables_that_would_share_their_control_tables(tmp_path):
    one = GOOD.replace("sales.orders", "a__b.c")
    two = GOOD.replace("sales.orders", "a.b__c").replace("dms/sales", "dms/other")
    [said] = mistakes(tmp_path, one=one, two=two)
    assert said.startswith("two.yaml:1: table: 'a.b__c' would share control tables; rename")


@pytest.mark.parametrize("prefix", ["dms/sales/orders/", "dms/sales/", "dms/sales/orders/late/"])
def test_two_contracts_that_claim_the_same_objects(tmp_path, prefix):
    other = GOOD.replace("sales.orders", "sales.other").replace("dms/sales/orders/", prefix)
    [said] = mistakes(tmp_path, a=GOOD, b=other)
    assert said.startswith(f"b.yaml:3: source.prefix: {prefix!r} and 'dms/sales/orders/' claim the")


def test_prefixes_that_only_begin_alike_do_not_overlap(tmp_path):
    other = GOOD.replace("sales.orders", "sales.other").replace("orders/", "orders2/")
    assert mistakes(tmp_path, a=GOOD, b=other) == []


def test_reading_gives_contracts_by_table_or_all_mistakes(tmp_path):
    mistakes(tmp_path, z=GOOD, a=GOOD.replace("sales.o", "sales.p").replace("dms/", "x/"))
    assert [found.table for found in read_contracts(tmp_path)] == ["sales.orders", "sales.prders"]
    mistakes(tmp_path, bad="", worse="[")
    with pytest.raises(ContractError, match=r"bad\.yaml:1: is empty.*\n.*worse\.yaml:1: is not"):
        read_contracts(tmp_path)


@pytest.mark.parametrize("name", ["select", 'a "b"', "per%cent", "{x}", "a;b", "it's", "日本"])
def test_names_that_need_quotes_are_right(tmp_path, name):
    quoted = "'" + name.replace("'", "''") + "'"
    assert mistakes(tmp_path, a=GOOD.replace("name: note", f"name: {quoted}")) == []


def test_names_are_measured_in_bytes(tmp_path):
    fits, long = "é" * 63 + "x", "é" * 64
    assert mistakes(tmp_path, a=GOOD.replace("name: note", f"name: {fits}")) == []
    [said] = mistakes(tmp_path, a=GOOD.replace("name: note", f"name: {long}"))
    assert said.endswith("is longer than Redshift's 127 bytes; shorten it")
    [said] = mistakes(tmp_path, a=GOOD.replace("sales.orders", "s." + "o" * 115))
    assert "__truncations' would have more than 127 bytes; shorten schema or table" in said


def test_mistakes_of_values_do_not_hide_those_between_keys(tmp_path):
    wrong = """\
table: shop.orders
source:
  prefix: /dms/orders
  format: dms_csv
  options: {header: "yes", nul: x}
  operations: {c: create}
key: [order]
freshness: soon
columns:
  - {name: id, type: number}
  - {name: id, type: smallint}
distkey: nope
sortkey: [nada]
"""
    said = [line.partition(": ")[2].partition(":")[0] for line in mistakes(tmp_path, a=wrong)]
    assert said == [
        "source.prefix",
        *("source.options.header", "source.options.nul", "source.operations.c"),
        *("key", "freshness", "columns.0.type", "columns.1.name", "distkey", "sortkey"),
    ]


def test_contracts_of_the_repository_are_right():
    assert check_contracts([Path(__file__).parents[2] / "tables"])[1] == []
