"""load_batch: submit the SQL of one plan to Redshift, wait, and report.

A Glue Python Shell job (Python 3.9) in one file, because `sam deploy` uploads one file: standard
library, boto3 and redshift_connector, both of which Glue's analytics set has. It decides nothing
about tables and rows: the plan holds every statement. A batch's merge and the record that it was
applied are one transaction, and a batch that is recorded already is left alone.

Arguments: --plan, the s3:// address of the plan; --secret-arn, the connection secret.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NoReturn

import boto3
import redshift_connector
from botocore.exceptions import BotoCoreError, ClientError

ATTEMPTS = 5  # at one transaction, when Redshift lets another one go first
POSITIONS = ("first_position", "last_position")
COUNTS = ("rows_staged", "rows_inserted", "rows_updated", "rows_deleted", "rows_stale")

# Redshift gives 1023 and its like the SQLSTATE of internal errors; only the text tells:
# https://github.com/aws/aws-sdk-pandas/issues/665, https://github.com/trinodb/trino/issues/27537
CONFLICTS = ("1023", "Serializable isolation violation", "conflict with concurrent transaction")
# Connection, resources, deadlock, cancelled or shutting down: PostgreSQL's classes 08, 53, 40, 57.
PASSING = ("08", "53", "40", "57")


class JobError(Exception):
    """What ends the job; the class's name is that of an error in tidegate.errors."""


class WarehouseBusyError(JobError):
    """Redshift refused or dropped the work for a reason that passes."""


class ServiceBusyError(JobError):
    """S3 or Secrets Manager did not answer as they should."""


class LoadFailedError(JobError):
    """Redshift refused the batch and will refuse it again."""


class ContractError(JobError):
    """The target is not what its contract says."""


class LeaseLostError(JobError):
    """A run with a higher fence has committed already."""


def main(arguments: list[str]) -> None:
    """Load the batch of one plan; its outcome, good or bad, is written beside the plan."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", required=True)
    parser.add_argument("--secret-arn", required=True)
    known, _ = parser.parse_known_args(arguments)
    objects = Objects(boto3.client("s3"))
    plan = objects.read(known.plan)
    try:
        with translated_errors():
            outcome = load(plan, known.secret_arn, objects)
    except JobError as error:
        report = {"error": type(error).__name__, "message": str(error)}
        objects.write(plan["load"]["outcome"], report)
        raise
    objects.write(plan["load"]["outcome"], outcome)
    say("loaded", table=plan["table"], batch=plan["batch"], **outcome)


def load(plan: dict[str, Any], secret_arn: str, objects: "Objects") -> dict[str, Any]:
    """Stage and merge the plan's batch; give the batch record as it stands in Redshift."""
    steps = plan["load"]
    chunks = [chunk for chunk in map(objects.read, steps["chunks"]) if chunk["parquet"]]
    with closing(connect(secret_arn, plan)) as connection:
        warehouse = Warehouse(connection)
        warehouse.run_all(steps["session"])
        make_target_fit(warehouse, plan)
        warehouse.run(steps["create_stage"])
        if chunks:
            copy(warehouse, steps, chunks, objects)
        return apply_once(warehouse, plan, chunks)


def make_target_fit(warehouse: "Warehouse", plan: dict[str, Any]) -> None:
    """Create what is missing of the target, and refuse a target that is not its contract's."""
    steps = plan["load"]
    present = described(warehouse, steps)
    if len(present) < 3:
        warehouse.run_all(steps["create"])
        present = described(warehouse, steps)
    schema, _, name = plan["table"].partition(".")
    target = present[schema, name]
    for column in steps["columns"]:
        if column["name"] not in target:
            say("adding column", table=plan["table"], column=column["name"])
            warehouse.execute(column["add"])
        else:
            refuse_misfit(plan["table"], column, target[column["name"]])


