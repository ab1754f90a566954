"""Statements, tables, transactions. Knows no bytes of the protocol."""
