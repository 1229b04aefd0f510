"""The local cloud's account, address and public test keys; a role's access key is its name."""

ACCOUNT = "123456789012"  # moto's default account
REGION = "us-east-1"
HOST = "127.0.0.1"
ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105  (moto checks no signature)


def credentials(endpoint: str, role: str = "") -> dict[str, str]:
    """Return variables that point an SDK at the local cloud only, acting as `role` if given."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": role or ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # The user's own profile is for the real cloud.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def arn(service: str, resource: str) -> str:
    """Return the ARN of a resource in the local cloud."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
