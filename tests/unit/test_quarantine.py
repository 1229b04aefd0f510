"""What could not be loaded is listed with its reason, as it stands now."""

import json

import boto3
import pytest
from typer.testing import CliRunner

from tests.unit.samples import CHANGES, PREFIX, contract, landed, landed_object, ledger_table, plan
from tidegate.batch.plan import BatchFolder, OpenBatch, Outcome, PreparedFile
from tidegate.cli import app
from tidegate.ledger import Catalogue, FileHistory, FileLedger, LedgerTable, StateLedger
from tidegate.quarantine import Quarantine, Refusal
from tidegate.storage.work_bucket import WorkBucket

TABLE = "sales.orders"
COUNTS = {"applied_files": 1, "quarantined_files": 0, "quarantined_rows": 1}
NO_DATE = "column 'at' is not a valid date"


@pytest.fixture
def ledger(aws) -> LedgerTable:
    return ledger_table()


@pytest.fixture
def work(aws) -> WorkBucket:
    work = WorkBucket(boto3.client("s3"), "work")
    work.s3.create_bucket(Bucket=work.name)
    return work


def apply(
    ledger: LedgerTable, batch: int, fence: int, refused: int, *, again: bool = False
) -> None:
    """What commit_batch leaves of a batch of one file, some of whose rows were refused."""
    file = landed()
    became = {file.id: PreparedFile(id=file.id, records=9, refused=refused)}
    FileLedger(ledger).settle(TABLE, batch, [file], became, again=again)
    states = StateLedger(ledger)
    states.open_batch(TABLE, states.acquire(TABLE, "run", 60).fence, batch, "plan.json")
    attempt = plan(contract(), [[file]], batch=batch, fence=fence)
    states.close_batch(TABLE, batch, Outcome(), COUNTS, attempt)


def write(work: WorkBucket, batch: int, fence: int, *rows: tuple[str, int, str]) -> None:
    """What prepare_chunk leaves of refused rows."""
    lines = [dict(zip(["file", "record", "reason"], row, strict=True)) for row in rows]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    key = BatchFolder(TABLE, batch, fence).refused(0)
    work.s3.put_object(Bucket=work.name, Key=key, Body=body)


def test_refused_rows_are_those_of_the_attempt_that_was_applied(ledger, work):
    write(work, 7, 1, (CHANGES, 1, "of an attempt that died"))
    write(work, 7, 2, (CHANGES, 3, NO_DATE))
    apply(ledger, 7, 2, refused=1)
    assert list(Quarantine(ledger, work).refusals(TABLE)) == [
        Refusal(table=TABLE, file=CHANGES, record=3, reason=NO_DATE)
    ]


def test_rows_of_a_file_that_was_loaded_once_more_are_those_of_the_last_time(ledger, work):
    write(work, 7, 1, (CHANGES, 3, NO_DATE), (CHANGES, 4, NO_DATE))
    apply(ledger, 7, 1, refused=2)
    write(work, 8, 2, (CHANGES, 4, NO_DATE))
    apply(ledger, 8, 2, refused=1, again=True)
    found = list(Quarantine(ledger, work).refusals(TABLE))
    assert [refusal.record for refusal in found] == [4]
    apply(ledger, 9, 3, refused=0, again=True)
    assert list(Quarantine(ledger, work).refusals(TABLE)) == []


def test_rows_whose_reasons_are_gone_are_counted(ledger, work):
    apply(ledger, 10, 2, refused=3)
    assert list(Quarantine(ledger, work).refusals(TABLE)) == [
        Refusal(
            table=TABLE,
            file=CHANGES,
            reason="3 of its rows were refused; the rows and their reasons are no longer kept",
        )
    ]


def put(work: WorkBucket, *lines: bytes) -> None:
    key = BatchFolder(TABLE, 7, 2).refused(0)
    work.s3.put_object(Bucket=work.name, Key=key, Body=b"".join(line + b"\n" for line in lines))


def refused_row(record: int, fields: bytes) -> bytes:
    told = {"file": CHANGES, "record": record, "reason": NO_DATE, "operation": "I"}
    return json.dumps(told, separators=(",", ":")).encode()[:-1] + b',"fields":' + fields + b"}"


@pytest.mark.parametrize(
    "fields",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":\r1,\r\t"b":2}',
        b'{"a":' + b"9" * 10_000 + b"}",
        b'{"a":NaN}',
        b'{"a":"\\ud83d"}',
        b'{"a":"\xff"}',
        b'{"a":"' + b"x" * 3_000_000 + b'"}',
        b'{"a":',
    ],
    ids=["deep", "carriage return", "digits", "nan", "surrogate", "not UTF-8", "long", "cut off"],
)
def test_refused_rows_are_told_whatever_they_hold(ledger, work, fields):
    put(work, refused_row(3, fields), refused_row(4, b"{}"))
    apply(ledger, 7, 2, refused=2)
    assert list(Quarantine(ledger, work).refusals(TABLE)) == [
        Refusal(table=TABLE, file=CHANGES, record=record, reason=NO_DATE) for record in (3, 4)
    ]


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"1", b'{"file": 1}', b"\xff", b"[" * 100_000])
def test_line_that_is_not_whole_hides_no_other(ledger, work, line):
    put(work, line, refused_row(4, b"{}"))
    apply(ledger, 7, 2, refused=2)
    broken, whole = Quarantine(ledger, work).refusals(TABLE)
    assert broken.reason.startswith("a line of s3://work/quarantine/sales.orders/")
    assert whole.record == 4


