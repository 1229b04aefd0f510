"""From the landing bucket to the function that registers files."""

import pytest


def test_every_object_that_lands_is_told_to_the_landing_queue(resources):
    bucket = resources["LandingBucket"]["Properties"]
    assert (
        bucket["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"]
        is True
    )
    rule = resources["LandingRule"]["Properties"]
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [{"Ref": "LandingBucket"}]}},
    }
    assert [target["Arn"] for target in rule["Targets"]] == [
        {"Fn::GetAtt": ["LandingQueue", "Arn"]}
    ]


def test_only_the_landing_rule_may_send_to_the_landing_queue(resources):
    [statement] = resources["LandingQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["LandingRule", "Arn"]}}
    }


def test_a_message_stays_hidden_for_six_times_the_time_its_function_may_take(resources, template):
    timeout = resources["RegisterFiles"]["Properties"].get(
        "Timeout", template["Globals"]["Function"]["Timeout"]
    )
    assert resources["LandingQueue"]["Properties"]["VisibilityTimeout"] >= 6 * timeout


def test_a_message_that_fails_five_times_waits_for_a_person(resources):
    assert resources["LandingQueue"]["Properties"]["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["LandingDeadLetterQueue", "Arn"]},
        "maxReceiveCount": 5,
    }
    assert resources["LandingDeadLetterQueue"]["Properties"]["MessageRetentionPeriod"] == 14 * 86400


def test_one_bad_message_does_not_return_its_neighbours_to_the_queue(resources):
    mapping = resources["RegisterLanded"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # Lambda demands a window for batches of more than ten.
    assert mapping["BatchSize"] > 10
    assert mapping["MaximumBatchingWindowInSeconds"] == 1


@pytest.mark.parametrize("bucket", ["LandingBucket", "WorkBucket"])
def test_buckets_are_encrypted_closed_to_the_public_and_to_plain_http(resources, bucket):
    properties = resources[bucket]["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in properties
    [statement] = resources[f"{bucket}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_overwritten_object_can_still_be_loaded(resources):
    assert (
        resources["LandingBucket"]["Properties"]["VersioningConfiguration"]["Status"] == "Enabled"
    )


def test_batches_expire_and_quarantine_never_does(resources):
    rules = resources["WorkBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {
        rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule
    }
    assert expiring == {"batches/": 30}


def test_the_ledger_can_be_restored_and_is_encrypted(resources):
    ledger = resources["Ledger"]["Properties"]
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["SSESpecification"] == {"SSEEnabled": True}
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert ledger["BillingMode"] == "PAY_PER_REQUEST"
