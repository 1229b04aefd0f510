"""Errors in Redshift's words."""

SYNTAX = "42601"
UNSUPPORTED = "0A000"
INTERNAL = "XX000"
CANCELLED = "57014"
TOO_LONG = "22001"


class SqlError(Exception):
    """An error that the client gets as an ErrorResponse: SQLSTATE, message, detail and hint."""

    def __init__(
        self, code: str, message: str, *, detail: str = "", hint: str = "", severity: str = "ERROR"
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail
        self.hint = hint
        self.severity = severity


def not_supported_locally(what: str) -> SqlError:
    """Returns the error for a feature that Redshift has and this server lacks."""
    return SqlError(
        UNSUPPORTED,
        f"{what} is not supported by the local warehouse",
        hint="Redshift has it; rewrite the statement, or test it on Redshift itself.",
    )


def not_understood(error: Exception) -> SqlError:
    """Returns the error for a fault in this server: it fails the statement, not the session."""
    told = f"the local warehouse does not understand this ({type(error).__name__}: {error})"
    return SqlError(INTERNAL, told, hint="Write it as Redshift's documentation does.")


def raise_in_sql(code: str, message: str) -> str:
    """Returns a SQL expression that raises this error for each row that evaluates it."""
    quoted = message.replace("'", "''")
    return f"error('redshift:{code}:{quoted}')"
