"""Processes that the tests run: in a row, with branches and a join, with a step that needs the fee."""

from shared.events.values import Process, ProcessStep


def step(key: str, *after: str, minutes: int = 120, awaits_payment: bool = False) -> ProcessStep:
    """Make a step named by its key, done in the unit of the same name."""
    return ProcessStep(
        key=key,
        name=f"Bước {key}",
        unit=f"unit-{key}",
        role="specialist",
        minutes=minutes,
        after=after,
        awaits_payment=awaits_payment,
    )


LINEAR = Process(code="linear", steps=(step("check"), step("decide", "check"), step("sign", "decide")))
PARALLEL = Process(
    code="parallel",
    steps=(step("split"), step("left", "split"), step("right", "split"), step("join", "left", "right")),
)
BRANCHES = Process(code="branches", steps=(step("left"), step("right")))
GATED = Process(code="gated", steps=(step("check"), step("stamp", "check", awaits_payment=True), step("sign", "stamp")))
GATED_FIRST = Process(code="gated-first", steps=(step("stamp", awaits_payment=True), step("sign", "stamp")))
GATED_BRANCH = Process(
    code="gated-branch",
    steps=(
        step("split"),
        step("stamp", "split", awaits_payment=True),
        step("visit", "split"),
        step("sign", "stamp", "visit"),
    ),
)
CODES = {
    process.code: f"1.00{number:04d}"
    for number, process in enumerate((LINEAR, PARALLEL, BRANCHES, GATED, GATED_FIRST, GATED_BRANCH), start=1)
}
"""The procedure that each process belongs to."""
