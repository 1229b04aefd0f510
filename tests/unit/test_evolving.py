"""plan_batch adds the columns that files bring, and refuses contracts that do not go on."""

import gzip
from dataclasses import replace

import pytest

from tests.unit.samples import LANDED_AT, PREFIX, Workshop, contract, parquet
from tests.unit.test_planning import REQUEST, TABLE, Planning
from tidegate.batch.applied import (
    AppliedContract,
    applied_contract,
    begins_anew,
    refuse_incompatible,
)
from tidegate.batch.plan import BatchFolder, Outcome, Plan, PreparedChunk, PreparedFile
from tidegate.contract import Contract
from tidegate.errors import ContractError
from tidegate.finishing.commit_batch import CommitBatch
from tidegate.planning.column_names import ReadNames
from tidegate.planning.plan_batch import Planned
from tidegate.planning.schema_drift import Evolved, add_known, add_new

NAMED = {"header": True}
COLUMNS = {"id": "integer", "name": "varchar(8)"}


def of(evolve: str = "add", options: dict | None = None, **more) -> Contract:
    return contract(**({"columns": COLUMNS} | more), options=NAMED | (options or {}), evolve=evolve)


class Evolving(Planning):
    """plan_batch over files that are there, and the commit of what it planned."""

    def __init__(self) -> None:
        super().__init__()
        self.deploy(of())

    def deploy(self, contract: Contract) -> None:
        self.step = replace(self.step, contracts={contract.table: contract})

    def put(self, name: str, content: bytes, landed_at: int = LANDED_AT) -> None:
        self.files.register(TABLE, [self.shop.land(PREFIX + name, content, of(), landed_at)])
        self.states.wake(TABLE, landed_at=1)

    def plan(self) -> tuple[Planned, Plan]:
        planned = self.step(REQUEST, "run", 0)
        return planned, self.read(planned)

    def commit(self) -> Plan:
        planned, plan = self.plan()
        folder = BatchFolder(TABLE, plan.batch, plan.fence)
        for number, chunk in enumerate(plan.chunks):
            became = [PreparedFile(id=file.id) for file in chunk]
            self.work.write(folder.prepared(number), PreparedChunk(files=became))
        self.work.write(folder.outcome, Outcome())
        CommitBatch(self.files, self.states, self.work)(planned.plan)
        return plan


@pytest.fixture
def evolving(aws) -> Evolving:
    return Evolving()


@pytest.fixture
def shop(aws) -> Workshop:
    return Workshop()


def columns(contract: Contract) -> dict[str, str]:
    return {column.name: str(column.type) for column in contract.columns}


def test_new_column_stands_in_the_plan_and_in_the_sql_of_its_batch(evolving):
    evolving.put("20240809-1.csv", b"Op,id,Remark,name\n")
    planned, plan = evolving.plan()
    assert columns(plan.read_contract()) == COLUMNS | {"remark": "varchar(65535)"}
    assert plan.read_contract().columns[-1].source == "Remark"
    assert '"remark" varchar(65535)' in plan.load.create_stage.sql
    assert (plan.columns_added, planned.columns_added) == (["remark"], ["remark"])


def test_columns_that_are_new_go_into_the_log_and_not_into_the_execution(evolving):
    evolving.put("1.csv", b"Op,id,name,remark,ctid\n")
    planned, _ = evolving.plan()
    told = "'ctid' is a system column of Redshift; choose another name"
    assert planned.columns_unread == {"ctid": told}
    assert {"columns_added", "columns_unread"} & set(planned.model_dump()) == set()


def test_ledger_remembers_the_column_once_its_batch_is_applied(evolving):
    evolving.put("1.csv", b"Op,id,name,Remark\n")
    evolving.plan()
    assert evolving.states.read(TABLE).applied is None
    first = evolving.commit()
    evolving.put("2.csv", b"Op,id,name\n")
    second = evolving.commit()
    assert (first.columns_added, second.columns_added) == (["remark"], [])
    assert "remark" in columns(second.read_contract())
    record = evolving.ledger.get(f"TABLE#{TABLE}", f"BATCH#{first.batch:013d}")
    assert record["columns_added"] == ["remark"]


def test_batch_that_is_planned_again_adds_its_columns_again(evolving):
    evolving.put("1.csv", b"Op,id,name,remark\n")
    _, first = evolving.plan()
    _, again = evolving.plan()
    assert (again.batch, again.columns_added) == (first.batch, ["remark"])
    assert again.read_contract() == first.read_contract()


