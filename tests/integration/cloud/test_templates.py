"""Templates: what SAM makes of them, and how mistakes are told."""

from pathlib import Path

import pytest

from tidegate.errors import LocalStackError
from tidegate.local.cloud.template import Template

APP = Path(__file__).parent / "app/template.yaml"


def write(folder, text):
    path = folder / "template.yaml"
    path.write_text(text)
    return Template(path)


def test_what_a_template_names_by_path_is_beside_it():
    resources = Template(APP).translate({})["Resources"]
    assert resources["Probe"]["Properties"]["Code"] == {
        "S3Bucket": "local",
        "S3Key": str(APP.parent / "functions/probe"),
    }
    assert resources["Job"]["Properties"]["Command"]["ScriptLocation"] == str(
        APP.parent / "jobs/job.py"
    )


def test_the_parameters_are_known():
    assert Template(APP).parameters == {"Greeting", "Flag"}


def test_a_layer_can_be_put_in_another_folders_place(tmp_path):
    template = Template(APP)
    template.put_layer("Files", tmp_path)
    resources = template.translate({})["Resources"]
    contents = [
        one["Properties"]["Content"]["S3Key"]
        for one in resources.values()
        if one["Type"] == "AWS::Lambda::LayerVersion"
    ]
    assert contents == [str(tmp_path)]


def test_a_layer_that_is_put_in_is_built_already(tmp_path):
    template = write(
        tmp_path,
        "Transform: AWS::Serverless-2016-10-31\n"
        "Resources:\n"
        "  Made:\n"
        "    Type: AWS::Serverless::LayerVersion\n"
        "    Metadata: {BuildMethod: makefile}\n"
        "    Properties: {ContentUri: x/}\n",
    )
    buckets = []
    for _ in range(2):
        [layer] = template.translate({})["Resources"].values()
        buckets.append(layer["Properties"]["Content"]["S3Bucket"])
        template.put_layer("Made", tmp_path)
    assert buckets == ["built", "local"]


def test_a_layer_that_is_not_there_cannot_be_replaced(tmp_path):
    with pytest.raises(LocalStackError, match="has no layer Absent; add it"):
        Template(APP).put_layer("Absent", tmp_path)


def test_what_sam_refuses_is_told_with_its_reason(tmp_path):
    template = write(
        tmp_path,
        "Transform: AWS::Serverless-2016-10-31\n"
        "Resources:\n"
        "  Wrong:\n"
        "    Type: AWS::Serverless::Function\n"
        "    Properties: {CodeUri: x/, Handler: app.handler, Runtime: python3.13, Events: 7}\n",
    )
    with pytest.raises(LocalStackError, match=r"SAM does not accept .*\[Wrong\] is invalid"):
        template.translate({})


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [1", "is not YAML"), ("a: 1", "is not a SAM template: it has no Resources")],
)
def test_a_file_that_is_no_template_is_refused(tmp_path, text, message):
    with pytest.raises(LocalStackError, match=message):
        write(tmp_path, text)
