"""Writes each message it is given to a table; refuses those whose key asks for it.

Of objects below many/ it only prints the keys.
"""

import json
import os
import sys
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> Any:
    """Keep the events of objects; an object below refused/ is refused."""
    failures = []
    for record in event["Records"]:
        message = json.loads(record["body"])
        key = message["detail"]["object"]["key"]
        if key.startswith("many/"):
            sys.stdout.write(f"{key} of {len(event['Records'])}\n")
            continue
        name = f"{'refused' if key.startswith('refused/') else 'seen'}#{key}"
        dynamodb.update_item(
            TableName=os.environ["TABLE"],
            Key={"pk": {"S": name}},
            UpdateExpression="SET message = :m ADD times :one",
            ExpressionAttributeValues={
                ":m": {"S": json.dumps(message)},
                ":one": {"N": "1"},
            },
        )
        if key.startswith("refused/"):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