@pytest.mark.parametrize("evolve", ["ignore", "refuse"])
def test_headers_are_read_with_add_only(evolving, evolve, monkeypatch):
    evolving.deploy(of(evolve))
    monkeypatch.setattr(ReadNames, "_names", lambda *_: pytest.fail("read a header"))
    evolving.put("1.csv", b"Op,id,name,remark\n")
    _, plan = evolving.plan()
    assert columns(plan.read_contract()) == COLUMNS


def names(shop: Workshop, content: bytes, contract: Contract | None = None) -> list[str]:
    contract = contract or of()
    found = shop.evolve(contract, None, [shop.land(PREFIX + "1", content, contract)])
    return found.added


@pytest.mark.parametrize(
    "content",
    [
        b"id,name,new\n1,a,x\n",
        b"\xef\xbb\xbfid,name,new\r\n1,a,x\r\n",
        b"id,name,new",
        b'\n"id","name","new"\n',
        gzip.compress(b"id,name,new\n" + b"1,a,x\n" * 99_999),
        b"id,name,new\n" + b"1,a,x\n" * 99_999,
    ],
    ids=["plain", "mark", "no end", "quoted", "gzip", "long"],
)
def test_header_is_read_from_the_first_bytes_of_a_file(shop, content):
    assert names(shop, content) == ["new"]


def test_header_of_more_than_64_kilobytes_is_read_whole(shop):
    many = [f"column_{number}_{'x' * 100}" for number in range(700)]
    header = ",".join(["id", "name", *many, "new"]).encode()
    assert names(shop, header + b"\n1,a\n", of(fields=["id", "name", *many])) == ["new"]


@pytest.mark.parametrize(
    "content",
    [b"", b"id,name,new,new\n", b"secret,values\n", b"\xff\xfe\n", b'id,name,"new', b"\x1f\x8bno"],
    ids=["empty", "repeated", "no key", "not text", "open quote", "no gzip"],
)
def test_file_that_will_be_quarantined_adds_no_column(shop, content):
    assert names(shop, content) == []


@pytest.mark.parametrize("packed", [False, True])
def test_fields_of_json_are_read_to_the_last_line(shop, packed):
    content = b'{"id": 1, "name": "a"}\n' * 99_999 + b'{"id": 2, "new": null}\n[]\n{"late'
    known = contract(evolve="add", written_as="jsonl")
    assert names(shop, gzip.compress(content) if packed else content, known) == ["new"]


@pytest.mark.parametrize("more", [3, 2_000])
def test_columns_of_parquet_are_read_from_its_end(shop, more):
    known = [f"known_{number}" for number in range(more)]
    selected = ", ".join(f"range as {name}" for name in ["id", "name", *known, "new"])
    content = parquet(f"select {selected} from range(50_000 // {more})")
    of_parquet = contract(evolve="add", written_as="parquet", fields=["id", "name", *known])
    assert names(shop, content, of_parquet) == ["new"]


@pytest.mark.parametrize(
    ("written_as", "content"),
    [
        ("jsonl", b""),
        ("jsonl", b"id,name,new\n"),
        ("jsonl", b"\x1f\x8bno"),
        ("parquet", b""),
        ("parquet", b"PAR1"),
        ("parquet", b"id,name,new\n1,a,x\n"),
        ("parquet", b"PAR1" + b"\xff" * 100 + b"PAR1"),
    ],
)
def test_file_that_is_not_of_its_format_adds_no_column(shop, written_as, content):
    assert names(shop, content, contract(evolve="add", written_as=written_as)) == []


def test_parquet_without_the_key_adds_no_column(shop):
    content = parquet("select 1 as name, 2 as new")
    assert names(shop, content, contract(evolve="add", written_as="parquet")) == []


def test_file_that_is_gone_adds_no_column(shop):
    file = shop.land(PREFIX + "1", b"id,name,new\n", of())
    shop.s3.delete_object(Bucket=shop.landing, Key=file.key)
    assert shop.evolve(of(), None, [file]).added == []


def test_fields_of_the_source_are_known_and_not_wanted(shop):
    known = of(fields=["id", "name", "unwanted"])
    assert names(shop, b"id,name,unwanted,new\n", known) == ["new"]


