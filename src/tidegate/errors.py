"""Every error that Tidegate raises, in one tree.

TidegateError
├── TransientError            the state machine tries again
│   ├── DeploymentError
│   ├── TooNarrowError
│   ├── WarehouseBusyError
│   └── ServiceBusyError
└── TerminalError             a person has to act
    ├── ContractError
    ├── InvalidInputError
    ├── SettingsError
    ├── LeaseLostError
    ├── LoadFailedError
    ├── MassDeleteError
    ├── RefreshRefusedError
    ├── RunFailedError
    ├── SweepFailedError
    └── LocalStackError
"""


class TidegateError(Exception):
    """Base of all errors. The message says what is wrong, where, and what to do."""


class TransientError(TidegateError):
    """The same call may succeed later, without any change."""


class TerminalError(TidegateError):
    """The same call will fail again until somebody changes something."""


class DeploymentError(TransientError):
    """The database user, the secret, the network or a permission is wrong.

    You correct it outside Tidegate. After that every table continues by itself.
    """


class TooNarrowError(TransientError):
    """Texts are longer than columns that Redshift cannot widen. The retry refuses their rows."""


class WarehouseBusyError(TransientError):
    """Redshift refused or dropped the work for a temporary reason."""


class ServiceBusyError(TransientError):
    """An AWS service throttled the call or could not be reached."""


class ContractError(TerminalError):
    """A contract is wrong, or does not fit the table that it names."""


class InvalidInputError(TerminalError):
    """The input of an execution does not have what `load_table` needs."""


class SettingsError(TerminalError):
    """A function or a command lacks an environment variable, or has a wrong one."""


class LeaseLostError(TerminalError):
    """Another run holds the table's lease now, so this run must stop."""


class LoadFailedError(TerminalError):
    """Redshift refused the batch, and would refuse it again."""


class SweepFailedError(TerminalError):
    """The sweep failed for some tables. It did the others; the next sweep tries these again."""


class MassDeleteError(TerminalError):
    """A batch deletes more rows than its contract allows. A person has to release it."""


class RefreshRefusedError(TerminalError):
    """A full refresh cannot use its snapshot to replace the table."""


class RunFailedError(TerminalError):
    """A run that a command started has failed. The message is the error of the run."""


class LocalStackError(TerminalError):
    """The local stack cannot start, or is not running."""
