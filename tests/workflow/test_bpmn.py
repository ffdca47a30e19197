"""BPMN files of several modellers run as drawn; broken ones name the element and the reason."""

import random
from typing import Any

import pytest
from lxml import etree

from services.workflow.operations.bpmn import conditions
from services.workflow.operations.bpmn.drawing import Definition
from services.workflow.operations.bpmn.importing import from_bpmn, from_process
from services.workflow.operations.bpmn.writing import write
from shared.events.values import Branch, Comparison, Condition, Decision, Duration, DurationUnit, Process
from tests.workflow.drawn import FILES, MODEL, Ours, Theirs, content, structured, walk
from tests.workflow.processes import step

NAMES = ("Kiểm tra hồ sơ", "Kiểm tra thực địa", "Lấy ý kiến quy hoạch", "Dự thảo giấy phép", "Ký duyệt")


def taken(name: str) -> Definition:
    """Return what a modeller's file defines; nothing may be wrong with it."""
    definition, findings = from_bpmn(content(name))
    assert findings == []
    assert definition is not None
    return definition


class TestModellers:
    """The same process drawn with Camunda Modeler, bpmn.io, Flowable and Signavio."""

    @pytest.mark.parametrize("name", FILES)
    def test_is_read(self, name: str) -> None:
        process = taken(name).process
        by_name = {one.name: one for one in process.steps}
        assert set(NAMES) < set(by_name)
        assert {(one.unit, one.role) for one in process.steps} == {
            ("Bộ phận Một cửa", "mot-cua"),
            ("Phòng Quản lý đô thị", "chuyen-vien"),
            ("Lãnh đạo UBND", "lanh-dao"),
        }
        assert [by_name[one].minutes for one in NAMES] == [240, 960, 1440, 480, 240]
        assert len(by_name["Dự thảo giấy phép"].after) == 2
        assert [branch.name for branch in process.decisions[0].branches] == ["Đạt", "Không đạt"]

    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize("way", [0, 1])
    def test_runs_as_drawn(self, name: str, way: int) -> None:
        ours = Ours(taken(name).process)
        outcome = ours.outcomes("Kiểm tra hồ sơ")[way]
        ours.complete("Kiểm tra hồ sơ", outcome)
        if way == 0:
            assert ours.ready() == {"Kiểm tra thực địa", "Lấy ý kiến quy hoạch"}
            ours.complete("Kiểm tra thực địa", None)
            assert ours.ready() == {"Lấy ý kiến quy hoạch"}
            ours.complete("Lấy ý kiến quy hoạch", None)
            assert ours.ready() == {"Dự thảo giấy phép"}
            ours.complete("Dự thảo giấy phép", None)
        else:
            assert ours.ready() == {"Dự thảo văn bản từ chối"}
            ours.complete("Dự thảo văn bản từ chối", None)
        assert ours.ready() == {"Ký duyệt"}

    def test_says_for_what_it_is(self) -> None:
        definition = taken("camunda-modeler.bpmn")
        assert (definition.code, definition.procedure_code, definition.agency_code) == (
            "cap-phep-xay-dung",
            "1.013225",
            "H32",
        )
        assert definition.term == Duration(amount=15, unit=DurationUnit.WORKING_DAY)
        assert [one.key for one in definition.process.steps if one.awaits_payment] == ["sign"]


class TestOracle:
    """SpiffWorkflow, running the same file, opens the same steps."""

    @pytest.mark.parametrize("name", ["camunda-modeler.bpmn", "flowable.bpmn20.xml"])
    def test_on_the_modellers_files(self, name: str) -> None:
        for seed in range(6):
            self.compare(taken(name).process, content(name), random.Random(seed))

    @pytest.mark.parametrize("name", FILES)
    def test_on_what_we_draw_of_them(self, name: str) -> None:
        definition = taken(name)
        for seed in range(4):
            self.compare(definition.process, write(definition), random.Random(seed))

    @pytest.mark.parametrize("seed", range(25))
    def test_on_random_processes(self, seed: int) -> None:
        chance = random.Random(seed)
        process, findings = from_process(structured(chance, chance.randint(1, 14)), None)
        assert findings == []
        self.compare(process, write(Definition("random", "Ngẫu nhiên", process)), chance)

    def compare(self, process: Process, file: bytes, chance: random.Random) -> None:
        ours, theirs = Ours(process), Theirs(file)
        for ready, name, outcome in walk(ours, chance):
            assert theirs.ready() == ready
            theirs.complete(name, outcome)
        assert theirs.ended


