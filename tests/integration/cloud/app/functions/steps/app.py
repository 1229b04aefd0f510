"""Stands for the functions of load_table: plans the chunks its input asks for, and counts them."""

import os
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer as plan_batch, prepare_chunk, fail_batch or commit_batch would."""
    if "rounds" in event:
        return plan(event["request"], event["rounds"])
    if "chunk" in event and "failure" in event:
        return note(event)
    if "chunk" in event:
        return prepare(event["plan"], event["chunk"])
    if "failure" in event:
        verdict = event["request"].get("verdict", "give_up")
        return {"verdict": verdict, "wait_seconds": 0, "error": "Told", "message": str(event)}
    return {}


def plan(request: dict[str, Any], rounds: int) -> dict[str, Any]:
    actions = request["actions"]
    return {
        "action": actions[rounds],
        "rounds": rounds + 1,
        "plan": request["plan"],
        "plan_url": "s3://work/plan.json",
        "chunks": list(range(request["chunks"])),
    }


def note(event: dict[str, Any]) -> None:
    died = {"pk": {"S": f"{event['plan']} died#{event['chunk']}"}}
    dynamodb.put_item(TableName=os.environ["TABLE"], Item=died)


def prepare(name: str, chunk: int) -> dict[str, Any]:
    if name.endswith("fails"):
        raise RuntimeError(f"chunk {chunk} fails")
    dynamodb.put_item(
        TableName=os.environ["TABLE"], Item={"pk": {"S": f"{name}#{chunk}"}, "times": {"N": "1"}}
    )
    return {"files": 1, "much": "x" * 10_000}
