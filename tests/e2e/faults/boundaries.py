"""Lists every network call of every step, by scenario. Tests kill a process before and after each.

SQS's deliveries are covered too. Before the first call of register_files nothing is done; SQS then
delivers the message again. After its last call everything is done, and SQS still delivers it again.
The same holds for the calls that the state machine makes to other steps. Before a step's first call
nothing is done. After its last call everything is done, but the state machine does not know.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.e2e.faults.calls import Boundary

_REGISTER_FILES = ["dynamodb:TransactWriteItems", "dynamodb:UpdateItem", "states:StartExecution"]
_TAKE_THE_LEASE = ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"]
_OPEN = ["s3:PutObject", "dynamodb:UpdateItem"]  # writes the plan, opens its batch
# Nothing waits any more: plan_batch releases the lease.
_LET_GO = [*_TAKE_THE_LEASE, "dynamodb:UpdateItem"]
_PLAN_BATCH = [*_TAKE_THE_LEASE, *_OPEN, *_LET_GO]
_PLAN_DRIFT = [*_TAKE_THE_LEASE, "s3:GetObject", *_OPEN, *_LET_GO]  # reads the file's columns
_PLAN_RELEASE = [
    "dynamodb:UpdateItem",  # releases the open batch
    *("dynamodb:GetItem", "dynamodb:UpdateItem", "s3:GetObject"),  # plans it again
    "s3:ListObjectsV2",  # did a chunk die?
    *_OPEN,
    *_LET_GO,
]
_ASK = ["dynamodb:GetItem", "dynamodb:UpdateItem"]  # is the refresh done? records the request
_PLAN_REFRESH = [
    *_ASK,
    *_TAKE_THE_LEASE,
    *("s3:ListObjectsV2", "dynamodb:Query", "dynamodb:BatchGetItem"),  # the files, their counts
    *_OPEN,
    "dynamodb:GetItem",  # sees that the refresh is done
    *_LET_GO,
]
# Another run holds the lease: wake that run to do the refresh.
PLAN_BUSY = [*_ASK, "dynamodb:GetItem", "dynamodb:UpdateItem"]
# Makes the files to replay wait again; a file can have either of two states.
_REPEAT = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Query", "dynamodb:TransactWriteItems"]
_PREPARE_CHUNK = ["s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:PutObject"]
_PREPARE_REFUSED = [*_PREPARE_CHUNK, "s3:PutObject"]
_PREPARE_NOTHING = ["s3:GetObject", "s3:GetObject", "s3:PutObject"]
_BEGIN_JOB = ["s3:GetObject", "secretsmanager:GetSecretValue", "redshift:connect", "s3:GetObject"]
_DESCRIBE = ["redshift:set", "redshift:set", "redshift:set", "redshift:select"]
_STAGE = ["redshift:create", "s3:PutObject", "redshift:copy", "redshift:select"]
# Begins the transaction, reads the applied batches and the number of rows.
_LOCK = ["redshift:begin", "redshift:lock", "redshift:select", "redshift:select"]
_RECORD = ["redshift:insert", "redshift:commit", "s3:PutObject"]
_GIVE_UP = ["redshift:rollback", "s3:PutObject"]
_COMMIT_BATCH = [
    *("s3:GetObject", "s3:GetObject", "s3:GetObject", "dynamodb:GetItem"),
    *("dynamodb:TransactWriteItems", "dynamodb:GetItem", "dynamodb:TransactWriteItems"),
]
_MERGE = ["redshift:delete", "redshift:delete", "redshift:insert", "redshift:delete"]
_MERGE_LATE = [
    *("redshift:delete", "redshift:delete"),  # deletes stale changes
    "redshift:select",
    *_MERGE,
    "redshift:merge",
]
_TO_THE_MERGE = [*_BEGIN_JOB, *_DESCRIBE, *_STAGE, *_LOCK]
_FILL = ["redshift:delete", "redshift:insert", "redshift:insert"]
_LOAD_LATE_CHANGES = [*_TO_THE_MERGE, *_MERGE_LATE, *_RECORD]
_LOAD_FIRST = [
    *_BEGIN_JOB,
    *_DESCRIBE,
    *(["redshift:create"] * 5),
    "redshift:select",
    *_STAGE,
    *_LOCK,
    *_FILL,
    *_RECORD,
]
_LOAD_REFRESH = [
    *_TO_THE_MERGE,
    *("redshift:delete", "redshift:delete"),  # deletes rows and tombstones
    *_FILL,
    "redshift:select",  # does the snapshot have enough rows?
]
_LOAD_DRIFT = [
    *_BEGIN_JOB,
    *_DESCRIBE,
    *("redshift:alter", "redshift:alter"),  # adds one column, widens another
    *_STAGE,
    *_LOCK,
    *("redshift:select", *_MERGE, "redshift:merge"),
    *_RECORD,
]
_LOAD_NARROW = [
    *_BEGIN_JOB,
    *_DESCRIBE,
    *("redshift:create", "redshift:create", "redshift:create", "redshift:select"),
    *(["redshift:alter"] * 5),  # Redshift refuses one column; the others are added
    "s3:PutObject",
    *_TO_THE_MERGE,
    *_FILL,
    *_RECORD,
]
_LOAD_NOTHING = [*_BEGIN_JOB, *_DESCRIBE, "redshift:create", *_LOCK, *_RECORD]
_FAILED = ["s3:GetObject", "s3:GetObject", "dynamodb:GetItem", "dynamodb:UpdateItem"]
_TELL = ["sns:Publish", "dynamodb:UpdateItem"]  # sends the alert, blocks the table
_FREE_AND_START = [
    *("states:DescribeExecution", "dynamodb:UpdateItem", "dynamodb:GetItem"),
    "states:StartExecution",
]
_FIND_MISSED = ["dynamodb:BatchGetItem", *_REGISTER_FILES]

# The calls of each step for the table, by scenario.
CALLS = {
    "late changes": {
        "register_files": _REGISTER_FILES,
        "plan_batch": _PLAN_BATCH,
        "prepare_chunk": _PREPARE_CHUNK,
        "load_batch": _LOAD_LATE_CHANGES,
        "commit_batch": _COMMIT_BATCH,
    },
    "a first load": {"load_batch": _LOAD_FIRST},
    "a full refresh": {
        "plan_batch": _PLAN_REFRESH,
        "load_batch": [*_LOAD_REFRESH, *_RECORD],
        "commit_batch": _COMMIT_BATCH,
    },
    "a refresh of a busy table": {"plan_batch": PLAN_BUSY},
    "a replay": {"plan_batch": [*_REPEAT, *_PLAN_BATCH]},
    "schema drift": {
        "plan_batch": _PLAN_DRIFT,
        "prepare_chunk": _PREPARE_REFUSED,
        "load_batch": _LOAD_DRIFT,
        "commit_batch": _COMMIT_BATCH,
    },
    "a column that stays narrow": {
        "load_batch": _LOAD_NARROW,
        "fail_batch": [*_FAILED, "dynamodb:UpdateItem"],
    },
    "an unreadable file": {
        "prepare_chunk": _PREPARE_NOTHING,
        "load_batch": _LOAD_NOTHING,
        "commit_batch": _COMMIT_BATCH,
    },
    "deletes held back": {
        "load_batch": [*_TO_THE_MERGE, *_MERGE_LATE, *_GIVE_UP],
        "fail_batch": [*_FAILED, "dynamodb:UpdateItem", *_TELL],
    },
    "a release": {"plan_batch": _PLAN_RELEASE},
    "a refused refresh": {
        "load_batch": [*_LOAD_REFRESH, *_GIVE_UP],
        "fail_batch": [*_FAILED, *_TELL],
    },
    "a refusal": {"fail_batch": [*_FAILED, *_TELL]},
    "an outage": {"fail_batch": [*_FAILED, "dynamodb:UpdateItem"]},
    "a dead lease": {"sweep_tables": _FREE_AND_START},
    "a lost event": {"sweep_tables": _FIND_MISSED},
}
# The calls of sweep_tables that concern no single table.
CALLS_FOR_ALL = {
    "a dead lease": ["dynamodb:Query", "dynamodb:BatchGetItem"],
    "a lost event": ["dynamodb:Query", "dynamodb:GetItem", "s3:ListObjectsV2", "dynamodb:PutItem"],
}
# These calls change nothing, so `spread_of_trials` leaves them to `all_trials`.
_READS = {
    *("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "s3:GetObject"),
    *("s3:ListObjectsV2", "secretsmanager:GetSecretValue", "states:DescribeExecution"),
    *("redshift:connect", "redshift:set", "redshift:begin", "redshift:lock", "redshift:select"),
}
# For these scenarios only the calls that loads of late changes and full refreshes do not make.
_STRUCK_IN_LOADS = {
    "a first load": {"redshift:create", "redshift:insert"},
    "schema drift": {"redshift:alter"},
    "a column that stays narrow": {"redshift:alter", "s3:PutObject"},
    "deletes held back": set(_GIVE_UP),
    "a refused refresh": set(_GIVE_UP),
}


@dataclass(frozen=True)
class Trial:
    """A scenario and the boundary at which a process is killed; None for a clean run."""

    happens: str
    at: Boundary | None = None
    for_all: bool = False

    def __str__(self) -> str:
        table = " of all tables" if self.for_all else ""
        return f"{self.happens}, {self.at}{table}" if self.at else self.happens


CLEAN_RUNS = [Trial(happens) for happens in CALLS]


def all_trials() -> list[Trial]:
    """Return the trials before and after every call."""
    return [
        Trial(happens, boundary, for_all)
        for happens, step, calls, for_all in _listed()
        for boundary in _boundaries(step, calls)
    ]


def spread_of_trials() -> list[Trial]:
    """Return one trial per step and kind of write: after the last such write, before the step ends.

    Add one for a refresh that another run will do: before the request is recorded.
    """
    chosen = {
        (happens, step, name): Trial(happens, Boundary(step, "after", nth, name), for_all)
        for happens, step, calls, for_all in _listed()
        for nth, name in numbered(calls)
        if name not in _READS
    }
    unnoted = Boundary("plan_batch", "before", 1, "dynamodb:UpdateItem")
    return [*chosen.values(), Trial("a refresh of a busy table", unnoted)]


def _listed() -> Iterator[tuple[str, str, list[str], bool]]:
    for happens, steps in CALLS.items():
        for step, calls in steps.items():
            wanted = _STRUCK_IN_LOADS.get(happens) if step == "load_batch" else None
            yield happens, step, [call for call in calls if not wanted or call in wanted], False
        if happens in CALLS_FOR_ALL:
            yield happens, "sweep_tables", CALLS_FOR_ALL[happens], True


def _boundaries(step: str, calls: list[str]) -> Iterator[Boundary]:
    for nth, name in numbered(calls):
        yield Boundary(step, "before", nth, name)
        yield Boundary(step, "after", nth, name)


def numbered(calls: list[str]) -> Iterator[tuple[int, str]]:
    seen: Counter[str] = Counter()
    for name in calls:
        seen[name] += 1
        yield seen[name], name
