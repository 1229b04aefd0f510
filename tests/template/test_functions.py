"""The six functions: their names, their code and what they are given."""

import ast

from tidegate import settings

POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
GIVEN_BY_LAMBDA = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}


def test_every_folder_of_functions_is_the_function_of_that_name(functions, root):
    folders = {path.parent.name for path in root.glob("functions/*/app.py")}
    logical_ids = {"".join(word.title() for word in folder.split("_")) for folder in folders}
    assert set(functions) == logical_ids
    for name, properties in functions.items():
        folder = properties["CodeUri"].removeprefix("functions/").rstrip("/")
        assert "".join(word.title() for word in folder.split("_")) == name


def test_every_function_has_the_handler_that_the_template_names(template, root):
    assert template["Globals"]["Function"]["Handler"] == "app.handler"
    for app in root.glob("functions/*/app.py"):
        names = {
            node.name
            for node in ast.parse(app.read_text()).body
            if isinstance(node, ast.FunctionDef)
        }
        assert "handler" in names, f"{app} defines no handler"


def test_only_functions_that_open_files_carry_duckdb(deployed):
    carriers = {
        name
        for name, resource in deployed.items()
        if resource["Type"] == "AWS::Lambda::Function"
        and any(
            layer["Ref"].startswith("DuckDBLayer") for layer in resource["Properties"]["Layers"]
        )
    }
    assert carriers == {"PlanBatch", "PrepareChunk"}


def test_every_function_is_told_what_its_settings_read_and_no_more(deployed, functions):
    for name in functions:
        fields = getattr(settings, f"{name}Settings").model_fields.items()
        read = {settings.variable(field.alias or key) for key, field in fields}
        told = set(deployed[name]["Properties"]["Environment"]["Variables"])
        assert told - POWERTOOLS == read - GIVEN_BY_LAMBDA, name


def test_every_layer_is_made_by_a_makefile(resources, root):
    layers = {
        name: resource
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    }
    assert set(layers) == {"PackageLayer", "DuckDBLayer", "ContractsLayer"}
    for name, layer in layers.items():
        assert layer["Metadata"]["BuildMethod"] == "makefile"
        makefile = root / layer["Properties"]["ContentUri"] / "Makefile"
        assert f"\nbuild-{name}:\n" in makefile.read_text()


def test_contracts_are_where_the_functions_that_read_them_look(functions, deployed):
    for name in functions:
        properties = deployed[name]["Properties"]
        layers = {layer["Ref"] for layer in properties["Layers"]}
        path = properties["Environment"]["Variables"].get("TIDEGATE_CONTRACTS")
        has_contracts = any(layer.startswith("ContractsLayer") for layer in layers)
        assert path == ("/opt" if has_contracts else None), name


def test_the_sweep_looks_for_due_tables_each_minute_and_missed_objects_each_hour(deployed):
    schedules = {
        (resource["Properties"]["ScheduleExpression"], resource["Properties"]["Target"]["Input"])
        for resource in deployed.values()
        if resource["Type"] == "AWS::Scheduler::Schedule"
    }
    assert schedules == {
        ("rate(1 minute)", '{"look_for": "due"}'),
        ("rate(1 hour)", '{"look_for": "missed"}'),
    }
