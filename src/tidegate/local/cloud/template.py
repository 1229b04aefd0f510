"""Reads a SAM template and translates it to CloudFormation with AWS's own translator."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse
from yaml import YAMLError

from tidegate.errors import LocalStackError
from tidegate.local.cloud.identity import REGION

# Stands for the bucket to which `sam deploy` uploads code; its keys are paths on this machine.
ARTIFACTS = "local"
# Marks layers with a BuildMethod: this process's own environment already has their packages.
BUILT = "built"
PATHS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
Document = dict[str, Any]


class Template:
    """One template file; paths in it are relative to its folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._document = _read(self.path)

    @property
    def parameters(self) -> set[str]:
        """The names of the template's parameters."""
        return set(self._document.get("Parameters", {}))

    def put_layer(self, logical_id: str, folder: Path) -> None:
        """Use `folder` as the layer's content, as if it had been built."""
        layer = self._layer(logical_id)
        layer["Properties"]["ContentUri"] = str(folder.resolve())
        layer.pop("Metadata", None)

    def translate(self, parameters: Mapping[str, str]) -> Document:
        """Translate the template to CloudFormation.

        Raises:
            LocalStackError: SAM does not accept the template.
        """
        document: Document = json.loads(json.dumps(self._document))
        for resource in document["Resources"].values():
            self._resolve_paths(resource)
        translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
        try:
            translated: Document = translator.translate(document, dict(parameters))
        except InvalidDocumentException as error:
            causes = "; ".join(cause.message for cause in error.causes)
            raise LocalStackError(f"SAM does not accept {self.path}: {causes}") from error
        return translated

    def _layer(self, logical_id: str) -> Document:
        try:
            layer: Document = self._document["Resources"][logical_id]
        except KeyError as error:
            raise LocalStackError(f"{self.path} has no layer {logical_id}; add it") from error
        return layer

    def _resolve_paths(self, resource: Document) -> None:
        properties = resource.get("Properties", {})
        name = PATHS.get(resource["Type"], "")
        if isinstance(properties.get(name), str):
            bucket = BUILT if "BuildMethod" in resource.get("Metadata", {}) else ARTIFACTS
            key = str(self.path.parent / properties[name])
            properties[name] = {"Bucket": bucket, "Key": key}
        if resource["Type"] == "AWS::Glue::Job":
            command = properties["Command"]
            command["ScriptLocation"] = str(self.path.parent / command["ScriptLocation"])


def _read(path: Path) -> Document:
    try:
        document = yaml_parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalStackError(
            f"there is no {path}; run this in a checkout of Tidegate, or name the template with "
            "--template"
        ) from None
    except OSError as error:
        raise LocalStackError(f"{path} cannot be read: {error.strerror}") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise LocalStackError(f"{path} is not YAML: {error}") from error
    if not isinstance(document, dict) or "Resources" not in document:
        raise LocalStackError(f"{path} is not a SAM template: it has no Resources")
    return document
