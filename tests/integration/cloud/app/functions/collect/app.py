"""Writes each message it is given to a table; refuses those whose key asks for it."""

import json
import os
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> Any:
    """Keep the events of objects; an object below refused/ is refused."""
    failures = []
    for record in event["Records"]:
        message = json.loads(record["body"])
        key = message["detail"]["object"]["key"]
        name = f"{'refused' if key.startswith('refused/') else 'seen'}#{key}"
        dynamodb.update_item(
            TableName=os.environ["TABLE"],
            Key={"pk": {"S": name}},
            UpdateExpression="SET message = :m, together = :s ADD times :one",
            ExpressionAttributeValues={
                ":m": {"S": json.dumps(message)},
                ":s": {"N": str(len(event["Records"]))},
                ":one": {"N": "1"},
            },
        )
        if key.startswith("refused/"):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
