"""Databases that cannot be opened, and what a partial state means."""

import pytest
from wms_ops.system_database import SystemDatabase, SystemDatabaseError, merge


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("sqlite:///nowhere.db", "nowhere.db"),
        ("postgresql+psycopg://meltano:very-secret@127.0.0.1:1/meltano", "MELTANO_DATABASE_URI"),
        ("mysql://host/meltano", "mysql"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(tmp_path, uri, named):
    with pytest.raises(SystemDatabaseError, match=named) as caught:
        SystemDatabase(uri, tmp_path)
    assert "very-secret" not in str(caught.value)


def test_a_partial_state_is_put_over_the_completed_one():
    # `--full-refresh` writes partial states; Meltano starts from both, merged.
    assert merge({"a": {"x": 1}, "b": [2]}, {"a": {"y": 3}, "b": [1], "c": 4}) == {"a": {"x": 1, "y": 3}, "b": [2], "c": 4}
