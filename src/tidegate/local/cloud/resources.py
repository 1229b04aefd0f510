"""Resources that moto's CloudFormation does not know, or creates without running them.

moto resolves the template's intrinsics. These classes keep the resolved properties for
deployment.py.
"""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.iam.models import Role as MotoRole
from moto.s3.models import FakeBucket
from moto.secretsmanager.models import secretsmanager_backends

from tidegate.local.cloud.identity import ACCOUNT, REGION, arn

Properties = dict[str, Any]


class DeployedResource(CloudFormationModel):
    """A resource of the template with resolved properties; it runs nothing by itself."""

    kind: ClassVar[str] = "Tidegate::Local::Accepted"
    name_property: ClassVar[str] = "Name"
    # The service and the resource part of the ARN, and whether Ref returns the ARN or the name.
    arn_of: ClassVar[tuple[str, str]] = ("cloudformation", "resource/{name}")
    ref_is_arn: ClassVar[bool] = False

    def __init__(self, name: str, properties: Properties) -> None:
        self.name = name
        self.properties = properties

    @property
    def physical_resource_id(self) -> str:
        """The value of Ref."""
        return self.arn if self.ref_is_arn else self.name

    @property
    def arn(self) -> str:
        """The value of Fn::GetAtt for Arn."""
        service, resource = self.arn_of
        return arn(service, resource.format(name=self.name))

    def get_cfn_attribute(self, attribute: str) -> str:
        """Return the value of Fn::GetAtt for `attribute`."""
        return {"Arn": self.arn, "Name": self.name}.get(attribute, self.physical_resource_id)

    @classmethod
    def cloudformation_type(cls) -> str:
        """Return the resource type in the template."""
        return cls.kind

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """Return the property that holds the name, if the template gives one."""
        return cls.name_property

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Tell moto that Fn::GetAtt accepts every attribute."""
        return bool(attr)

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401  (moto's)
    ) -> "DeployedResource":
        """Called by moto with the resolved properties."""
        properties = cloudformation_json["Properties"]
        return cls(str(properties.get(cls.name_property, resource_name)), properties)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: "DeployedResource",
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "DeployedResource":
        """Ignore a change of the stack; moto calls this. Running parts stay as deployed."""
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> None:
        """Ignore the deletion of the stack; moto calls this. Running parts end with the cloud."""

    def is_created(self) -> bool:
        """Tell moto that the resource exists as soon as it is created."""
        return True


class FunctionResource(DeployedResource):
    """A Lambda function."""

    kind = "AWS::Lambda::Function"
    name_property = "FunctionName"
    arn_of = ("lambda", "function:{name}")


class LayerResource(DeployedResource):
    """A version of a Lambda layer."""

    kind = "AWS::Lambda::LayerVersion"
    name_property = "LayerName"
    arn_of = ("lambda", "layer:{name}:1")
    ref_is_arn = True


class MappingResource(DeployedResource):
    """An event source mapping; moto's own mapping loses the messages."""

    kind = "AWS::Lambda::EventSourceMapping"
    name_property = ""


class JobResource(DeployedResource):
    """A Glue job."""

    kind = "AWS::Glue::Job"


class ScheduleResource(DeployedResource):
    """A schedule of EventBridge Scheduler."""

    kind = "AWS::Scheduler::Schedule"


class StateMachineResource(DeployedResource):
    """A state machine; moto's CloudFormation would create it where nothing executes it."""

    kind = "AWS::StepFunctions::StateMachine"
    name_property = "StateMachineName"
    arn_of = ("states", "stateMachine:{name}")
    ref_is_arn = True


class SecretResource(DeployedResource):
    """A secret; its text is given or generated."""

    kind = "AWS::SecretsManager::Secret"

    def __init__(self, name: str, properties: Properties) -> None:
        super().__init__(name, properties)
        text = properties.get("SecretString") or generate(properties["GenerateSecretString"])
        made = secretsmanager_backends[ACCOUNT][REGION].create_secret(
            name=name,
            secret_string=text,
            secret_binary=None,
            description=properties.get("Description"),
            tags=None,
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        self._arn: str = json.loads(made)["ARN"]

    @property
    def physical_resource_id(self) -> str:
        """Its ARN."""
        return self._arn


class RolePolicyResource(DeployedResource):
    """An extra policy of a role."""

    kind = "AWS::IAM::RolePolicy"
    name_property = "PolicyName"


class RoleResource(MotoRole):
    """A role with its managed policies, which moto's CloudFormation leaves out."""

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401  (moto's)
    ) -> MotoRole:
        """Called by moto with the resolved properties."""
        role = super().create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        arns = cloudformation_json["Properties"].get("ManagedPolicyArns", [])
        role.managed = tuple(arns)  # type: ignore[attr-defined]
        return role


class BucketResource(FakeBucket):
    """A bucket with versioning and notifications, which moto's CloudFormation leaves out."""

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,  # noqa: ANN401  (moto's)
    ) -> FakeBucket:
        """Called by moto with the resolved properties."""
        bucket = super().create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        properties = cloudformation_json["Properties"]
        bucket.versioning_status = properties.get("VersioningConfiguration", {}).get("Status")
        notifications = properties.get("NotificationConfiguration", {})
        if notifications.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled"):
            bucket.set_notification_configuration({"EventBridgeConfiguration": {}})
        return bucket


KINDS: tuple[type[CloudFormationModel], ...] = (
    BucketResource,
    RoleResource,
    RolePolicyResource,
    FunctionResource,
    LayerResource,
    MappingResource,
    JobResource,
    ScheduleResource,
    StateMachineResource,
    SecretResource,
)


def register(kinds: Iterable[str]) -> None:
    """Make moto's CloudFormation accept all resource types in `kinds`."""
    known = parsing.get_model_map()
    for resource in KINDS:
        known[resource.cloudformation_type()] = resource
    for kind in kinds:
        if not kind.startswith("Custom::"):
            known.setdefault(kind, DeployedResource)


def generate(wanted: Properties) -> str:
    """Generate a secret's text as GenerateSecretString describes it."""
    made = secretsmanager_backends[ACCOUNT][REGION].get_random_password(
        password_length=int(wanted.get("PasswordLength", 32)),
        exclude_characters=wanted.get("ExcludeCharacters", ""),
        exclude_numbers=_is_true(wanted, "ExcludeNumbers"),
        exclude_punctuation=_is_true(wanted, "ExcludePunctuation"),
        exclude_uppercase=_is_true(wanted, "ExcludeUppercase"),
        exclude_lowercase=_is_true(wanted, "ExcludeLowercase"),
        include_space=_is_true(wanted, "IncludeSpace"),
        require_each_included_type=_is_true(wanted, "RequireEachIncludedType", default=True),
    )
    password: str = json.loads(made)["RandomPassword"]
    if "GenerateStringKey" not in wanted:
        return password
    template = json.loads(wanted["SecretStringTemplate"])
    return json.dumps(template | {wanted["GenerateStringKey"]: password})


def _is_true(wanted: Properties, name: str, *, default: bool = False) -> bool:
    return str(wanted.get(name, default)).lower() == "true"