def test_what_orders_changes_and_the_images_of_what_was_before_are_no_new_columns(shop):
    known = contract(
        {"id": "integer", "name": "varchar(8)"},
        source={
            "prefix": PREFIX,
            "format": "dms_csv",
            "options": NAMED | {"timestamp": "at"},
            "before_image": "BI_",
        },
        sequence=["seq"],
        evolve="add",
    )
    content = b"Op,at,seq,BI_id,BI_name,BI_new,BI_other,id,name,new\n"
    assert names(shop, content, known) == ["BI_other".lower(), "new"]


def grown(*headers: list[str], of_: Contract | None = None) -> Evolved:
    return add_new(of_ or of(), of_ or of(), headers)


def test_columns_of_several_files_are_added_in_the_order_of_the_files():
    found = grown(["id", "name", "b"], ["id", "a", "name", "b"])
    assert found.added == ["b", "a"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("NAME", "the table has a column 'name' already"),
        ("_Batch", "'_batch' is a metadata column of Tidegate; choose another name"),
        ("valid_FROM", "the table has a column 'valid_from' already"),
        (" new", "' new' begins or ends with a blank; remove it"),
        ("", "a name cannot be empty"),
        ("x" * 128, f"'{'x' * 128}' is longer than Redshift's 127 bytes; shorten it"),
    ],
)
def test_name_that_redshift_cannot_hold_is_left_unread_with_its_reason(name, why):
    history = of(write="history", options={"timestamp": "at"})
    assert grown(["id", "name", name], of_=history).unread == {name: why}


@pytest.mark.parametrize(("declared", "most"), [(2, 502), (1_590, 1_592)])
def test_table_takes_no_more_columns_than_redshift_and_the_ledger_do(declared, most):
    wide = of(columns={"id": "integer"} | {f"d{n}": "date" for n in range(1, declared)})
    found = grown(["id", *(f"c{n}" for n in range(600))], of_=wide)
    assert len(found.contract.columns) == most
    assert Contract.model_validate(found.contract.as_written()) == found.contract
    assert (len(found.added), len(found.unread)) == (most - declared, 600 - (most - declared))
    assert found.unread["c599"].startswith(f"the table has {most} columns already; ")


def test_column_that_its_contract_names_by_now_is_read_as_it_says():
    before = applied_contract(*_applied(grown(["id", "name", "Remark", "Other"])))
    renamed = of(columns=COLUMNS | {"Remark".lower(): "varchar(65535)"})
    assert columns(add_known(renamed, before)) == columns(renamed) | {"other": "varchar(65535)"}
    moved = of(fields=["id", "name", "Remark", "Other"])
    assert columns(add_known(moved, before)) == COLUMNS
    assert columns(add_known(of("ignore"), before)) == COLUMNS


def test_columns_of_partial_rows_keep_their_places():
    partial = of(partial=True)
    before = applied_contract(*_applied(grown(["id", "name", "remark"], of_=partial)))
    more = of(columns={"city": "varchar(9)", **COLUMNS}, partial=True)
    assert list(columns(add_known(more, before))) == ["id", "name", "remark", "city"]


def _applied(found: Evolved) -> tuple[Contract, list]:
    return found.contract, found.columns


REGION = COLUMNS | {"region": "char(2)"}
HISTORY = {"write": "history", "changed_at": "id"}


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (of(), of(write="append"), r"\(write was upsert, is append; key was \['id'\], is \[\]\)"),
        (of(), of(partial=True), r"\(partial was False, is True\)"),
        (
            of(columns=REGION),
            of(columns=REGION, key=("region", "id")),
            r"\(key was \['id'\], is \['id', 'region'\]\)",
        ),
        (
            of(columns=REGION, partial=True),
            of(partial=True),
            r"\(columns lacks region, which partial rows are remembered with\)",
        ),
        (
            of(columns=REGION, **HISTORY),
            of(columns=REGION, track=["region"], **HISTORY),
            r"\(track was \[\], is \['region'\]\)",
        ),
        (
            of(columns=REGION, **HISTORY),
            of(**HISTORY),
            r"\(columns lacks region, which versions are told apart by\)",
        ),
    ],
)
def test_contract_that_does_not_go_with_what_was_loaded_is_refused(before, now, said):
    with pytest.raises(
        ContractError, match=rf"^sales\.orders was loaded otherwise .* {said}; chan"
    ):
        refuse_incompatible(now, applied_contract(before, []), refreshes=True, altered=False)


def test_other_order_of_changes_needs_a_refresh():
    before, now = of(sequence=["id"]), of(sequence=["id", "name"])
    with pytest.raises(ContractError, match=r"or begin anew: tidegate refresh sales\.orders$"):
        refuse_incompatible(now, applied_contract(before, []), refreshes=False, altered=False)
    refuse_incompatible(now, applied_contract(before, []), refreshes=True, altered=False)


