"""The template as written, and as SAM turns it into CloudFormation."""

from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
URIS = ("CodeUri", "ContentUri", "DefinitionUri")


class ManagedPolicies:
    """The managed policies SAM may add to a role it makes; any other fails the translation."""

    def load(self) -> dict[str, str]:
        return {
            name: f"arn:aws:iam::aws:policy/{name}"
            for name in ("AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess")
        }


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return yaml_parse((ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    return template["Resources"]


@pytest.fixture(scope="session")
def functions(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


@pytest.fixture(scope="session")
def deployed() -> dict[str, Any]:
    """The resources CloudFormation is given, after `sam deploy` has uploaded what is local."""
    uploaded = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in uploaded["Resources"].values():
        properties = resource["Properties"]
        properties.update({uri: "s3://bucket/key" for uri in URIS if uri in properties})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        return transform(uploaded, {}, ManagedPolicies())["Resources"]