class TestRoundTrip:
    """What is written is read again as the same process, with a diagram of every element."""

    @pytest.mark.parametrize("name", FILES)
    def test_of_the_modellers_files(self, name: str) -> None:
        definition = taken(name)
        again, findings = from_bpmn(write(definition))
        assert findings == []
        assert again is not None
        assert again.process == definition.process
        assert (again.code, again.name, again.procedure_code, again.term) == (
            definition.code,
            definition.name,
            definition.procedure_code,
            definition.term,
        )

    @pytest.mark.parametrize("seed", range(40))
    def test_of_random_processes(self, seed: int) -> None:
        chance = random.Random(seed)
        process, findings = from_process(structured(chance, chance.randint(1, 30)), None)
        assert findings == []
        again, findings = from_bpmn(write(Definition("random", "Ngẫu nhiên", process)))
        assert (findings, again and again.process) == ([], process)

    @pytest.mark.parametrize("name", FILES)
    def test_draws_every_element_apart_from_the_others(self, name: str) -> None:
        root = etree.fromstring(write(taken(name)))
        ids = {one.get("id") for one in root.iter() if isinstance(one.tag, str) and one.tag.startswith(f"{{{MODEL}}}")}
        drawn = {one.get("bpmnElement") for one in root.iter("{*}BPMNShape", "{*}BPMNEdge")}
        assert drawn <= ids
        kinds = ("userTask", "startEvent", "endEvent", "exclusiveGateway", "parallelGateway", "sequenceFlow", "lane")
        assert {one.get("id") for kind in kinds for one in root.iter(f"{{{MODEL}}}{kind}")} <= drawn
        boxes = [
            tuple(float(bounds.get(side)) for side in ("x", "y", "width", "height"))
            for shape in root.iter("{*}BPMNShape")
            if not shape.get("isHorizontal")
            for bounds in shape.iter("{*}Bounds")
        ]
        assert not [1 for nth, one in enumerate(boxes) for other in boxes[:nth] if overlap(one, other)]

    def test_keeps_keys_that_are_no_xml_names(self) -> None:
        process = Process(code="p", steps=(step("1. Thẩm định"), step("2/ký", "1. Thẩm định")))
        again, findings = from_bpmn(write(Definition("p", "P", process)))
        assert (findings, again and again.process) == ([], process)


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Tell whether two boxes share a point."""
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


def compared(operator: str) -> Condition:
    """Make a comparison of x with 5."""
    return Condition(fact="x", op=Comparison[operator], value=5)


class TestWritten:
    """Processes given as JSON are checked as drawings are."""

    @pytest.mark.parametrize(
        ("process", "code", "element"),
        [
            (Process(code="p", steps=()), "no_steps", ""),
            (Process(code="p", steps=(step("a", "b"),)), "after_unknown", "a"),
            (Process(code="p", steps=(step("a", "b"), step("b", "a"))), "cycle", "a"),
            (Process(code="p", steps=(step("a"), step("a"))), "key_taken", "a"),
            (Process(code="p", steps=(step("a:b"),)), "key_invalid", "a:b"),
            (Process(code="p", steps=(step("a").model_copy(update={"unit": " "}),)), "no_unit", "a"),
        ],
    )
    def test_what_cannot_run(self, process: Process, code: str, element: str) -> None:
        found = {one.code: one.element_id for one in from_process(process, None)[1]}
        assert found.get(code) == element or element == ""
        assert code in found

    @pytest.mark.parametrize(
        ("whens", "code"),
        [
            ((Condition(fact="outcome", value="a"), None), None),
            ((Condition(fact="x", value=True), Condition(fact="x", value=False)), None),
            (
                (
                    compared("LESS"),
                    compared("AT_LEAST"),
                ),
                None,
            ),
            (
                (compared("LESS"), compared("GREATER")),
                "no_default",
            ),
            ((Condition(fact="x", value=1), Condition(fact="x", value=1)), "same_condition"),
            ((None, None), "two_defaults"),
            ((Condition(fact="outcome", op=Comparison.LESS, value="a"), None), "outcome"),
        ],
    )
    def test_decisions(self, whens: tuple[Any, Any], code: str | None) -> None:
        branches = tuple(Branch(key=f"b{nth}", name=f"b{nth}", when=when) for nth, when in enumerate(whens))
        decision = Decision(key="d", name="D", after=("a",), branches=branches)
        process = Process(code="p", steps=(step("a"), step("b", "d:b0"), step("c", "d:b1")), decisions=(decision,))
        found = {one.code for one in from_process(process, None)[1]}
        assert code in found if code else not found

    def test_a_step_after_branches_that_can_meet_and_miss_each_other(self) -> None:
        branches = tuple(Branch(key=key, name=key, when=Condition(fact="outcome", value=key)) for key in "xy")
        decision = Decision(key="d", name="D", after=("a",), branches=branches)
        steps = (step("a"), step("z"), step("b", "d:x"), step("e", "b", "z"))
        found = from_process(Process(code="p", steps=steps, decisions=(decision,)), None)[1]
        assert "meeting" in {one.code for one in found}


class TestConditions:
    """One comparison, as modellers write it."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("${outcome == 'dat'}", ("outcome", "==", "dat")),
            ('= outcome = "dat"', ("outcome", "==", "dat")),
            ("outcome eq 'dat'", ("outcome", "==", "dat")),
            ("${ phí_vnd >= 50000 }", ("phí_vnd", ">=", 50000)),
            ("#{area lt 1.5}", ("area", "<", 1.5)),
            ("${urgent}", ("urgent", "==", True)),
            ("${!urgent}", ("urgent", "==", False)),
            ("=not(urgent)", ("urgent", "==", False)),
            ("${urgent == false}", ("urgent", "==", False)),
            ("${channel != 'online'}", ("channel", "!=", "online")),
        ],
    )
    def test_are_read(self, text: str, expected: tuple[Any, ...]) -> None:
        found = conditions.parse(text)
        assert found is not None
        assert (found.fact, found.op, found.value) == expected
        assert conditions.parse(conditions.written(found)) == found

    @pytest.mark.parametrize(
        "text",
        ["${a && b}", "${f(x)}", "__import__('os')", "${a.b == 1}", "a == b", "${a == 1} x", "", "x == 'a' or 1"],
    )
    def test_more_is_not_taken(self, text: str) -> None:
        assert conditions.parse(text) is None
