"""Resources that moto's CloudFormation does not know, or makes in a way that runs nothing.

moto resolves the intrinsics of the template; these keep what comes out, for deployment.py.
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
    """A resource of the template, with its properties resolved; by itself it does nothing."""

    kind: ClassVar[str] = "Tidegate::Local::Accepted"
    name_property: ClassVar[str] = "Name"
    # The service and the resource of its ARN, and whether Ref gives that instead of the name.
    arn_of: ClassVar[tuple[str, str]] = ("cloudformation", "resource/{name}")
    ref_is_arn: ClassVar[bool] = False

    def __init__(self, name: str, properties: Properties) -> None:
        self.name = name
        self.properties = properties

    @property
    def physical_resource_id(self) -> str:
        """What Ref gives."""
        return self.arn if self.ref_is_arn else self.name

    @property
    def arn(self) -> str:
        """What Fn::GetAtt gives for Arn."""
        service, resource = self.arn_of
        return arn(service, resource.format(name=self.name))

    def get_cfn_attribute(self, attribute: str) -> str:
        """What Fn::GetAtt gives."""
        return {"Arn": self.arn, "Name": self.name}.get(attribute, self.physical_resource_id)

    @classmethod
    def cloudformation_type(cls) -> str:
        """The type in the template."""
        return cls.kind

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """The property that holds a name, if one is given."""
        return cls.name_property

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Whether Fn::GetAtt knows an attribute; here all do."""
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
        """Called by moto when a stack changes; what runs stays as it was deployed."""
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> None:
        """Called by moto when a stack is deleted; what runs ends with the cloud."""

    def is_created(self) -> bool:
        """Whether it is there; it is at once."""
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
    """What feeds a queue to a function; moto's own swallows the messages."""

    kind = "AWS::Lambda::EventSourceMapping"
    name_property = ""


class JobResource(DeployedResource):
    """A Glue job."""

    kind = "AWS::Glue::Job"


class ScheduleResource(DeployedResource):
    """A schedule of EventBridge Scheduler."""

    kind = "AWS::Scheduler::Schedule"


class StateMachineResource(DeployedResource):
    """A state machine; CloudFormation would create it in the part of moto that runs nothing."""

    kind = "AWS::StepFunctions::StateMachine"
    name_property = "StateMachineName"
    arn_of = ("states", "stateMachine:{name}")
    ref_is_arn = True


class SecretResource(DeployedResource):
    """A secret, whose text may be generated."""

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
    """One more policy of a role."""

    kind = "AWS::IAM::RolePolicy"
    name_property = "PolicyName"


class RoleResource(MotoRole):
    """A role that knows which managed policies it has, which moto's CloudFormation leaves out."""

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
    """A bucket with versions and notifications, which moto's CloudFormation leaves out."""

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
    """Make moto's CloudFormation accept all `kinds` of resources."""
    known = parsing.get_model_map()
    for resource in KINDS:
        known[resource.cloudformation_type()] = resource
    for kind in kinds:
        if not kind.startswith("Custom::"):
            known.setdefault(kind, DeployedResource)


def generate(wanted: Properties) -> str:
    """The text of a secret as GenerateSecretString describes it."""
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
