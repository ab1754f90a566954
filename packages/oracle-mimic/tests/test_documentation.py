"""docs/oracle-mimic.md tells what is refused: the list is the source's own."""

import ast
import re
from pathlib import Path

import oracle_mimic

SOURCE = Path(oracle_mimic.__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "oracle-mimic.md"


def refusals() -> set[str]:
    """The constructs named in calls of `refused`; a part computed at run time shows as an ellipsis."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refused" and node.args):
                continue
            argument = node.args[0]
            if isinstance(argument, ast.Constant):
                found.add(str(argument.value))
            elif isinstance(argument, ast.JoinedStr):
                found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in argument.values))
    return found - {"…"}


def listed() -> set[str]:
    block = PAGE.read_text().split("<!-- refused: begin -->")[1].split("<!-- refused: end -->")[0]
    return set(re.findall(r"^- `(.+)`$", block, re.MULTILINE))


def test_every_refusal_of_the_source_is_listed_and_no_other() -> None:
    assert listed() == refusals()
