"""Builds each step with its AWS clients, ledger and buckets, at the first call."""

import os
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tidegate.contract import CompiledContracts
from tidegate.finishing.commit_batch import CommitBatch
from tidegate.finishing.fail_batch import FailBatch
from tidegate.landing.register_files import RegisterFiles
from tidegate.landing.routing import Router
from tidegate.ledger import (
    Catalogue,
    FileHistory,
    FileLedger,
    LedgerTable,
    RefreshLedger,
    StateLedger,
)
from tidegate.planning.plan_batch import PlanBatch
from tidegate.planning.plan_refresh import PlanRefresh
from tidegate.planning.schema_drift import Evolve
from tidegate.planning.snapshots import Snapshots
from tidegate.runs import is_running, start_run
from tidegate.settings import (
    CommitBatchSettings,
    FailBatchSettings,
    PlanBatchSettings,
    RegisterFilesSettings,
    SweepTablesSettings,
    read_settings,
)
from tidegate.storage.work_bucket import WorkBucket
from tidegate.sweeping.sweep_tables import FindMissed, SweepTables

if TYPE_CHECKING:
    from tidegate.planning.column_names import ReadNames
    from tidegate.preparing.prepare_chunk import PrepareChunk

_RETRYING = Config(retries={"mode": "standard", "max_attempts": 8})
_SHARE_FOR_DUCKDB = 0.6  # of a function's memory; Python, boto3 and their buffers need the rest


@cache
def client(service: str) -> Any:  # noqa: ANN401  (one of many types; callers say which)
    """Return the AWS client of `service`; the process makes it once."""
    return boto3.client(service, config=_RETRYING)  # type: ignore[call-overload]


@cache
def register_files() -> RegisterFiles:
    """Build the step register_files."""
    settings = read_settings(RegisterFilesSettings, os.environ)
    ledger = LedgerTable(client("dynamodb"), settings.ledger_table)
    return RegisterFiles(
        router=Router(CompiledContracts(settings.contracts).routes),
        files=FileLedger(ledger),
        history=FileHistory(ledger),
        states=StateLedger(ledger),
        start=partial(start_run, client("stepfunctions"), settings.state_machine_arn),
    )


@cache
def plan_batch() -> PlanBatch:
    """Build the step plan_batch."""
    settings = read_settings(PlanBatchSettings, os.environ)
    ledger = LedgerTable(client("dynamodb"), settings.ledger_table)
    files, history = FileLedger(ledger), FileHistory(ledger)
    return PlanBatch(
        contracts=CompiledContracts(settings.contracts),
        files=files,
        history=history,
        states=StateLedger(ledger),
        refreshes=RefreshLedger(ledger),
        plan_refresh=PlanRefresh(Snapshots(client("s3"), settings.landing_bucket), files, history),
        evolve=Evolve(lambda contract, files: _read_names()(contract, files)),
        work=WorkBucket(client("s3"), settings.work_bucket),
        copy_role=settings.copy_role,
        lease_seconds=settings.lease_seconds,
    )


@cache
def _read_names() -> "ReadNames":
    """Build the reader of column names. Only `evolve: add` needs it, since DuckDB starts slowly."""
    from tidegate.planning.column_names import ReadNames
    from tidegate.preparing.database import Database

    settings = read_settings(PlanBatchSettings, os.environ)
    database = Database(int(settings.memory_size * _SHARE_FOR_DUCKDB) << 20)
    return ReadNames(client("s3"), settings.landing_bucket, database)


@cache
def prepare_chunk() -> "PrepareChunk":
    """Build the step prepare_chunk. Only its function and plan_batch's have DuckDB."""
    from tidegate.preparing.database import Database
    from tidegate.preparing.prepare_chunk import PrepareChunk
    from tidegate.settings import PrepareChunkSettings

    settings = read_settings(PrepareChunkSettings, os.environ)
    return PrepareChunk(
        s3=client("s3"),
        landing_bucket=settings.landing_bucket,
        work=WorkBucket(client("s3"), settings.work_bucket),
        database=Database(int(settings.memory_size * _SHARE_FOR_DUCKDB) << 20),
    )


@cache
def commit_batch() -> CommitBatch:
    """Build the step commit_batch."""
    settings = read_settings(CommitBatchSettings, os.environ)
    ledger = LedgerTable(client("dynamodb"), settings.ledger_table)
    return CommitBatch(
        files=FileLedger(ledger),
        states=StateLedger(ledger),
        work=WorkBucket(client("s3"), settings.work_bucket),
    )


@cache
def fail_batch() -> FailBatch:
    """Build the step fail_batch."""
    settings = read_settings(FailBatchSettings, os.environ)
    ledger = LedgerTable(client("dynamodb"), settings.ledger_table)
    publish = partial(client("sns").publish, TopicArn=settings.alerts_topic_arn)
    return FailBatch(
        states=StateLedger(ledger),
        refreshes=RefreshLedger(ledger),
        work=WorkBucket(client("s3"), settings.work_bucket),
        notify=lambda subject, text: publish(Subject=_subject(subject), Message=text),
        most_attempts=settings.max_attempts,
        retry_seconds=settings.retry_seconds,
    )


@cache
def sweep_tables() -> SweepTables:
    """Build the part of sweep_tables that starts tables which are due."""
    settings = read_settings(SweepTablesSettings, os.environ)
    ledger = LedgerTable(client("dynamodb"), settings.ledger_table)
    return SweepTables(
        routes=CompiledContracts(settings.contracts).routes,
        catalogue=Catalogue(ledger),
        states=StateLedger(ledger),
        start=partial(start_run, client("stepfunctions"), settings.state_machine_arn),
        is_running=partial(is_running, client("stepfunctions")),
    )


def find_missed(has_time: Callable[[], bool]) -> FindMissed:
    """Build the part of sweep_tables that finds objects whose event was lost."""
    settings = read_settings(SweepTablesSettings, os.environ)
    ledger = LedgerTable(client("dynamodb"), settings.ledger_table)
    return FindMissed(
        register=register_files(),
        catalogue=Catalogue(ledger),
        files=FileLedger(ledger),
        s3=client("s3"),
        landing_bucket=settings.landing_bucket,
        has_time=has_time,
    )


def _subject(text: str) -> str:
    # SNS accepts ASCII without control characters, and fewer than 100 characters:
    # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    return text.encode("ascii", "replace").decode()[:99]
