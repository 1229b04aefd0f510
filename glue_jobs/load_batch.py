"""load_batch: submits the SQL of one plan to Redshift, waits, and reports the outcome.

A Glue Python Shell job (Python 3.9). It is one file, because `sam deploy` uploads one file. It
needs the standard library, boto3 and redshift_connector; Glue's analytics set has the last two.
The plan holds every statement, so the job decides nothing about tables and rows. One transaction
merges a batch and records that it is applied. The job leaves a recorded batch alone.

Arguments: --plan, the s3:// address of the plan; --secret-arn, the connection secret.
"""

import argparse
import json
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, Optional, TypeVar

import boto3
import redshift_connector
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient

Document = dict[str, Any]
Result = TypeVar("Result")

FACTS = ("data_type", "character_maximum_length", "numeric_precision", "numeric_scale")
LONGEST_VARCHAR = 65_535  # bytes
SNAPSHOT = 0  # the kind of a snapshot file

ATTEMPTS = 5  # at one transaction, if another one conflicts with it
POSITIONS = ("first_position", "last_position")
COUNTS = ("rows_staged", "rows_inserted", "rows_updated", "rows_deleted", "rows_stale")

# Redshift reports conflicts such as 1023 with the SQLSTATE of internal errors; only the text tells:
# https://github.com/aws/aws-sdk-pandas/issues/665, https://github.com/trinodb/trino/issues/27537
CONFLICT = "1023"
CONFLICTS = ("Serializable isolation violation", "conflict with concurrent transaction")
# Another session created the schema, table, column or catalogue row in the meantime. IF NOT EXISTS
# does not prevent these: https://github.com/treasure-data/digdag/pull/438
CREATED_MEANWHILE = ("42P06", "42P07", "42701", "23505")
# Redshift gives XX000 to most errors that pass. These classes of SQLSTATE are the errors that stay:
# data, constraints, syntax and names, features that are not supported.
LASTING = ("22", "23", "42", "0A")
# Redshift's compute nodes report a value that does not fit as XX000 with a code of 12xx (1207:
# invalid digit), and repeat the value: https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
VALUE_ERROR = re.compile(r"code:\s+12\d\d\b|\bValue '")
# AWS codes that begin like this say that a right or an object is missing.
MISSING_RIGHTS = ("AccessDenied", "KMS", "ResourceNotFound", "NoSuchBucket", "DecryptionFailure")
SECRET_KEYS = ("host", "port", "dbname", "username", "password")
NO_TLS = "Server refuses SSL"  # the driver's words
# The remedy, by the class of SQLSTATE with which Redshift refuses a login.
LOGIN_REMEDIES = {
    "28": "create the database user in the connection secret, with the password given there",
    "3D": "create the database in the connection secret, or correct its name there",
}
HOST_REMEDY = (
    "put the endpoint of Redshift into the connection secret, and check that the job's network "
    "can resolve it"
)
TLS_REMEDY = "put the endpoint of Redshift, which speaks TLS, into the connection secret"
TRIED_AGAIN = "Tidegate tries again by itself"
KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 10}  # seconds, and probes


class JobError(Exception):
    """An error that ends the job; each class has the name of an error in tidegate.errors."""


class DeploymentError(JobError):
    """The user, the secret, the network or a right is wrong; a person must fix it."""


class WarehouseBusyError(JobError):
    """Redshift refused or dropped the work for a transient reason."""


class ServiceBusyError(JobError):
    """S3 or Secrets Manager did not answer, or refused for a transient reason."""


class LoadFailedError(JobError):
    """Redshift refused the batch and will refuse it again."""


class ContractError(JobError):
    """The target does not match its contract."""


class TooNarrowError(JobError):
    """Texts are longer than columns that Redshift does not widen.

    `narrow` has the length of each such column in bytes.
    """

    def __init__(self, table: str, narrow: "dict[str, int]") -> None:
        names = ", ".join(f"{name!r} ({length} bytes)" for name, length in narrow.items())
        super().__init__(
            f"{table}: Redshift does not widen {names}; Tidegate quarantines rows with longer "
            "texts; to load them, replace the column by a wider one, then replay the time in "
            "which they landed"
        )
        self.narrow = narrow


class LeaseLostError(JobError):
    """A run with a higher fence has already committed."""


class MassDeleteError(JobError):
    """The batch deletes more rows than its contract allows, so a person must release it."""


class RefreshRefusedError(JobError):
    """The snapshot of a full refresh must not replace the table."""


