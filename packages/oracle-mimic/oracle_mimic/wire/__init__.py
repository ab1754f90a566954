"""Bytes and dataclasses: packets, messages, values, connections. Knows no SQL."""
