"""A small server that speaks Oracle's wire protocol over DuckDB, for demos and tests."""