def main(arguments: list[str]) -> None:
    """Create the clients, and load the batch of the plan in the arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", required=True)
    parser.add_argument("--secret-arn", required=True)
    known, _ = parser.parse_known_args(arguments)
    secrets = boto3.client("secretsmanager")
    try:
        run_plan(
            known.plan, lambda: read_secret(secrets, known.secret_arn), Objects(boto3.client("s3"))
        )
    except JobError as error:
        # Glue would log a traceback, and the errors in it may repeat values of rows.
        sys.exit(f"{type(error).__name__}: {error}")


def read_secret(secrets: "SecretsManagerClient", arn: str) -> Document:
    """Read the connection secret.

    Raises:
        DeploymentError: it is not a JSON object, or lacks an entry.
    """
    text = secrets.get_secret_value(SecretId=arn)["SecretString"]
    try:
        secret: Document = json.loads(text)
        lacks = [name for name in SECRET_KEYS if not secret.get(name)]
    except (ValueError, AttributeError):
        raise DeploymentError(f"the secret {arn} is not a JSON object; {TRIED_AGAIN}") from None
    if lacks:
        raise DeploymentError(f"the secret {arn} lacks {', '.join(lacks)}; {TRIED_AGAIN}")
    return secret


def run_plan(url: str, read_connection: Callable[[], Document], objects: "Objects") -> None:
    """Load the batch of one plan, and write its outcome or its error beside the plan."""
    with translated_errors():
        plan = objects.read(url)
    try:
        with translated_errors():
            outcome = load(plan, read_connection(), objects)
    except JobError as error:
        report: Document = {"error": type(error).__name__, "message": str(error)}
        if isinstance(error, TooNarrowError):
            report["narrow"] = error.narrow
        objects.write(plan["load"]["outcome"], report)
        raise
    objects.write(plan["load"]["outcome"], outcome)
    say("loaded", table=plan["table"], batch=plan["batch"], **outcome)


def load(plan: Document, secret: Document, objects: "Objects") -> Document:
    """Stage and merge the plan's batch; return the batch record as it stands in Redshift."""
    with closing(connect(secret, plan["table"])) as connection:
        batch = Batch(plan, Warehouse(connection), objects)
        batch.make_target_fit()
        batch.stage()
        return persist(batch.apply_once)


def persist(work: Callable[[], Result], attempts: int = ATTEMPTS) -> Result:
    """Do `work`, and do it again if another transaction conflicted with it."""
    try:
        return work()
    except redshift_connector.Error as error:
        if attempts == 1 or not is_conflict(error):
            raise
    say("another transaction conflicted", attempts_left=attempts - 1)
    time.sleep(1)
    return persist(work, attempts - 1)


