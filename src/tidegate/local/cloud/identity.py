"""Whose the local cloud is, and where; its keys are no secret. A role's access key is its name."""

ACCOUNT = "123456789012"  # moto's default account
REGION = "us-east-1"
HOST = "127.0.0.1"
ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105  (moto checks no signature)


def credentials(endpoint: str, role: str = "") -> dict[str, str]:
    """The variables by which an SDK reaches the local cloud and nothing else, as `role` if any."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": role or ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # What the user's own profile says is for the real cloud.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def arn(service: str, resource: str) -> str:
    """The ARN of a resource here."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