@pytest.fixture
def command(ledger, work, monkeypatch):
    """`tidegate quarantine` with a table, a refused file and an unrouted one."""
    monkeypatch.setenv("TIDEGATE_LEDGER_TABLE", ledger.name)
    monkeypatch.setenv("TIDEGATE_WORK_BUCKET", work.name)
    Catalogue(ledger).publish([contract().table])
    files, file = FileLedger(ledger), landed(PREFIX + "a b,'ü'.csv")
    refused = PreparedFile(id=file.id, records=0, refused=0, quarantined="it is not UTF-8")
    files.settle(TABLE, 7, [file], {file.id: refused})
    files.add_unrouted(landed_object("nobody/claims.csv"))
    return lambda *arguments: CliRunner().invoke(app, ["quarantine", *arguments])


def test_files_and_what_is_unrouted_are_told_a_line_each(command):
    told = [
        f"{TABLE}: {PREFIX}a b,'ü'.csv: it is not UTF-8",
        "unrouted: nobody/claims.csv: no contract claims it",
    ]
    assert command().stdout.splitlines() == told
    assert command(TABLE).stdout.splitlines() == told[:1]
    assert [json.loads(line)["file"] for line in command("--json").stdout.splitlines()] == [
        PREFIX + "a b,'ü'.csv",
        "nobody/claims.csv",
    ]


def test_no_more_is_told_than_was_asked_for_and_that_there_is_more(command):
    ended = command("--limit", "1", "--json")
    assert len(ended.stdout.splitlines()) == 1
    assert ended.stderr == "there are more than 1; raise --limit to see them\n"


def test_table_without_a_contract_is_refused_with_those_that_there_are(command):
    ended = command("sales.nothing")
    assert (ended.exit_code, ended.stderr) == (
        1,
        "there is no contract for 'sales.nothing'; there are contracts for: sales.orders\n",
    )


def test_names_are_shown_on_one_line_and_clipped(ledger, work, command):
    FileLedger(ledger).add_unrouted(landed_object("a\nb\x1b[31m"))
    file = landed(PREFIX + "1")
    refused = PreparedFile(id=file.id, quarantined="the header names " + "x" * 5_000)
    FileLedger(ledger).settle(TABLE, 7, [file], {file.id: refused})
    lines = command().stdout.splitlines()
    assert "unrouted: a\\nb\\x1b[31m: no contract claims it" in lines
    [clipped] = [line for line in lines if "the header names" in line]
    assert (len(clipped), clipped[-2:]) == (2_000, "x…")


def test_file_that_waits_is_set_aside_by_hand_and_waits_again_by_a_replay(ledger, command):
    files, states = FileLedger(ledger), StateLedger(ledger)
    files.register(TABLE, [landed(PREFIX + "1"), landed(PREFIX + "2")])
    before = states.read(TABLE).quarantined_files
    ended = command("add", PREFIX + "1", "--reason", "it is 90 GB")
    assert ended.stdout == f"{PREFIX}1 is set aside; to load it after all, land it again\n"
    assert [file.key for file in files.pending(TABLE)] == [PREFIX + "2"]
    assert f"{TABLE}: {PREFIX}1: set aside by hand: it is 90 GB" in command(TABLE).stdout
    assert states.read(TABLE).quarantined_files == before + 1
    assert FileHistory(ledger).repeat(TABLE, 0, 2**31)
    assert PREFIX + "1" in [file.key for file in files.pending(TABLE)]


def test_file_of_the_open_batch_is_left_to_the_next_attempt(ledger, work, command):
    files, states, file = FileLedger(ledger), StateLedger(ledger), landed(PREFIX + "1")
    files.register(TABLE, [file])
    fence = states.acquire(TABLE, "run", 60).fence
    work.write("plan.json", OpenBatch(epoch=1, chunks=[[file]]))
    states.open_batch(TABLE, fence, 7, "plan.json")
    states.block(TABLE, "run", "LoadFailedError: no")
    first, _ = command("add", file.key).stdout.splitlines()
    assert first == (
        f"{file.key} is in a batch of {TABLE}; to go on without it, run: tidegate start {TABLE}"
    )
    assert files.count_pending(TABLE) == 1
    assert states.read(TABLE).set_aside == {file.id: "set aside by hand"}
    states.close_batch(TABLE, 7, Outcome(), COUNTS)
    assert states.read(TABLE).set_aside == {}


def test_nothing_is_set_aside_while_a_run_works_on_the_table(ledger, command):
    files = FileLedger(ledger)
    files.register(TABLE, [landed(PREFIX + "1")])
    StateLedger(ledger).acquire(TABLE, "run", 60)
    ended = command("add", PREFIX + "1")
    assert (ended.exit_code, files.count_pending(TABLE)) == (1, 1)
    assert ended.stderr.startswith(f"a run works on {TABLE} now; wait for its end")


def test_file_that_does_not_wait_is_not_set_aside(command):
    ended = command("add", "no/such/file")
    assert (ended.exit_code, ended.stderr) == (
        1,
        "'no/such/file' is pending for no table; look at tidegate status and tidegate quarantine\n",
    )