class Batch:
    """One attempt at one batch: the statements of its plan, in one session of Redshift."""

    def __init__(self, plan: Document, warehouse: "Warehouse", objects: "Objects") -> None:
        self.plan = plan
        self.steps = plan["load"]
        self.warehouse = warehouse
        self.objects = objects
        chunks = [objects.read(url) for url in self.steps["chunks"]]
        self.files = [file for chunk in chunks for file in chunk["files"]]
        self.chunks = [chunk for chunk in chunks if chunk["parquet"]]
        self.rows = sum(chunk["rows"] for chunk in self.chunks)
        self.narrow: dict[str, int] = {}  # bytes of the columns that Redshift does not widen
        self.widths: dict[str, int] = {}  # bytes that the batch needs of columns too narrow
        for name, size in (width for chunk in self.chunks for width in chunk["widths"].items()):
            self.widths[name] = max(size, self.widths.get(name, 0))

    def make_target_fit(self) -> None:
        """Create missing tables and columns; refuse a target that does not match its contract."""
        self.warehouse.run_all(self.steps["session"])
        persist(self._make_target_fit)

    def _make_target_fit(self) -> None:
        present = self._describe()
        if len(present) < len(self.steps["tables"]):
            # In a schema of another user, Redshift refuses even CREATE ... IF NOT EXISTS.
            if self.plan["table"] not in map(".".join, present):
                self._refuse_lost_target(present)
                self.warehouse.run_all(self.steps["create_target"])
            self.warehouse.run_all(self.steps["create"])
            present = self._describe()
        for column in self.steps["columns"]:
            table = present.get(tuple(column["table"]))
            if table is None:
                raise ContractError(
                    f"Tidegate's database user does not see {name_of(column)}; grant it select"
                )
            self._make_column_fit(column, table.get(column["name"]))
        if self.narrow:
            raise TooNarrowError(self.plan["table"], self.narrow)

    def _refuse_lost_target(self, present: "dict[Any, Any]") -> None:
        """Raise if the target is gone but rows were loaded into it: a new one would lack them."""
        count = self.steps["count_batches"]
        # Without the target, any table that is present is one of Tidegate's own, created before
        # the target: the batch records come first.
        if count is None or not present:
            return
        [[batches]] = self.warehouse.run(count).fetchall()
        if batches:
            table = self.plan["table"]
            raise ContractError(
                f"{table} is gone, though it was loaded (batches: {batches}); restore it and "
                f"run tidegate start {table}, or load a snapshot with tidegate refresh {table}"
            )

    def _make_column_fit(self, column: Document, found: Optional[list[Any]]) -> None:
        """Add or widen what the batch needs; nothing is ever dropped or narrowed."""
        if found is None:
            if column["add"] is None:
                raise ContractError(
                    f"{name_of(column)} was not created by Tidegate: it has no column "
                    f"{column['name']!r}; this write mode builds rows from their changes, and for "
                    "rows from before Tidegate there are none; rename the table, and Tidegate "
                    "creates and fills a new one"
                )
            self.warehouse.execute(column["add"])
            say("added", table=name_of(column), column=column["name"])
            found = [column[fact] for fact in FACTS]
        data_type, length, *_ = found
        needed, declared = self.widths.get(column["name"], 0), column["character_maximum_length"]
        same = data_type == column["data_type"]
        if column["widen"] and same and length < max(needed, declared):
            self._widen(column, length, needed)
        else:
            refuse_misfit(column, found)

    def _widen(self, column: Document, length: int, needed: int) -> None:
        declared = column["character_maximum_length"]
        size = length_for(needed, declared)
        # Redshift refuses this inside a transaction, so it runs before the merge:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
        try:
            self.warehouse.execute(f"{column['widen']}({size})")
        except redshift_connector.Error as error:
            if not is_lasting(error):
                raise
            if length < declared:
                raise ContractError(
                    f"column {column['name']!r} of {name_of(column)} has {length} bytes, which is "
                    f"too narrow, and Redshift does not widen it to {size} ({text_of(error)}); "
                    "replace the column by a wider one by hand, or change the contract"
                ) from error
            self.narrow[column["name"]] = length
            say("not widened", table=name_of(column), column=column["name"], why=text_of(error))
            return
        say("widened", table=name_of(column), column=column["name"], bytes=size)

    def stage(self) -> None:
        """COPY the Parquet of all chunks into a temporary table of this session."""
        self.warehouse.run(self.steps["create_stage"])
        if not self.chunks:
            return
        # For Parquet, COPY requires the length; without "mandatory" it skips missing files.
        entries = [
            {"url": chunk["parquet"], "mandatory": True, "meta": {"content_length": chunk["size"]}}
            for chunk in self.chunks
        ]
        self.objects.write(self.steps["manifest"], {"entries": entries})
        self.warehouse.run(self.steps["copy_stage"])
        [[staged]] = self.warehouse.run(self.steps["count_staged"]).fetchall()
        if staged != self.rows:
            raise LoadFailedError(
                f"{self.plan['table']}: COPY loaded {staged} rows, but prepare_chunk wrote "
                f"{self.rows}; nothing was changed; look at {self.steps['manifest']}"
            )

    def apply_once(self) -> Document:
        """Merge and record the batch, unless it is already recorded."""
        with self.warehouse.transaction():
            return self._apply()

    def _apply(self) -> Document:
        # The lock comes first: a value read before it may be outdated when Redshift grants it,
        # https://github.com/estuary/connectors/pull/5220
        self.warehouse.run(self.steps["lock"])
        progress = self.warehouse.record(self.steps["read_progress"])
        if progress["rows_staged"] is not None:
            recorded = {name: progress[name] for name in POSITIONS + COUNTS}
            return {"already_applied": True, "fence": progress["batch_fence"], **recorded}
        if progress["fence"] is not None and progress["fence"] > self.plan["fence"]:
            raise LeaseLostError(
                f"{self.plan['table']}: a run with fence {progress['fence']} has committed; "
                f"this run has fence {self.plan['fence']}, so it stops; nothing was changed"
            )
        self._refuse_past_epoch(progress["watermark"])
        record = self._merge(progress)
        values = [record[name] for name in POSITIONS + COUNTS]
        self.warehouse.execute(self.steps["write_batch"]["sql"], values)
        return record

    def _refuse_past_epoch(self, watermark: Optional[str]) -> None:
        """Raise if the target's rows are of a later epoch: they would win over every change."""
        known, found = self.plan["epoch"], int((watermark or "0").split(" ")[0])
        if found > known:
            raise LoadFailedError(
                f"{self.plan['table']}: the rows in Redshift are of epoch {found}, but the ledger "
                f"is in epoch {known} and does not know the last full refresh; nothing was "
                "changed; if the ledger was restored, look at docs/how-to/restore-the-ledger.md"
            )

    def _merge(self, progress: Document) -> Document:
        record = {**dict.fromkeys(POSITIONS), **dict.fromkeys(COUNTS, 0)}
        if self.chunks:
            first, last = POSITIONS
            record[first] = min(chunk[first] for chunk in self.chunks)
            record[last] = max(chunk[last] for chunk in self.chunks)
            record["rows_staged"] = self.rows
        held = self._count_rows(self.steps["refresh_floor"] or self.steps["max_deletes"])
        for statement in self._statements(record, progress):
            self._count(record, statement)
        self._refuse_refresh(held)
        self._refuse_mass_delete(record, held)
        return record

    def _statements(self, record: Document, progress: Document) -> Any:  # noqa: ANN401  (of JSON)
        if self.steps["refresh"]:
            return self.steps["refresh"]
        if not self.chunks:
            return []
        if progress["watermark"] is not None and record["first_position"] <= progress["watermark"]:
            return self.steps["merge_late"]
        return self.steps["merge_above_watermark" if progress["target_rows"] else "merge_empty"]

    def _count_rows(self, guard: Any) -> int:  # noqa: ANN401  (of JSON)
        [[rows]] = self.warehouse.run(guard["count_rows"]).fetchall() if guard else [[0]]
        return int(rows)

    def _refuse_refresh(self, held: int) -> None:
        """Raise if the snapshot has fewer rows than the contract requires for a refresh.

        `held` is the number of rows in the target before the refresh.
        """
        floor = self.steps["refresh_floor"]
        if floor is None:
            return
        new, read = self._count_rows(floor), self._count_snapshot()
        unread = [file["quarantined"] for file in self.files if file["quarantined"]]
        if unread:
            why = f"{len(unread)} of {len(self.files)} files cannot be read ({unread[0]})"
        elif new < max(1, floor["rows"], floor["share"] * held):
            why = f"it has {new} rows and the table has {held}, {floor['told']}"
        elif not read:
            why = f"it has no row that can be loaded, and the table has {held}"
        else:
            return
        raise RefreshRefusedError(
            f"{self.plan['table']}: the snapshot was refused: {why}; nothing was changed; land a "
            "complete snapshot and refresh again, or, if this one is right, refresh with force"
        )

    def _count_snapshot(self) -> int:
        landed = [file for chunk in self.plan["chunks"] for file in chunk]
        whole = [file for file, of in zip(self.files, landed) if of["kind"] == SNAPSHOT]
        return sum(file["records"] - file["refused"] for file in whole)

    def _refuse_mass_delete(self, record: Document, held: int) -> None:
        """Raise if the batch deletes more rows than the contract allows.

        `held` is the number of rows in the target before the batch.
        """
        guard = self.steps["max_deletes"]
        if guard is None:
            return
        deleted = record["rows_deleted"] - (record["rows_inserted"] if guard["is_net"] else 0)
        if held > guard["least_rows"] and deleted > max(guard["rows"], guard["share"] * held):
            raise MassDeleteError(
                f"{self.plan['table']}: batch {self.plan['batch']} deletes {deleted} of {held} "
                f"rows, {guard['told']}; nothing was changed; if the deletes are right, run: "
                f"tidegate release {self.plan['table']}; if not, land a snapshot and run: "
                f"tidegate refresh {self.plan['table']}"
            )

    def _count(self, record: Document, statement: Document) -> None:
        """Run a statement of a merge, and add its counts to the record as the plan says."""
        if statement["counts"] == "columns":
            for name, counted in self.warehouse.record(statement).items():
                record[name] += counted
            return
        cursor = self.warehouse.run(statement)
        if statement["counts"]:
            record[statement["counts"]] += cursor.rowcount

    def _describe(self) -> dict[Any, dict[str, Any]]:
        tables: dict[Any, dict[str, Any]] = {}
        try:
            columns = self.warehouse.run(self.steps["describe"]).fetchall()
        except redshift_connector.Error as error:
            # The catalogue has no snapshot: this fails if anybody drops any table meanwhile.
            # https://github.com/dbt-labs/dbt-redshift/issues/928
            raise WarehouseBusyError(
                f"Redshift's catalogue cannot be read: {text_of(error)}"
            ) from error
        for schema, table, column, *facts in columns:
            tables.setdefault((schema, table), {})[column] = facts
        return tables


