"""Deploys a template: moto creates the resources, this module reads from them what to run."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from moto.cloudformation.models import Stack, cloudformation_backends
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import Role as MotoRole
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tidegate.errors import LocalStackError
from tidegate.local.cloud import resources
from tidegate.local.cloud.identity import ACCOUNT, REGION
from tidegate.local.cloud.jobs import JobSettings
from tidegate.local.cloud.permissions.policies import Role, Statement, read_statements
from tidegate.local.cloud.queues import MappingSettings
from tidegate.local.cloud.resources import (
    FunctionResource,
    JobResource,
    LayerResource,
    MappingResource,
    Properties,
    RolePolicyResource,
    ScheduleResource,
    StateMachineResource,
)
from tidegate.local.cloud.sandbox import FunctionSettings
from tidegate.local.cloud.schedules import ScheduleSettings
from tidegate.local.cloud.template import BUILT, Template

SUBSTITUTION = re.compile(r"\$\{(?P<name>\w+)\}")
Kind = TypeVar("Kind")


class Deployment:
    """The resources of one deployed template."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def physical_id(self, logical_id: str) -> str:
        """Return the name or ARN of the resource in the local cloud.

        Raises:
            LocalStackError: the template has no such resource.
        """
        resource: Any = self._stack.resource_map.get(logical_id)
        if resource is None:
            raise LocalStackError(f"the template has no resource {logical_id}")
        return str(resource.physical_resource_id)

    def functions(self) -> list[FunctionSettings]:
        """The functions to run."""
        layers = {one.physical_resource_id: _content(one) for _, one in self._find(LayerResource)}
        return [
            _describe_function(logical_id, function, layers)
            for logical_id, function in self._find(FunctionResource)
        ]

    def jobs(self) -> list[JobSettings]:
        """The jobs to run."""
        return [_describe_job(logical_id, job) for logical_id, job in self._find(JobResource)]

    def mappings(self) -> list[MappingSettings]:
        """The event source mappings: which queue goes to which function."""
        return [_describe_mapping(one.properties) for _, one in self._find(MappingResource)]

    def schedules(self) -> list[ScheduleSettings]:
        """The schedules to fire."""
        return [
            _describe_schedule(logical_id, one.properties)
            for logical_id, one in self._find(ScheduleResource)
            if one.properties.get("State", "ENABLED") == "ENABLED"
        ]

    def roles(self) -> list[Role]:
        """The roles with the statements of their policies."""
        more = [one.properties for _, one in self._find(RolePolicyResource)]
        managed: dict[str, Any] = json.loads(aws_managed_policies_data)
        return [
            Role(logical_id, role.name, tuple(_read_policies(role, more, managed)))
            for logical_id, role in self._find(MotoRole)  # type: ignore[type-abstract]
        ]

    def create_state_machines(self) -> None:
        """Create the state machines in the part of moto that executes them."""
        for _, machine in self._find(StateMachineResource):
            given = machine.properties
            stepfunctions_parser_backends[ACCOUNT][REGION].create_state_machine(
                name=machine.name,
                definition=_substitute(given),
                roleArn=given["RoleArn"],
                sm_type=given.get("StateMachineType", "STANDARD"),
            )

    def _find(self, kind: type[Kind]) -> Iterator[tuple[str, Kind]]:
        for logical_id in self._stack.resource_map.resources:
            resource = self._stack.resource_map[logical_id]
            if isinstance(resource, kind):
                yield logical_id, resource


def deploy(template: Template, name: str, parameters: Mapping[str, str]) -> Deployment:
    """Create the template's resources in a stack called `name`.

    Raises:
        LocalStackError: the template cannot be deployed here.
    """
    given = {key: text for key, text in parameters.items() if key in template.parameters}
    translated = template.translate(given)
    resources.register(one["Type"] for one in translated["Resources"].values())
    try:
        stack = cloudformation_backends[ACCOUNT][REGION].create_stack(
            name, json.dumps(translated), given
        )
        deployment = Deployment(stack)
        deployment.create_state_machines()
    except LocalStackError:
        raise
    except Exception as error:
        # moto raises errors of any type for a template that it does not understand.
        raise LocalStackError(f"{template.path} cannot be deployed here: {error!r}") from error
    return deployment