@pytest.mark.parametrize(
    ("sequence", "watermark", "goes_on"),
    [
        ([], "000001 1  20240809-192717787.csv!/1723231637!/2024/08/09 0000000004", True),
        ([], "000001 0  1723231637!/LOAD0000000A.csv.gz 0000000004", True),
        ([], "000001 1  a!Pb.csv!/1723231637 0000000004", True),
        ([], "000001 1  part_10.csv!/1723231637 0000000004", False),
        ([], "000001 0  1723231637!/LOAD_9.csv 0000000004", False),
        (["seq"], f"000001 1 20240809{'0' * 27} 20240809-192717787.csv!/1723231637 1", True),
        (["seq"], f"000001 1 1{'0' * 33}7 20240809-192717787.csv!/1723231637 1", True),
        (["seq"], "000001 1 0007 20240809-192717787.csv!/1723231637 1", False),
        (["id", "seq"], "000001 1 0000007 F/FF 20240809-192717787.csv!/1723231637 1", False),
        (["id"], "000001 1 0000000000000000007 20240809-192717787.csv!/1723231637 1", True),
        (["id", "seq"], "000001 0  1723231637!/LOAD00000001.csv 0000000004", True),
        ([], None, True),
    ],
)
def test_positions_that_are_spelled_otherwise_today_need_a_refresh(sequence, watermark, goes_on):
    now = of(sequence=sequence)
    kept = applied_contract(now, []).model_dump(mode="json")
    del kept["spelling"]
    before = AppliedContract.model_validate(kept)
    assert begins_anew(now, before, watermark) is not goes_on
    assert not begins_anew(now, applied_contract(now, []), watermark)
    if not goes_on:
        with pytest.raises(ContractError, match=r"by an older version of Tidegate.* tidegate refr"):
            refuse_incompatible(now, before, watermark, refreshes=False, altered=False)


def test_another_comparison_needs_a_refresh():
    before = applied_contract(of(sequence=["seq"]), [])
    now = of(sequence=[{"name": "seq", "as": "lsn"}])
    assert (before.sequence, applied_contract(now, []).sequence) == (
        {"seq": "varchar"},
        {"seq": "as lsn"},
    )
    with pytest.raises(ContractError, match=r"or begin anew: tidegate refresh sales\.orders$"):
        refuse_incompatible(now, before, refreshes=False, altered=False)


def test_truncations_that_are_no_longer_known_need_a_refresh():
    truncating = of(operations={"I": "insert", "U": "update", "D": "delete", "T": "truncate"})
    before = applied_contract(truncating, [])
    with pytest.raises(ContractError, match=r"has no truncate any more, .* tidegate refresh"):
        refuse_incompatible(of(), before, refreshes=False, altered=False)
    refuse_incompatible(of(), before, refreshes=True, altered=False)
    refuse_incompatible(truncating, applied_contract(of(), []), refreshes=False, altered=False)


def test_batches_before_the_refresh_do_not_change_how_rows_are_ordered():
    before, now = applied_contract(of(sequence=["id"]), []), of(sequence=["name"])
    assert applied_contract(now, [], before).sequence == {"id": "integer"}
    assert applied_contract(now, []).sequence == {"name": "varchar"}


@pytest.mark.parametrize(
    "now",
    [
        of(columns={"city": "varchar(9)", "name": "varchar(99)", "id": "integer"}),
        of("refuse", columns={"id": "integer", "name": "varchar(7)"}),
        of(columns={"id": "integer"}),
        of(freshness="15m", max_deletes="none"),
    ],
    ids=["columns added, moved and widened", "a narrower column", "a column less", "other keys"],
)
def test_contract_that_goes_with_what_was_loaded_is_taken(now):
    refuse_incompatible(
        now, applied_contract(of(sequence=["id"]), []), refreshes=True, altered=False
    )


def test_key_of_a_table_that_finds_no_row_by_it_may_change():
    before = applied_contract(of(write="append"), [])
    refuse_incompatible(of(write="append", key=()), before, refreshes=False, altered=False)


