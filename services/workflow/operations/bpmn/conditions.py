"""Conditions on flows: one comparison of a fact with a value, as modellers write it.

Taken are JUEL (`${outcome == 'approved'}`), FEEL (`= outcome = "approved"`) and bare (`outcome == "approved"`), with
== != < <= > >= (also eq ne lt le gt ge), texts in quotes, numbers, true and false; a fact alone (`${urgent}`), negated
by ! or not, stands for true or false. Nothing is ever evaluated as code.
"""

import re

from shared.events.values import Comparison, Condition

_NAME = r"[^\W\d]\w*"
_COMPARED = re.compile(
    rf"(?P<fact>{_NAME})\s*(?P<op>==|!=|<=|>=|<|>|=|\b(?:eq|ne|lt|le|gt|ge)\b)\s*"
    r"(?P<value>\"[^\"]*\"|'[^']*'|-?[0-9]{1,15}(?:\.[0-9]{1,15})?|true|false)"
)
_ALONE = re.compile(rf"(?P<negated>!\s*|not\s+)?(?P<fact>{_NAME})|not\s*\((?P<inner>{_NAME})\)")
_WRAPPED = re.compile(r"[$#]\{(.*)\}", re.DOTALL)
_OPERATORS = {
    "=": Comparison.EQUAL,
    "eq": Comparison.EQUAL,
    "ne": Comparison.UNEQUAL,
    "lt": Comparison.LESS,
    "le": Comparison.AT_MOST,
    "gt": Comparison.GREATER,
    "ge": Comparison.AT_LEAST,
}


def parse(text: str) -> Condition | None:
    """Return the condition that an expression states, None when it is more than one comparison."""
    bare = text.strip()
    if wrapped := _WRAPPED.fullmatch(bare):
        bare = wrapped[1].strip()
    elif bare.startswith("=") and not bare.startswith("=="):
        bare = bare[1:].strip()
    if found := _COMPARED.fullmatch(bare):
        operator = _OPERATORS.get(found["op"]) or Comparison(found["op"])
        return Condition(fact=found["fact"], op=operator, value=_value(found["value"]))
    if found := _ALONE.fullmatch(bare):
        negated = bool(found["negated"] or found["inner"])
        return Condition(fact=found["fact"] or found["inner"], value=not negated)
    return None


def _value(text: str) -> str | bool | int | float:
    if text[0] in "\"'":
        return text[1:-1]
    if text in {"true", "false"}:
        return text == "true"
    return float(text) if "." in text else int(text)


def written(condition: Condition) -> str:
    """Return a condition as JUEL, which Camunda and Flowable run and `parse` reads again."""
    value = condition.value
    if isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = (f'"{value}"' if '"' not in value else f"'{value}'") if isinstance(value, str) else str(value)
    return f"${{{condition.fact} {condition.op} {text}}}"
