"""All of Tidegate on this machine: a local cloud and warehouse, deployed from the template."""

import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tidegate.contract import Contract, read_contracts, write_contracts
from tidegate.errors import LocalStackError
from tidegate.local.cloud.identity import ACCESS_KEY, HOST, REGION, SECRET_KEY
from tidegate.local.cloud.journal import Journal
from tidegate.local.cloud.template import Template
from tidegate.local.control import Control
from tidegate.local.job_python import find_job_python
from tidegate.local.log_file import LogFile
from tidegate.local.ports import check_port, take_port
from tidegate.local.warehouse import Warehouse
from tidegate.local.warehouse.protocol.certificates import Certificates, make_certificates

if TYPE_CHECKING:
    from tidegate.local.cloud.deployment import Deployment

NAME = "tidegate"
CONTRACTS = "ContractsLayer"
TABLES = "tables"  # beside the template: the layer's makefile reads this folder
RETRY_SECONDS = "1"
# Many warehouse sessions read from S3 at the same time.
_S3 = Config(max_pool_connections=64)


class Stack:
    """One local stack. A process can hold only one, because moto's state is global."""

    def __init__(
        self,
        template: Path,
        tables: Path | None,
        port: int,
        warehouse_port: int,
        via: str | None = None,
    ) -> None:
        self.journal = Journal()
        self.environment: dict[str, str] = {}
        self.stop_requested = threading.Event()
        self.job_python = find_job_python(template.resolve().parent)
        self._template = Template(template)
        self._contracts = _read_contracts(tables, template.parent / TABLES)
        if port == warehouse_port:
            raise LocalStackError(
                f"--port and --warehouse-port are both {port}; the cloud and the warehouse need two"
            )
        check_port(warehouse_port, "the warehouse", "--warehouse-port")
        self._port = take_port(port, "the cloud", "--port")
        self._warehouse_port = warehouse_port
        self._warehouse: Warehouse | None = None
        # All checks run before this import: it loads moto, which takes two seconds.
        from tidegate.local.cloud.cloud import Cloud

        self._cloud = Cloud(self._port, self.job_python.path, self.journal, via)
        self.log = LogFile(self._cloud.folder / "stack.log", self.journal)

    @property
    def endpoint(self) -> str:
        """The URL at which AWS SDKs and the AWS CLI reach the cloud."""
        return self._cloud.endpoint

    def start(self) -> None:
        """Start everything; the stack loads each file that lands from now on.

        Raises:
            LocalStackError: a part cannot start; the message names it and what to do.
        """
        self.log.start()
        self._build_contracts(self._cloud.folder / CONTRACTS)
        parameters = {
            "WarehouseHost": HOST,
            "WarehousePort": str(self._warehouse_port),
            "RetrySeconds": RETRY_SECONDS,
        }
        certificates = make_certificates(self._cloud.folder)
        # A job trusts only the warehouse: OpenSSL takes 50 ms to read a machine's authorities.
        trusted = {"SSL_CERT_FILE": str(certificates.authority)}
        services = [Control(self)]
        deployment = self._cloud.start(self._template, parameters, NAME, services, trusted)
        secret = self._read_secret(deployment)
        self._warehouse = self._start_warehouse(secret, certificates)
        described = self._describe(deployment, secret)
        self.environment = {**described, **certificates.environment()}
        self._cloud.begin()

    def stop(self) -> None:
        """Stop and delete everything; close the cloud's port last."""
        if self._warehouse is not None:
            self._warehouse.stop()
        self.log.stop()
        self._cloud.stop()

    def describe(self) -> dict[str, Any]:
        """Return the description that `tidegate local env` and other commands read."""
        return {
            "pid": os.getpid(),
            "ready": bool(self.environment),
            "environment": self.environment,
            "log": str(self.log.path),
            "calls": str(self._cloud.roles.record),
            "job_python": self.job_python.description,
            "processes": [vars(process) for process in self._cloud.processes()],
        }

    def _build_contracts(self, folder: Path) -> None:
        """Build the contracts layer, as `sam build` does."""
        write_contracts(self._contracts, folder)
        self._template.put_layer(CONTRACTS, folder)

    def _read_secret(self, deployment: "Deployment") -> dict[str, Any]:
        secret_arn = deployment.physical_id("WarehouseSecret")
        found = self._client("secretsmanager").get_secret_value(SecretId=secret_arn)
        secret: dict[str, Any] = json.loads(found["SecretString"])
        return secret

    def _start_warehouse(self, secret: dict[str, Any], certificates: Certificates) -> Warehouse:
        warehouse = Warehouse(
            host=HOST,
            port=self._warehouse_port,
            database=secret["dbname"],
            user=secret["username"],
            password=secret["password"],
            s3=self._client("s3"),
            certificates=certificates,
        )
        warehouse.start()
        return warehouse

    def _describe(self, deployment: "Deployment", secret: dict[str, Any]) -> dict[str, str]:
        queue = deployment.physical_id("LandingQueue").rsplit("/", 2)
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "TIDEGATE_LANDING_BUCKET": deployment.physical_id("LandingBucket"),
            "TIDEGATE_WORK_BUCKET": deployment.physical_id("WorkBucket"),
            "TIDEGATE_LANDING_QUEUE_URL": "/".join((self.endpoint, *queue[1:])),
            "TIDEGATE_LEDGER_TABLE": deployment.physical_id("Ledger"),
            "TIDEGATE_STATE_MACHINE_ARN": deployment.physical_id("LoadTable"),
            "PGHOST": HOST,
            "PGPORT": str(self._warehouse_port),
            "PGUSER": secret["username"],
            "PGPASSWORD": secret["password"],
            "PGDATABASE": secret["dbname"],
        }

    def _client(self, service: str) -> Any:  # noqa: ANN401  (one of many types; callers say which)
        session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint, config=_S3)  # type: ignore[call-overload]


def _read_contracts(tables: Path | None, default: Path) -> list[Contract]:
    if tables is not None and not tables.is_dir():
        raise LocalStackError(f"--tables {tables} is not a folder of contracts")
    folder = tables or default
    contracts = read_contracts(folder)
    if not contracts:
        page = "docs/reference/contract.md"
        raise LocalStackError(f"no contract found in {folder}; write one there: {page}")
    return contracts
