"""Every network call of every step, by what happens to a table: the list that is struck through.

SQS's own deliveries stand in it as the moments before the first call of register_files, when
nothing is done and the message comes again, and after its last one, when all is done and the
message comes again all the same. So do the state machine's calls of the other steps: before the
first call of a step nothing is done, after its last one all is done and nobody is told.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.e2e.faults.calls import Boundary

_REGISTER_FILES = ["dynamodb:TransactWriteItems", "dynamodb:UpdateItem", "states:StartExecution"]
_TAKE_THE_LEASE = ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"]
_OPEN = ["s3:PutObject", "dynamodb:UpdateItem"]  # the plan; its batch is the open one
# Nothing waits any more: the lease is given back.
_LET_GO = [*_TAKE_THE_LEASE, "dynamodb:UpdateItem"]
_PLAN_BATCH = [*_TAKE_THE_LEASE, *_OPEN, *_LET_GO]
_PLAN_UNLIKE = [*_TAKE_THE_LEASE, "s3:GetObject", *_OPEN, *_LET_GO]  # the names in the file
_PLAN_RELEASE = [
    "dynamodb:UpdateItem",  # the open batch is released
    *("dynamodb:GetItem", "dynamodb:UpdateItem", "s3:GetObject"),  # it is planned again
    "s3:ListObjectsV2",  # did a chunk die?
    *_OPEN,
    *_LET_GO,
]
_ASK = ["dynamodb:GetItem", "dynamodb:UpdateItem"]  # is it done? it is wanted
_PLAN_REFRESH = [
    *_ASK,
    *_TAKE_THE_LEASE,
    *("s3:ListObjectsV2", "dynamodb:Query", "dynamodb:BatchGetItem"),  # the files, their counts
    *_OPEN,
    "dynamodb:GetItem",  # it is done
    *_LET_GO,
]
# Another run holds the lease: it is woken, to do what is wanted.
PLAN_BUSY = [*_ASK, "dynamodb:GetItem", "dynamodb:UpdateItem"]
# What is to be repeated, in both of the states that a file can have, is made to wait.
_REPEAT = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Query", "dynamodb:TransactWriteItems"]
_PREPARE_CHUNK = ["s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:PutObject"]
_PREPARE_REFUSED = [*_PREPARE_CHUNK, "s3:PutObject"]
_PREPARE_NOTHING = ["s3:GetObject", "s3:GetObject", "s3:PutObject"]
_BEGIN_JOB = ["s3:GetObject", "secretsmanager:GetSecretValue", "redshift:connect", "s3:GetObject"]
_DESCRIBE = ["redshift:set", "redshift:set", "redshift:set", "redshift:select"]
_STAGE = ["redshift:create", "s3:PutObject", "redshift:copy", "redshift:select"]
# The transaction begins: what was applied, and how many rows there are.
_LOCK = ["redshift:begin", "redshift:lock", "redshift:select", "redshift:select"]
_RECORD = ["redshift:insert", "redshift:commit", "s3:PutObject"]
_GIVE_UP = ["redshift:rollback", "s3:PutObject"]
_COMMIT_BATCH = [
    *("s3:GetObject", "s3:GetObject", "s3:GetObject", "dynamodb:GetItem"),
    *("dynamodb:TransactWriteItems", "dynamodb:GetItem", "dynamodb:TransactWriteItems"),
]
_MERGE = ["redshift:delete", "redshift:delete", "redshift:insert", "redshift:delete"]
_MERGE_LATE = [
    *("redshift:delete", "redshift:delete"),  # what is stale
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
    *("redshift:delete", "redshift:delete"),  # the rows and the tombstones
    *_FILL,
    "redshift:select",  # are there enough?
]
_LOAD_UNLIKE = [
    *_BEGIN_JOB,
    *_DESCRIBE,
    *("redshift:alter", "redshift:alter"),  # a column is added, another one widened
    *_STAGE,
    *_LOCK,
    *("redshift:select", *_MERGE, "redshift:merge"),
    *_RECORD,
]
_LOAD_NARROW = [
    *_BEGIN_JOB,
    *_DESCRIBE,
    *("redshift:create", "redshift:create", "redshift:create", "redshift:select"),
    *(["redshift:alter"] * 5),  # a column is refused, the others are added
    "s3:PutObject",
    *_TO_THE_MERGE,
    *_FILL,
    *_RECORD,
]
_LOAD_NOTHING = [*_BEGIN_JOB, *_DESCRIBE, "redshift:create", *_LOCK, *_RECORD]
_FAILED = ["s3:GetObject", "s3:GetObject", "dynamodb:GetItem", "dynamodb:UpdateItem"]
_TELL = ["sns:Publish", "dynamodb:UpdateItem"]  # people are told; the table is blocked
_FREE_AND_START = [
    *("states:DescribeExecution", "dynamodb:UpdateItem", "dynamodb:GetItem"),
    "states:StartExecution",
]
_FIND_MISSED = ["dynamodb:BatchGetItem", *_REGISTER_FILES]

# What each step does for the table, by what happens to it.
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
    "a file unlike its contract": {
        "plan_batch": _PLAN_UNLIKE,
        "prepare_chunk": _PREPARE_REFUSED,
        "load_batch": _LOAD_UNLIKE,
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
# What sweep_tables does for no table in particular.
CALLS_FOR_ALL = {
    "a dead lease": ["dynamodb:Query", "dynamodb:BatchGetItem"],
    "a lost event": ["dynamodb:Query", "dynamodb:GetItem", "s3:ListObjectsV2", "dynamodb:PutItem"],
}
# After these all is as before them, so that `spread_of_trials` leaves them to `all_trials`.
_READS = {
    *("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "s3:GetObject"),
    *("s3:ListObjectsV2", "secretsmanager:GetSecretValue", "states:DescribeExecution"),
    *("redshift:connect", "redshift:set", "redshift:begin", "redshift:lock", "redshift:select"),
}
# Of these loads only what those of late changes and of a full refresh do not do as well.
_STRUCK_IN_LOADS = {
    "a first load": {"redshift:create", "redshift:insert"},
    "a file unlike its contract": {"redshift:alter"},
    "a column that stays narrow": {"redshift:alter", "s3:PutObject"},
    "deletes held back": set(_GIVE_UP),
    "a refused refresh": set(_GIVE_UP),
}


@dataclass(frozen=True)
class Trial:
    """Something that happens to a table, and where a process is killed; nowhere in a clean run."""

    happens: str
    at: Boundary | None = None
    for_all: bool = False

    def __str__(self) -> str:
        table = " of all tables" if self.for_all else ""
        return f"{self.happens}, {self.at}{table}" if self.at else self.happens


CLEAN_RUNS = [Trial(happens) for happens in CALLS]


def all_trials() -> list[Trial]:
    """Both sides of every call."""
    return [
        Trial(happens, boundary, for_all)
        for happens, step, calls, for_all in _listed()
        for boundary in _boundaries(step, calls)
    ]


def spread_of_trials() -> list[Trial]:
    """Of each step and kind of write, the moment after its last one: done, and nobody knows.

    And of a refresh that another run will do, the moment before it is noted that it is wanted.
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
