"""A local warehouse: DuckDB that speaks, refuses and fails like Redshift."""

from tidegate.local.warehouse.server import Warehouse

__all__ = ["Warehouse"]
