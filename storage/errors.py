"""The errors of storage.

StorageError
├── NotReady       nothing to read yet: no file, no schema, no snapshot
├── Unusable       the database can't be opened, or is none
├── LeaseLost      another worker owns the database: stop at once
├── NotExact       a value has no exact JSON, or a text is not such JSON
├── Reused         an Idempotency-Key was given to two different commands
└── NoSuchPeriod   rollups are kept by other periods
"""


class StorageError(RuntimeError):
    """Storage could not do what was asked."""


class NotReady(StorageError):
    """There is nothing to read yet: no file, no schema, no snapshot; ask again later."""


class Unusable(StorageError):
    """The database can't be opened, or what is there is none; another URL is needed."""


class LeaseLost(StorageError):
    """Another worker owns the database: stop at once."""


class NotExact(StorageError, ValueError):
    """The value has no exact JSON, or the text is not such JSON."""


class NoSuchPeriod(StorageError, ValueError):
    """Rollups are kept by 1m, 5m and 1h only."""


class Reused(StorageError, ValueError):
    """The Idempotency-Key was given to another command before."""
