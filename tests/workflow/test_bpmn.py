"""BPMN files of several modellers run as drawn; broken ones name the element and the reason."""

import random
from typing import Any

import pytest
from lxml import etree

from services.workflow.operations.bpmn import conditions
from services.workflow.operations.bpmn.drawing import Definition, Finding
from services.workflow.operations.bpmn.importing import from_bpmn, from_process
from services.workflow.operations.bpmn.writing import write
from shared.events.values import Branch, Comparison, Condition, Decision, Duration, DurationUnit, Process
from tests.workflow.drawn import FILES, MODEL, Ours, Theirs, content, structured, walk
from tests.workflow.processes import step

NAMES = ("Kiểm tra hồ sơ", "Kiểm tra thực địa", "Lấy ý kiến quy hoạch", "Dự thảo giấy phép", "Ký duyệt")
BASE = content("camunda-modeler.bpmn").decode()


def read(text: str) -> list[Finding]:
    """Return what is found wrong with a file."""
    return from_bpmn(text.encode())[1]


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


def replaced(old: str, new: str) -> str:
    """Return Camunda Modeler's file with one thing changed."""
    assert old in BASE
    return BASE.replace(old, new, 1)


def added(xml: str) -> str:
    """Return Camunda Modeler's file with an element more in its process."""
    return replaced("    <bpmn:textAnnotation", f"    {xml}\n    <bpmn:textAnnotation")


class TestBroken:
    """Every thing that is wrong is named: element, kind, line, reason."""

    @pytest.mark.parametrize(
        ("xml", "kind"),
        [
            ('<bpmn:serviceTask id="bad" name="Gọi máy" />', "serviceTask"),
            ('<bpmn:scriptTask id="bad" />', "scriptTask"),
            ('<bpmn:sendTask id="bad" />', "sendTask"),
            ('<bpmn:receiveTask id="bad" />', "receiveTask"),
            ('<bpmn:businessRuleTask id="bad" />', "businessRuleTask"),
            ('<bpmn:subProcess id="bad" />', "subProcess"),
            ('<bpmn:callActivity id="bad" calledElement="x" />', "callActivity"),
            ('<bpmn:boundaryEvent id="bad" attachedToRef="Activity_check" />', "boundaryEvent"),
            ('<bpmn:intermediateCatchEvent id="bad" />', "intermediateCatchEvent"),
            ('<bpmn:inclusiveGateway id="bad" />', "inclusiveGateway"),
            ('<bpmn:eventBasedGateway id="bad" />', "eventBasedGateway"),
            ('<bpmn:adHocSubProcess id="bad" />', "adHocSubProcess"),
            ('<unknown:thing xmlns:unknown="urn:x" id="bad" />', "thing"),
        ],
    )
    def test_elements_outside_the_subset(self, xml: str, kind: str) -> None:
        (found,) = read(added(xml))
        assert (found.code, found.element_id, found.kind) == ("not_supported", "bad", kind)
        assert found.line == BASE.count("\n", 0, BASE.index("    <bpmn:textAnnotation")) + 1
        assert str(found).startswith(f"line {found.line}: {kind} bad")

    @pytest.mark.parametrize(
        ("old", "new", "code", "element"),
        [
            ('<camunda:property name="minutes" value="240" />', "", "no_time", "Activity_check"),
            ('name="minutes" value="240"', 'name="minutes" value="nhanh"', "no_time", "Activity_check"),
            (' camunda:candidateGroups="mot-cua"', "", "no_role", "Activity_check"),
            ("<bpmn:flowNodeRef>Activity_check</bpmn:flowNodeRef>", "", "no_unit", "Activity_check"),
            ('name="term" value="15 working_day"', 'name="term" value="2 working_day"', "too_slow", "Activity_sign"),
            ('name="term" value="15 working_day"', 'name="term" value="soon"', "property", "cap-phep-xay-dung"),
            ('${outcome == "Đạt"}', "${f(x) &amp;&amp; y}", "condition", "Đạt"),
            (
                "<camunda:properties>\n          <",
                '<camunda:taskListener class="x" /><camunda:properties><',
                "code",
                "",
            ),
            ('id="StartEvent_1"', 'id=""', "id_missing", ""),
        ],
    )
    def test_things_that_are_missing_or_wrong(self, old: str, new: str, code: str, element: str) -> None:
        found = [one for one in read(replaced(old, new)) if one.code == code]
        assert found
        assert element in {"", found[0].element_id, found[0].element_name}
        assert found[0].message_vi

    @pytest.mark.parametrize(
        ("xml", "code", "element"),
        [
            ('<bpmn:endEvent id="lost" />', "unreachable", "lost"),
            ('<bpmn:startEvent id="second" />', "second_start", "second"),
            ('<bpmn:sequenceFlow id="back" sourceRef="Activity_sign" targetRef="Activity_check" />', "cycle", ""),
            ('<bpmn:sequenceFlow id="loose" sourceRef="Activity_sign" targetRef="nobody" />', "loose_flow", "loose"),
            (
                '<bpmn:sequenceFlow id="twice" sourceRef="Gateway_fork" targetRef="Activity_sign" />',
                "done_twice",
                "Activity_sign",
            ),
            (
                '<bpmn:sequenceFlow id="wait" sourceRef="Activity_refuse" targetRef="Gateway_join" />',
                "waits_for_ever",
                "Gateway_join",
            ),
            (
                '<bpmn:sequenceFlow id="bare" sourceRef="Gateway_1x8h2s3" targetRef="Event_0kq8ymc" />',
                "no_condition",
                "bare",
            ),
        ],
    )
    def test_drawings_that_do_not_lead_to_an_end(self, xml: str, code: str, element: str) -> None:
        found = {one.code: one for one in read(added(xml))}
        assert code in found
        assert element in {"", found[code].element_id}
        assert found[code].line or code == "cycle"

    def test_tell_everything_at_once(self) -> None:
        text = added('<bpmn:endEvent id="lost" />').replace('name="minutes" value="960"', 'name="minutes" value="?"')
        assert {one.code for one in read(text)} >= {"unreachable", "no_time"}

    def test_two_processes(self) -> None:
        second = '<bpmn:process id="two"><bpmn:task id="t" /></bpmn:process>'
        (found,) = read(replaced("  <bpmndi:BPMNDiagram", f"  {second}\n  <bpmndi:BPMNDiagram"))
        assert (found.code, found.element_id) == ("second_process", "two")

    def test_end_missing(self) -> None:
        root = etree.fromstring(BASE.encode())
        (end,) = root.iter(f"{{{MODEL}}}endEvent")
        for one in [
            end,
            *(one for one in root.iter(f"{{{MODEL}}}sequenceFlow") if one.get("targetRef") == end.get("id")),
        ]:
            one.getparent().remove(one)
        codes = {one.code: one.element_id for one in read(etree.tostring(root, encoding="unicode"))}
        assert codes["no_end"] == ""
        assert codes["no_way_on"] == "Activity_sign"