def _describe_function(
    logical_id: str, function: FunctionResource, layers: Mapping[str, Path | None]
) -> FunctionSettings:
    given = function.properties
    code = Path(given["Code"]["S3Key"])
    if not code.is_dir():
        raise LocalStackError(f"the function {logical_id} has no folder {code}; see its CodeUri")
    variables = given.get("Environment", {}).get("Variables", {})
    reserved = given.get("ReservedConcurrentExecutions")
    found = [layers.get(version) for version in given.get("Layers", [])]
    return FunctionSettings(
        logical_id=logical_id,
        name=function.name,
        arn=function.arn,
        handler=given["Handler"],
        code=code,
        role=_name(given["Role"]),
        memory=int(given.get("MemorySize", 128)),
        timeout=float(given.get("Timeout", 3)),
        environment={key: _as_text(value) for key, value in variables.items()},
        layers=tuple(layer for layer in found if layer is not None),
        reserved=None if reserved is None else int(reserved),
    )


def _content(layer: LayerResource) -> Path | None:
    content = layer.properties["Content"]
    return Path(content["S3Key"]) if content["S3Bucket"] != BUILT else None


def _describe_job(logical_id: str, job: JobResource) -> JobSettings:
    given = job.properties
    script = Path(given["Command"]["ScriptLocation"])
    if not script.is_file():
        raise LocalStackError(f"the job {logical_id} has no script {script}; see its Command")
    return JobSettings(
        logical_id=logical_id,
        name=job.name,
        script=script,
        role=_name(given["Role"]),
        timeout=float(given.get("Timeout", 2880)),
        most_runs=int(given.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)),
        arguments={key: str(text) for key, text in given.get("DefaultArguments", {}).items()},
    )


def _describe_mapping(given: Properties) -> MappingSettings:
    return MappingSettings(
        queue=given["EventSourceArn"],
        function=given["FunctionName"],
        batch_size=int(given.get("BatchSize", 10)),
        window=float(given.get("MaximumBatchingWindowInSeconds", 0)),
        reports_failures="ReportBatchItemFailures" in given.get("FunctionResponseTypes", []),
    )


def _describe_schedule(logical_id: str, given: Properties) -> ScheduleSettings:
    return ScheduleSettings(
        logical_id=logical_id,
        expression=given["ScheduleExpression"],
        function=given["Target"]["Arn"],
        payload=given["Target"].get("Input", "{}"),
        role=_name(given["Target"]["RoleArn"]),
    )


def _read_policies(
    role: MotoRole, more: Iterable[Properties], managed: Mapping[str, Any]
) -> Iterator[Statement]:
    added = {
        one["PolicyName"]: one["PolicyDocument"] for one in more if one["RoleName"] == role.name
    }
    for name, document in {**role.policies, **added}.items():
        yield from read_statements(name, document)
    for arn in role.managed:  # type: ignore[attr-defined]
        if (name := _name(arn)) not in managed:
            raise LocalStackError(
                f"the role {role.name} has the managed policy {arn}, which the local stack does "
                "not know; write its statements in the template"
            )
        yield from read_statements(name, managed[name]["Document"])


def _name(role: str) -> str:
    return role.rpartition("/")[2]


def _substitute(given: Properties) -> str:
    values: dict[str, Any] = given.get("DefinitionSubstitutions", {})
    if "DefinitionS3Location" not in given:
        text = given.get("DefinitionString") or json.dumps(given["Definition"])
    else:
        text = Path(given["DefinitionS3Location"]["Key"]).read_text(encoding="utf-8")
    return SUBSTITUTION.sub(lambda found: str(values.get(found["name"], found[0])), text)


def _as_text(value: Any) -> str:  # noqa: ANN401  (any scalar of a template)
    # CloudFormation writes booleans as JSON does.
    return str(value).lower() if isinstance(value, bool) else str(value)