def length_for(needed: int, declared: int) -> int:
    """The new length in bytes of a column declared with `declared` that must hold `needed`.

    It is the next power of two. The column doubles each time, so Tidegate alters the table only a
    few times. It is never much wider than its data, because wide columns cost queries memory:
    https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-smallest-column-size.html
    """
    if needed <= declared:
        return declared
    return min(1 << (needed - 1).bit_length(), LONGEST_VARCHAR)


def refuse_misfit(wanted: Document, found: list[Any]) -> None:
    """Raise ContractError if a column of the target cannot hold what its contract promises."""
    data_type, length, *numbers = (wanted[fact] for fact in FACTS)
    fits = found[0] == data_type
    fits = fits and (None in (length, found[1]) or found[1] >= length)
    fits = fits and (numbers == [None, None] or found[2:] == numbers)
    if not fits:
        raise ContractError(
            f"column {wanted['name']!r} of {name_of(wanted)} is {type_of(found)}, but its contract "
            f"needs {type_of([wanted[fact] for fact in FACTS])}; change the contract, or alter the "
            "column"
        )


def type_of(facts: list[Any]) -> str:
    """The declaration of a type, from its FACTS."""
    data_type, length, precision, scale = facts
    if length is not None:
        return f"{data_type}({length})"
    return f"{data_type}({precision},{scale})" if data_type == "numeric" else str(data_type)