class TestUnsafe:
    """XML that could reach for files, networks or memory is not taken."""

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "unsafe_xml"),
            ('<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><x>&b;</x>', "unsafe_xml"),
            ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>', "unsafe_xml"),
            ("<definitions", "not_xml"),
            ("", "not_xml"),
            ("<html/>", "not_bpmn"),
            (f'<definitions xmlns="{MODEL}"/>', "no_process"),
            ("<x>" + " " * 1_000_000 + "</x>", "too_big"),
            ("<a>" * 5_000 + "</a>" * 5_000, "not_xml"),
        ],
    )
    def test_is_refused(self, text: str, code: str) -> None:
        assert [one.code for one in read(text)] == [code]

    def test_also_in_another_encoding(self) -> None:
        text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
        (found,) = from_bpmn(text.encode("utf-16"))[1]
        assert found.code == "unsafe_xml"


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


class TestBounds:
    """Odd and huge files cost little and end in words."""

    def test_long_chains_of_gateways(self) -> None:
        gateways = "".join(f'<exclusiveGateway id="g{nth}"/>' for nth in range(390))
        flows = "".join(f'<sequenceFlow sourceRef="g{nth}" targetRef="g{nth + 1}"/>' for nth in range(389))
        found = read(f'<definitions xmlns="{MODEL}"><process id="p">{gateways}{flows}</process></definitions>')
        assert {"no_start", "no_end", "no_steps"} <= {one.code for one in found}

    def test_more_than_is_looked_at(self) -> None:
        tasks = "".join(f'<task id="t{nth}"/>' for nth in range(2_000))
        found = read(f'<definitions xmlns="{MODEL}"><process id="p">{tasks}</process></definitions>')
        assert found[-1].code == "too_big"
        assert len(found) <= 101

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('name="minutes" value="240"', 'name="minutes" value="²"'),
            ('name="minutes" value="240"', 'name="minutes" value="99999999999"'),
            ('name="minutes" value="240"', 'name="minutes" value="P9999999999D"'),
            ('name="term" value="15 working_day"', 'name="term" value="nan working_day"'),
            ('name="term" value="15 working_day"', 'name="term" value="inf day"'),
            ('${outcome == "Đạt"}', "${x == 99999999999999999999}"),
        ],
    )
    def test_odd_figures(self, old: str, new: str) -> None:
        assert {one.code for one in read(replaced(old, new))} & {"no_time", "property", "condition"}

    def test_other_encodings_are_drawn_anew(self) -> None:
        text = BASE.replace('encoding="UTF-8"', 'encoding="UTF-16"', 1)
        definition, findings = from_bpmn(text.encode("utf-16"))
        assert findings == []
        assert definition is not None
        assert definition.drawing is None
        assert definition.process == taken("camunda-modeler.bpmn").process