def described(warehouse: "Warehouse", steps: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    """The columns, by table and name, of the target and of its two control tables."""
    tables: dict[Any, dict[str, Any]] = {}
    for schema, table, column, *facts in warehouse.run(steps["describe"]).fetchall():
        tables.setdefault((schema, table), {})[column] = facts
    return tables


def refuse_misfit(table: str, wanted: dict[str, Any], found: list[Any]) -> None:
    """Raise ContractError if a column of the target cannot hold what its contract promises."""
    data_type, length, precision, scale = found
    fits = data_type == wanted["data_type"]
    if wanted["character_maximum_length"] is not None:
        fits = fits and length is not None and length >= wanted["character_maximum_length"]
    if wanted["numeric_precision"] is not None:
        numbers = (wanted["numeric_precision"], wanted["numeric_scale"])
        fits = fits and (precision, scale) == numbers
    if not fits:
        raise ContractError(
            f"column {wanted['name']!r} of {table} is {found}, its contract needs "
            f"{list(wanted.values())[1:5]} (type, length, precision, scale); "
            "change the contract, or alter the column"
        )


def copy(
    warehouse: "Warehouse", steps: dict[str, Any], chunks: list[dict[str, Any]], objects: "Objects"
) -> None:
    """COPY the Parquet of all chunks into the stage, a temporary table of this session."""
    # For Parquet, COPY insists on the length, and without mandatory it skips what is missing.
    entries = [
        {"url": chunk["parquet"], "mandatory": True, "meta": {"content_length": chunk["size"]}}
        for chunk in chunks
    ]
    objects.write(steps["manifest"], {"entries": entries})
    warehouse.run(steps["copy_stage"])
    [[staged]] = warehouse.run(steps["count_staged"]).fetchall()
    prepared = sum(chunk["rows"] for chunk in chunks)
    if staged != prepared:
        raise LoadFailedError(f"COPY loaded {staged} rows, but {prepared} were prepared")


def apply_once(
    warehouse: "Warehouse",
    plan: dict[str, Any],
    chunks: list[dict[str, Any]],
    attempts: int = ATTEMPTS,
) -> dict[str, Any]:
    """Merge the stage and record the batch, again if Redshift let another transaction go first."""
    try:
        with warehouse.transaction():
            return apply(warehouse, plan, chunks)
    except redshift_connector.Error as error:
        if attempts == 1 or not is_conflict(error):
            raise
    say("another transaction went first", attempts_left=attempts - 1)
    time.sleep(1)
    return apply_once(warehouse, plan, chunks, attempts - 1)


def apply(
    warehouse: "Warehouse", plan: dict[str, Any], chunks: list[dict[str, Any]]
) -> dict[str, Any]:
    """The transaction of a batch: lock, applied already?, fence, merge, record.

    The lock comes first, because what is read before it may be outdated when it is granted:
    https://github.com/estuary/connectors/pull/5220
    """
    steps = plan["load"]
    warehouse.run(steps["lock"])
    progress = warehouse.record(steps["read_progress"])
    if progress["rows_staged"] is not None:
        return {"already_applied": True, **{name: progress[name] for name in POSITIONS + COUNTS}}
    if progress["fence"] is not None and progress["fence"] > plan["fence"]:
        raise LeaseLostError(
            f"{plan['table']}: a run with fence {progress['fence']} has committed, "
            f"this one has {plan['fence']}; it stops and changes nothing"
        )
    first = min((chunk["first_position"] for chunk in chunks), default=None)
    last = max((chunk["last_position"] for chunk in chunks), default=None)
    counts = merge(warehouse, steps, progress, first) if chunks else dict.fromkeys(COUNTS, 0)
    counts["rows_staged"] = sum(chunk["rows"] for chunk in chunks)
    record = {"first_position": first, "last_position": last, **counts}
    warehouse.execute(steps["write_batch"]["sql"], [record[name] for name in POSITIONS + COUNTS])
    return record


def merge(
    warehouse: "Warehouse", steps: dict[str, Any], progress: dict[str, Any], first: str
) -> dict[str, int]:
    """Run the statements that the batch's place above or below the watermark asks for."""
    watermark = progress["watermark"]
    if watermark is not None and first <= watermark:
        chosen = "merge_late"
    else:
        chosen = "merge_above_watermark" if progress["target_rows"] else "merge_empty"
    counts = dict.fromkeys(COUNTS, 0)
    for statement in steps[chosen]:
        count(counts, statement["name"], warehouse.run(statement))
    return counts


def count(counts: dict[str, int], name: str, cursor: redshift_connector.Cursor) -> None:
    """Add what one statement of a merge did to `counts`."""
    if name == "count_updates":
        kept, counts["rows_updated"] = cursor.fetchone()
        counts["rows_inserted"] = kept - counts["rows_updated"]
    elif name == "insert_rows":
        counts["rows_inserted"] = cursor.rowcount
    elif name == "delete_rows":
        counts["rows_deleted"] = cursor.rowcount
    elif name in ("drop_stale_rows", "drop_deleted_rows"):
        counts["rows_stale"] += cursor.rowcount


class Warehouse:
    """One session of Redshift; outside of `transaction` every statement commits by itself."""

    def __init__(self, connection: redshift_connector.Connection) -> None:
        self.connection = connection
        self.connection.autocommit = True

    def execute(self, sql: str, values: Sequence[Any] = ()) -> redshift_connector.Cursor:
        """Submit one statement and give its cursor."""
        return self.connection.cursor().execute(sql, values or None)

    def run(self, statement: dict[str, str]) -> redshift_connector.Cursor:
        """Submit a named statement and give its cursor."""
        started = time.monotonic()
        cursor = self.execute(statement["sql"])
        say("ran", statement=statement["name"], seconds=round(time.monotonic() - started, 3))
        return cursor

    def run_all(self, statements: list[dict[str, str]]) -> None:
        """Submit named statements, one after the other."""
        for statement in statements:
            self.run(statement)

    def record(self, statement: dict[str, str]) -> dict[str, Any]:
        """The one row of a query, by column name."""
        cursor = self.run(statement)
        names = [column[0] for column in cursor.description]
        # The driver of Glue's analytics set, 2.0.907, gives names as bytes.
        names = [name.decode() if isinstance(name, bytes) else name for name in names]
        return dict(zip(names, cursor.fetchone()))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what runs within, or none of it."""
        self.connection.autocommit = False
        try:
            yield
            self.connection.commit()
        except BaseException:
            self.connection.rollback()
            raise
        finally:
            self.connection.autocommit = True


class Objects:
    """JSON documents in S3, by their s3:// address."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3

    def read(self, url: str) -> dict[str, Any]:
        """The document at `url`."""
        body = self.s3.get_object(**address(url))["Body"].read()
        document: dict[str, Any] = json.loads(body)
        return document

    def write(self, url: str, document: dict[str, Any]) -> None:
        """Write the document to `url`."""
        self.s3.put_object(**address(url), Body=json.dumps(document).encode())


def address(url: str) -> dict[str, str]:
    """The bucket and key of an s3:// address."""
    bucket, _, key = url[len("s3://") :].partition("/")
    return {"Bucket": bucket, "Key": key}


def connect(secret_arn: str, plan: dict[str, Any]) -> redshift_connector.Connection:
    """Connect with what the secret says; a DBA sees the table in the session's name."""
    answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret_arn)
    secret = json.loads(answer["SecretString"])
    return redshift_connector.connect(
        host=secret["host"],
        port=int(secret["port"]),
        database=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
        ssl=str(secret.get("ssl", "true")).lower() == "true",
        application_name=f"tidegate {plan['table']}",
        tcp_keepalive=True,
    )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise errors of the driver and of AWS as the one of the classes above that they mean."""
    try:
        yield
    except JobError:
        raise
    except redshift_connector.Error as error:
        raise_from_warehouse(error)
    except (ClientError, BotoCoreError) as error:
        raise ServiceBusyError(f"an AWS service refused the job: {error}") from error
    except OSError as error:
        raise WarehouseBusyError(f"the connection to Redshift was lost: {error}") from error


def raise_from_warehouse(error: Exception) -> NoReturn:
    """Raise an error of Redshift, or of its driver, as what it means."""
    told = told_by(error)
    text = "; ".join(str(told[field]) for field in "MDH" if told.get(field)) or str(error)
    passing = not told or str(told.get("C", "")).startswith(PASSING) or is_conflict(error)
    raised = WarehouseBusyError if passing else LoadFailedError
    raise raised(f"Redshift refused: {text} (SQLSTATE {told.get('C', 'none')})") from error


def is_conflict(error: Exception) -> bool:
    """Whether Redshift let another transaction go first."""
    told = told_by(error)
    text = f"{told.get('M', '')} {told.get('D', '')}"
    return told.get("M") == CONFLICTS[0] or any(part in text for part in CONFLICTS[1:])


def told_by(error: Exception) -> dict[str, Any]:
    """The fields of a server's error; empty if the driver raised it, as on a lost connection."""
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}


def say(what: str, **facts: Any) -> None:
    """Write one line of the job's log."""
    print(json.dumps({"message": what, **facts}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