def name_of(column: Document) -> str:
    """The table of a column."""
    return ".".join(column["table"])


class Warehouse:
    """One session of Redshift. Outside of `transaction`, each statement commits by itself."""

    def __init__(self, connection: redshift_connector.Connection) -> None:
        self.connection = connection
        self.connection.autocommit = True
        self.cursor = connection.cursor()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> redshift_connector.Cursor:
        """Submit one statement. Its rows and row count are valid until the next statement."""
        return self.cursor.execute(sql, values or None)

    def run(self, statement: Document) -> redshift_connector.Cursor:
        """Submit a statement of the plan and log its name and time; see `execute`."""
        started = time.monotonic()
        cursor = self.execute(statement["sql"])
        say("ran", statement=statement["name"], seconds=round(time.monotonic() - started, 3))
        return cursor

    def run_all(self, statements: list[Document]) -> None:
        """Submit statements of the plan, one after the other."""
        for statement in statements:
            self.run(statement)

    def record(self, statement: Document) -> Document:
        """The only row of a query, by column name."""
        cursor = self.run(statement)
        names = [column[0] for column in cursor.description or []]
        # Driver 2.0.907, which Glue's analytics set has, gives column names as bytes.
        names = [name.decode() if isinstance(name, bytes) else name for name in names]
        [values] = cursor.fetchall()
        return dict(zip(names, values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements of the body, or none."""
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

    def __init__(self, s3: "S3Client") -> None:
        self.s3 = s3

    def read(self, url: str) -> Any:  # noqa: ANN401  (any JSON)
        """The document at `url`."""
        bucket, key = url[len("s3://") :].split("/", 1)
        return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def write(self, url: str, document: Document) -> None:
        """Write the document to `url`."""
        bucket, key = url[len("s3://") :].split("/", 1)
        self.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())


def connect(secret: Document, table: str) -> redshift_connector.Connection:
    """Connect with the connection secret. A DBA sees the table in the session's name."""
    with translated_certificate_errors(secret["host"]):
        connection = redshift_connector.connect(
            host=secret["host"],
            port=int(secret["port"]),
            database=secret["dbname"],
            user=secret["username"],
            password=secret["password"],
            ssl=True,
            sslmode="verify-full",
            application_name=f"tidegate {table}",
            tcp_keepalive=True,
            # Otherwise the driver reuses a statement that it prepared on a temporary table, even
            # after a rollback removed the table: CHANGELOG of amazon-redshift-python-driver, 2.1.6
            # and 2.1.13.
            max_prepared_statements=0,
        )
    keep_alive(connection._usock)
    return connection


@contextmanager
def translated_certificate_errors(host: str) -> Iterator[None]:
    """Raise DeploymentError if the certificate does not prove that the warehouse is `host`."""
    try:
        yield
    except redshift_connector.Error as error:
        for cause in error.args:
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise DeploymentError(
                    f"the certificate of {host} is refused: {cause.verify_message.rstrip('.')}; "
                    "put the endpoint that Redshift shows, or its custom domain name, into the "
                    f"connection secret as host; {TRIED_AGAIN}"
                ) from error
        raise


def keep_alive(session: socket.socket) -> None:
    """Send TCP keep-alive probes while a statement runs long.

    NAT gateways, endpoints and load balancers drop a connection that is silent for 350 s. Linux
    sends its first probe only after two hours:
    https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-firewall-guidance.html
    """
    for name, value in KEEP_ALIVE.items():
        if hasattr(socket, name):  # macOS has other names
            session.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise errors of the driver and of AWS as one of the classes above."""
    try:
        yield
    except redshift_connector.Error as error:
        raise_from_warehouse(error)
    except ClientError as error:
        raise_from_aws(error)
    except BotoCoreError as error:
        raise ServiceBusyError(f"the job cannot reach an AWS service: {error}") from error
    except OSError as error:
        raise WarehouseBusyError(f"the job lost its connection to Redshift: {error}") from error


def raise_from_aws(error: ClientError) -> NoReturn:
    """Raise an error of AWS as DeploymentError or ServiceBusyError."""
    if str(error.response.get("Error", {}).get("Code", "")).startswith(MISSING_RIGHTS):
        raise DeploymentError(
            f"AWS refused the job a right, or an object is missing: {error}; {TRIED_AGAIN}"
        ) from error
    raise ServiceBusyError(f"an AWS service refused the job's call: {error}") from error


def raise_from_warehouse(error: Exception) -> NoReturn:
    """Raise an error of Redshift or its driver as one of the classes above."""
    remedy = remedy_of(error)
    if remedy:
        raise DeploymentError(
            f"Tidegate cannot log in to Redshift: {text_of(error)}; {remedy}; {TRIED_AGAIN}"
        ) from error
    raised = LoadFailedError if is_lasting(error) else WarehouseBusyError
    raise raised(f"Redshift refused: {text_of(error)}") from error


def remedy_of(error: Exception) -> str:
    """The remedy if the error is a failed login or connection, else an empty text."""
    state, cause = str(server_fields(error).get("C", "")), cause_of(error)
    if state[:2] in LOGIN_REMEDIES:
        return LOGIN_REMEDIES[state[:2]]
    if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
        return HOST_REMEDY
    return TLS_REMEDY if error.args[:1] == (NO_TLS,) else ""


def cause_of(error: Exception) -> Optional[OSError]:
    """The network error that the driver wrapped in this one, if there is one."""
    return next((one for one in error.args if isinstance(one, OSError)), None)


def text_of(error: Exception) -> str:
    """The text of an error of Redshift, without the values of rows that it may repeat."""
    told = server_fields(error)
    state = str(told.get("C", ""))
    text = "; ".join(str(told[field]) for field in "MDH" if told.get(field)) or str(error)
    if state.startswith("22") or VALUE_ERROR.search(text):
        text = "a value does not fit its column"
    return f"{text} (SQLSTATE {state or 'none'})"


def is_lasting(error: Exception) -> bool:
    """Whether Redshift would refuse the same statement again."""
    told = server_fields(error)
    is_value_error = VALUE_ERROR.search(f"{told.get('M', '')} {told.get('D', '')}")
    lasting = bool(is_value_error) or str(told.get("C", "")).startswith(LASTING)
    return lasting and not is_conflict(error)


def is_conflict(error: Exception) -> bool:
    """Whether another transaction conflicted with this one."""
    told = server_fields(error)
    text = f"{told.get('M', '')} {told.get('D', '')}"
    created_meanwhile = told.get("C") in CREATED_MEANWHILE
    return created_meanwhile or told.get("M") == CONFLICT or any(part in text for part in CONFLICTS)


def server_fields(error: Exception) -> Document:
    """The fields of a server's error; empty if the driver raised it, as for a lost connection."""
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}


def say(what: str, **facts: object) -> None:
    """Write one JSON line to the job's log."""
    print(json.dumps({"message": what, **facts}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