@pytest.mark.parametrize(
    ("evolve", "was", "becomes"),
    [
        ("add", "integer", "bigint"),
        ("add", "decimal(12,2)", "decimal(14,2)"),
        ("add", "decimal(12,2)", "decimal(12,3)"),
        ("add", "varchar(8)", "char(8)"),
        ("add", "char(8)", "char(9)"),
        ("ignore", "varchar(8)", "varchar(9)"),
        ("add", "timestamp", "timestamptz"),
    ],
)
def test_column_that_became_another_is_refused_with_what_it_was(evolve, was, becomes):
    before, now = (of(evolve, columns=COLUMNS | {"x": type_}) for type_ in (was, becomes))
    applied = applied_contract(before, [])
    with pytest.raises(ContractError) as caught:
        refuse_incompatible(now, applied, refreshes=True, altered=False)
    assert str(caught.value) == (
        f"sales.orders: its columns are not what the contract says now (x was {was}, is {becomes});"
        " change it back, or alter them in Redshift and start the table again"
    )
    refuse_incompatible(now, applied, refreshes=False, altered=True)


def test_columns_of_a_blocked_table_are_left_to_the_job_which_sees_what_a_person_altered(evolving):
    evolving.put("1.csv", b"Op,id,name\n")
    evolving.commit()
    evolving.put("2.csv", b"Op,id,name\n")
    evolving.deploy(of(columns={"id": "bigint", "name": COLUMNS["name"]}))
    with pytest.raises(ContractError, match=r"\(id was integer, is bigint\)"):
        evolving.plan()
    evolving.states.block(TABLE, "run", "why")
    evolving.commit()
    evolving.put("3.csv", b"Op,id,name\n")
    evolving.commit()


@pytest.mark.parametrize("evolve", ["ignore", "refuse"])
def test_a_file_loads_though_it_lacks_what_the_contract_gained_after_it_landed(evolving, evolve):
    evolving.deploy(of(evolve))
    evolving.put("1.csv", b"Op,id,name\nI,1,Ann\n")
    evolving.commit()
    evolving.deploy(of(evolve, columns=COLUMNS | {"city": "varchar(9)"}))
    evolving.put("2.csv", b"Op,id,name\nI,2,Bob\n")
    evolving.put("3.csv", b"Op,id,name\nI,3,Cid\n", LANDED_AT + 3600)
    planned, _ = evolving.plan()
    [older], [newer] = (
        evolving.shop.prepare_chunk(planned.plan, number).files for number in planned.chunks
    )
    assert (older.records, older.quarantined) == (1, None)
    assert newer.quarantined == "the header does not name 'city'"


def test_ledger_remembers_when_the_contract_gained_a_column(evolving):
    def deploy_and_load(hour: int, *more: str) -> dict[str, int]:
        evolving.clock.now = LANDED_AT + 3600 * hour
        evolving.deploy(of("ignore", columns=COLUMNS | dict.fromkeys(more, "varchar(9)")))
        evolving.put(f"{hour}.csv", b"Op,id,name\n")
        evolving.commit()
        since = evolving.states.read(TABLE).applied.since
        return {name: (time - LANDED_AT) // 3600 for name, time in since.items()}

    assert deploy_and_load(1) == {}
    assert deploy_and_load(2, "city") == {"city": 2}
    assert deploy_and_load(3, "city", "zip") == {"city": 2, "zip": 3}
    assert deploy_and_load(4, "zip") == {"zip": 3}
    assert deploy_and_load(5, "zip", "city") == {"zip": 3, "city": 5}


def test_column_that_files_of_the_first_batch_brought_is_one_that_came_later(evolving):
    evolving.put("1.csv", b"Op,id,name\nI,1,Ann\n")
    evolving.put("2.csv", b"Op,id,name,city\nI,2,Bob,Bonn\n")
    evolving.commit()
    evolving.deploy(of("refuse", columns=COLUMNS | {"city": "varchar(65535)"}))
    evolving.put("again/1.csv", b"Op,id,name\nI,1,Ann\n")
    planned, _ = evolving.plan()
    [file] = evolving.shop.prepare_chunk(planned.plan, 0).files
    assert (file.records, file.quarantined) == (1, None)


def test_refused_contract_is_not_planned_and_the_old_one_goes_on(evolving):
    evolving.put("1.csv", b"Op,id,name\n")
    evolving.commit()
    evolving.put("2.csv", b"Op,id,name\n")
    evolving.deploy(of(write="append"))
    with pytest.raises(ContractError):
        evolving.plan()
    assert evolving.states.read(TABLE).open_batch is None
    evolving.deploy(of())
    assert [file.key for chunk in evolving.commit().chunks for file in chunk] == [PREFIX + "2.csv"]
