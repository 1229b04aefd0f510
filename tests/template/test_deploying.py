"""A first deployment that fails can be repeated."""

KEPT = {"LandingBucket", "WorkBucket", "Ledger", "WarehouseSecret"}


def test_what_holds_data_outlives_the_stack_but_not_a_creation_that_is_rolled_back(deployed):
    policies = {name: one.get("DeletionPolicy", "Delete") for name, one in deployed.items()}
    kept = {name for name, policy in policies.items() if policy != "Delete"}
    assert kept == KEPT
    assert {policies[name] for name in kept} == {"RetainExceptOnCreate"}


def test_what_holds_data_outlives_its_replacement(deployed):
    # CloudFormation takes no RetainExceptOnCreate here.
    assert {name for name, one in deployed.items() if "UpdateReplacePolicy" in one} == KEPT
    assert {deployed[name]["UpdateReplacePolicy"] for name in KEPT} == {"Retain"}
