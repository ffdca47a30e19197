"""BPMN files that cannot run, or must not be read: the element, its line and the reason are named."""

import pytest
from lxml import etree

from services.workflow.operations.bpmn.drawing import Finding
from services.workflow.operations.bpmn.importing import from_bpmn
from tests.workflow.drawn import MODEL, content

BASE = content("camunda-modeler.bpmn").decode()


def read(text: str) -> list[Finding]:
    """Return what is found wrong with a file."""
    return from_bpmn(text.encode())[1]


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
        plain, _ = from_bpmn(BASE.encode())
        assert plain is not None
        assert definition.process == plain.process
