"""Which of BPMN's elements are taken, kept apart, or refused and why; the words for properties."""

from services.workflow.operations.bpmn.drawing import Kind

KINDS = {
    "startEvent": Kind.START,
    "endEvent": Kind.END,
    "task": Kind.STEP,
    "userTask": Kind.STEP,
    "manualTask": Kind.STEP,
    "exclusiveGateway": Kind.EXCLUSIVE,
    "parallelGateway": Kind.PARALLEL,
}
SILENT = frozenset(
    {
        "documentation",
        "extensionElements",
        "laneSet",
        "sequenceFlow",
        "textAnnotation",
        "association",
        "group",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "ioSpecification",
        "property",
        "auditing",
        "monitoring",
        "resourceRole",
    }
)
WITHIN = frozenset(
    {
        "incoming",
        "outgoing",
        "documentation",
        "extensionElements",
        "ioSpecification",
        "dataInputAssociation",
        "dataOutputAssociation",
        "property",
        "potentialOwner",
        "humanPerformer",
        "performer",
        "resourceRole",
        "dataInput",
        "dataOutput",
        "inputSet",
        "outputSet",
        "auditing",
        "monitoring",
        "rendering",
    }
)
BESIDE = frozenset(
    {
        "process",
        "collaboration",
        "BPMNDiagram",
        "documentation",
        "extensionElements",
        "import",
        "extension",
        "itemDefinition",
        "message",
        "signal",
        "error",
        "escalation",
        "category",
        "dataStore",
        "resource",
        "interface",
        "relationship",
        "partnerRole",
        "partnerEntity",
        "endPoint",
        "correlationProperty",
    }
)
CODE = frozenset({"executionListener", "taskListener", "connector", "script", "ioMapping", "inputOutput"})
REASONS = {
    "serviceTask": "no machine is called from a process",
    "scriptTask": "no code is run from a process",
    "businessRuleTask": "no rules are run from a process: use an exclusive gateway",
    "sendTask": "messages are not sent from a process",
    "receiveTask": "messages are not awaited: a supplement or fee pauses the case by itself",
    "subProcess": "draw its steps in the process itself",
    "callActivity": "draw the steps of the called process in the process itself",
    "transaction": "draw its steps in the process itself",
    "boundaryEvent": "give the step its time as property minutes; late steps are escalated by rules",
    "intermediateCatchEvent": "waiting is an action of the case (supplement, payment, stop), not of the drawing",
    "intermediateThrowEvent": "events are told by the system itself",
    "inclusiveGateway": "use exclusive and parallel gateways",
    "eventBasedGateway": "use an exclusive gateway that an official decides",
    "complexGateway": "use exclusive and parallel gateways",
    "multiInstanceLoopCharacteristics": "a step is done once: draw one for each, or consult agencies from the task",
    "standardLoopCharacteristics": "a step is done once: returning it is an action of officials",
}
ALIASES = {
    "đơn vị": "unit",
    "vai trò": "role",
    "số phút": "minutes",
    "thời gian": "minutes",
    "chờ thanh toán": "awaits_payment",
    "kết quả": "output",
    "thủ tục": "procedure_code",
    "cơ quan": "agency_code",
    "thời hạn": "term",
}
