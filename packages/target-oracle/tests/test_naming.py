"""Names: one spelling, stable short forms."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from target_oracle.naming import MAX_IDENTIFIER_BYTES, column_names, identifier, qualified, suffixed

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_name_is_upper_case_and_otherwise_unchanged():
    assert identifier("last_updated") == "LAST_UPDATED"
    assert identifier("a b é 😀") == "A B É 😀"


def test_a_name_with_a_quote_gets_a_digest():
    assert identifier('say "hi"') == "SAY _HI__" + identifier('say "hi"')[-8:]
    assert identifier('say "hi"') != identifier("say _hi_")


def test_an_empty_name_is_refused():
    with pytest.raises(ValueError, match="without a name"):
        identifier("")


@UNHURRIED
@given(st.text(min_size=1, max_size=300))
def test_a_name_fits_and_is_stable(text):
    name = identifier(text)
    assert len(name.encode()) <= MAX_IDENTIFIER_BYTES
    assert '"' not in name
    assert "\0" not in name
    assert name == identifier(text)


@UNHURRIED
@given(st.lists(st.text(min_size=1, max_size=40), unique=True, max_size=30))
def test_columns_never_meet(properties):
    names = column_names(properties, reserved=["_SDC_BATCHED_AT"])
    assert list(names) == properties
    assert len(set(names.values())) == len(properties)
    assert "_SDC_BATCHED_AT" not in names.values()


def test_names_that_differ_in_case_get_digests_and_the_upper_case_one_stays():
    names = column_names(["id", "Id", "ID", "name"])
    assert names["ID"] == "ID"
    assert names["name"] == "NAME"
    assert names["id"] != names["Id"]
    assert names["id"].startswith("ID_")


def test_a_suffix_is_never_cut():
    long = "X" * 128
    assert suffixed("ALLOCATION", "_PK") == "ALLOCATION_PK"
    assert suffixed(long, "_PK").endswith("_PK")
    assert len(suffixed(long, "_PK")) == 128
    assert suffixed(long, "_PK", limit=30) != suffixed(long + "Y", "_PK", limit=30)


def test_a_qualified_name_is_quoted():
    assert qualified("WH", "LEVEL") == '"WH"."LEVEL"'
