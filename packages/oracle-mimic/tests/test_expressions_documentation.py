"""docs/oracle-mimic.md lists the functions: those of the catalogue, and those that are refused by name."""

import re
from pathlib import Path

import pytest
from binder_bench import Bench
from expression_cases import bench, error_code
from oracle_mimic.sql.expressions.functions import CATALOGUE

__all__ = ["bench"]
PAGE = Path(__file__).parents[3] / "docs" / "oracle-mimic.md"


def listed(block: str) -> set[str]:
    text = PAGE.read_text().split(f"<!-- {block}: begin -->")[1].split(f"<!-- {block}: end -->")[0]
    return set(re.findall(r"`([A-Z][A-Z0-9_$. ]+)`", text)) - {"OVER"}


def test_every_function_is_listed_and_no_other() -> None:
    assert listed("functions") == set(CATALOGUE)


@pytest.mark.parametrize("name", sorted(listed("refused functions")))
def test_a_function_listed_as_refused_is_refused(bench: Bench, name: str) -> None:
    assert name not in CATALOGUE
    assert error_code(bench, f"{name}(dummy)") == 3001
