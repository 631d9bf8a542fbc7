//! The elements of BPMN 2.0 as its XML schema declares them: what they build on, their attributes, what stands in them.
//!
//! Attributes: `name:type`, with `!` if required. Types: `s` text, `b` boolean, `i` whole number, `r` a reference, or the
//! values that are allowed, separated by `|`. Children: `name`, with `?` none or one, `*` any number, `+` at least one, bare:
//! exactly one; `@group` stands for each element of a group.

/// An element, or a type that elements build on.
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) base: &'static str,
    pub(super) attributes: &'static str,
    pub(super) children: &'static str,
}

const fn e(name: &'static str, base: &'static str, attributes: &'static str, children: &'static str) -> Element {
    Element {
        name,
        base,
        attributes,
        children,
    }
}

/// Names that a group stands for.
pub(super) const GROUPS: &[(&str, &str)] = &[
    (
        "flowElement",
        "sequenceFlow dataObject dataObjectReference dataStoreReference startEvent endEvent intermediateCatchEvent \
         intermediateThrowEvent boundaryEvent task manualTask userTask serviceTask scriptTask businessRuleTask sendTask receiveTask \
         subProcess transaction adHocSubProcess callActivity exclusiveGateway parallelGateway inclusiveGateway complexGateway \
         eventBasedGateway choreographyTask subChoreography callChoreography",
    ),
    ("artifact", "association group textAnnotation"),
    (
        "eventDefinition",
        "cancelEventDefinition compensateEventDefinition conditionalEventDefinition errorEventDefinition \
         escalationEventDefinition linkEventDefinition messageEventDefinition signalEventDefinition terminateEventDefinition \
         timerEventDefinition",
    ),
    ("loop", "standardLoopCharacteristics multiInstanceLoopCharacteristics"),
    ("role", "resourceRole performer humanPerformer potentialOwner"),
    ("conversationNode", "conversation subConversation callConversation"),
    ("expression", "expression formalExpression"),
    (
        "rootElement",
        "category collaboration choreography correlationProperty dataStore endPoint error escalation \
         globalBusinessRuleTask globalChoreographyTask globalConversation globalManualTask globalScriptTask globalTask \
         globalUserTask interface itemDefinition message partnerEntity partnerRole process resource signal \
         cancelEventDefinition compensateEventDefinition conditionalEventDefinition errorEventDefinition \
         escalationEventDefinition linkEventDefinition messageEventDefinition signalEventDefinition terminateEventDefinition \
         timerEventDefinition",
    ),
];

/// All of them.
pub(super) const ELEMENTS: &[Element] = &[
    // What others build on.
    e("tBase", "", "id:s", "documentation* extensionElements?"),
    e("tText", "", "", ""),
    e("tReference", "", "", ""),
    e("tExpression", "tBase", "language:s evaluatesToTypeRef:s", ""),
    e("tFlowElement", "tBase", "name:s", "auditing? monitoring? categoryValueRef*"),
    e("tFlowNode", "tFlowElement", "", "incoming* outgoing*"),
    e(
        "tActivity",
        "tFlowNode",
        "isForCompensation:b startQuantity:i completionQuantity:i default:r",
        "ioSpecification? property* dataInputAssociation* dataOutputAssociation* @role* @loop?",
    ),
    e("tTask", "tActivity", "", ""),
    e("tEvent", "tFlowNode", "", "property*"),
    e(
        "tCatchEvent",
        "tEvent",
        "parallelMultiple:b",
        "dataOutput* dataOutputAssociation* outputSet? @eventDefinition* eventDefinitionRef*",
    ),
    e(
        "tThrowEvent",
        "tEvent",
        "",
        "dataInput* dataInputAssociation* inputSet? @eventDefinition* eventDefinitionRef*",
    ),
    e(
        "tGateway",
        "tFlowNode",
        "gatewayDirection:Unspecified|Converging|Diverging|Mixed",
        "",
    ),
    e(
        "tCallable",
        "tBase",
        "name:s",
        "supportedInterfaceRef* ioSpecification? ioBinding*",
    ),
    e("tGlobalTask", "tCallable", "", "@role*"),
    e(
        "tDataAssociation",
        "tBase",
        "",
        "sourceRef* targetRef transformation? assignment*",
    ),
    e("tItem", "tBase", "name:s itemSubjectRef:s isCollection:b", "dataState?"),
    e(
        "tConversationNode",
        "tBase",
        "name:s",
        "participantRef* messageFlowRef* correlationKey*",
    ),
    e(
        "tCollaboration",
        "tBase",
        "name:s isClosed:b",
        "participant* messageFlow* @artifact* @conversationNode* conversationAssociation* participantAssociation* \
         messageFlowAssociation* correlationKey* choreographyRef* conversationLink*",
    ),
    e(
        "tChoreographyActivity",
        "tFlowNode",
        "initiatingParticipantRef:r! loopType:None|Standard|MultiInstanceSequential|MultiInstanceParallel",
        "participantRef+ correlationKey*",
    ),
    e(
        "tSubProcess",
        "tActivity",
        "triggeredByEvent:b",
        "laneSet* @flowElement* @artifact*",
    ),
    e(
        "tRole",
        "tBase",
        "name:s",
        "resourceRef? resourceParameterBinding* resourceAssignmentExpression?",
    ),
    // The file.
    e(
        "definitions",
        "",
        "id:s name:s targetNamespace:s! expressionLanguage:s typeLanguage:s exporter:s exporterVersion:s",
        "import* extension* @rootElement* relationship*",
    ),
    e("import", "", "namespace:s! location:s! importType:s!", ""),
    e("extension", "", "definition:s mustUnderstand:b", "documentation*"),
    e(
        "relationship",
        "tBase",
        "type:s! direction:None|Forward|Backward|Both",
        "source+ target+",
    ),
    e("documentation", "", "id:s textFormat:s", ""),
    e("extensionElements", "", "", ""),
    // Processes and what is called.
    e(
        "process",
        "tCallable",
        "processType:None|Public|Private isClosed:b isExecutable:b definitionalCollaborationRef:r",
        "auditing? monitoring? property* laneSet* @flowElement* @artifact* @role* correlationSubscription* supports*",
    ),
    e("globalTask", "tGlobalTask", "", ""),
    e("globalManualTask", "tGlobalTask", "", ""),
    e("globalUserTask", "tGlobalTask", "implementation:s", "rendering*"),
    e("globalScriptTask", "tGlobalTask", "scriptLanguage:s", "script?"),
    e("globalBusinessRuleTask", "tGlobalTask", "implementation:s", ""),
    // Activities.
    e("task", "tTask", "", ""),
    e("manualTask", "tTask", "", ""),
    e("userTask", "tTask", "implementation:s", "rendering*"),
    e("serviceTask", "tTask", "implementation:s operationRef:r", ""),
    e("scriptTask", "tTask", "scriptFormat:s", "script?"),
    e("businessRuleTask", "tTask", "implementation:s", ""),
    e("sendTask", "tTask", "implementation:s messageRef:r operationRef:r", ""),
    e(
        "receiveTask",
        "tTask",
        "implementation:s instantiate:b messageRef:r operationRef:r",
        "",
    ),
    e("callActivity", "tActivity", "calledElement:s", ""),
    e("subProcess", "tSubProcess", "", ""),
    e("transaction", "tSubProcess", "method:s", ""),
    e(
        "adHocSubProcess",
        "tSubProcess",
        "cancelRemainingInstances:b ordering:Parallel|Sequential",
        "completionCondition?",
    ),
    e(
        "standardLoopCharacteristics",
        "tBase",
        "testBefore:b loopMaximum:i",
        "loopCondition?",
    ),
    e(
        "multiInstanceLoopCharacteristics",
        "tBase",
        "isSequential:b behavior:None|One|All|Complex oneBehaviorEventRef:r noneBehaviorEventRef:r",
        "loopCardinality? loopDataInputRef? loopDataOutputRef? inputDataItem? outputDataItem? complexBehaviorDefinition* \
         completionCondition?",
    ),
    e("complexBehaviorDefinition", "tBase", "", "condition event?"),
    e("event", "tThrowEvent", "", ""),
    // Events.
    e("startEvent", "tCatchEvent", "isInterrupting:b", ""),
    e("intermediateCatchEvent", "tCatchEvent", "", ""),
    e("boundaryEvent", "tCatchEvent", "cancelActivity:b attachedToRef:r!", ""),
    e("intermediateThrowEvent", "tThrowEvent", "", ""),
    e("endEvent", "tThrowEvent", "", ""),
    e("cancelEventDefinition", "tBase", "", ""),
    e("compensateEventDefinition", "tBase", "waitForCompletion:b activityRef:r", ""),
    e("conditionalEventDefinition", "tBase", "", "condition"),
    e("errorEventDefinition", "tBase", "errorRef:r", ""),
    e("escalationEventDefinition", "tBase", "escalationRef:r", ""),
    e("linkEventDefinition", "tBase", "name:s!", "source* target?"),
    e("messageEventDefinition", "tBase", "messageRef:r", "operationRef?"),
    e("signalEventDefinition", "tBase", "signalRef:r", ""),
    e("terminateEventDefinition", "tBase", "", ""),
    e("timerEventDefinition", "tBase", "", "timeDate? timeDuration? timeCycle?"),
    // Gateways and flows.
    e("exclusiveGateway", "tGateway", "default:r", ""),
    e("inclusiveGateway", "tGateway", "default:r", ""),
    e("parallelGateway", "tGateway", "", ""),
    e("complexGateway", "tGateway", "default:r", "activationCondition?"),
    e(
        "eventBasedGateway",
        "tGateway",
        "instantiate:b eventGatewayType:Exclusive|Parallel",
        "",
    ),
    e(
        "sequenceFlow",
        "tFlowElement",
        "sourceRef:r! targetRef:r! isImmediate:b",
        "conditionExpression?",
    ),
    e(
        "association",
        "tBase",
        "sourceRef:r! targetRef:r! associationDirection:None|One|Both",
        "",
    ),
    e("group", "tBase", "categoryValueRef:r", ""),
    e("textAnnotation", "tBase", "textFormat:s", "text?"),
    e("category", "tBase", "name:s", "categoryValue*"),
    e("categoryValue", "tBase", "value:s", ""),
    e("laneSet", "tBase", "name:s", "lane*"),
    e("childLaneSet", "laneSet", "", ""),
    e(
        "lane",
        "tBase",
        "name:s partitionElementRef:r",
        "partitionElement? flowNodeRef* childLaneSet?",
    ),
    e("partitionElement", "tBase", "", ""),
    // Data.
    e("dataObject", "tFlowElement", "itemSubjectRef:s isCollection:b", "dataState?"),
    e(
        "dataObjectReference",
        "tFlowElement",
        "itemSubjectRef:s dataObjectRef:r",
        "dataState?",
    ),
    e(
        "dataStoreReference",
        "tFlowElement",
        "itemSubjectRef:s dataStoreRef:r",
        "dataState?",
    ),
    e(
        "dataStore",
        "tBase",
        "name:s capacity:i isUnlimited:b itemSubjectRef:s",
        "dataState?",
    ),
    e("property", "tBase", "name:s itemSubjectRef:s", "dataState?"),
    e("dataState", "tBase", "name:s", ""),
    e("dataInput", "tItem", "", ""),
    e("dataOutput", "tItem", "", ""),
    e("inputDataItem", "tItem", "", ""),
    e("outputDataItem", "tItem", "", ""),
    e("ioSpecification", "tBase", "", "dataInput* dataOutput* inputSet+ outputSet+"),
    e(
        "inputSet",
        "tBase",
        "name:s",
        "dataInputRefs* optionalInputRefs* whileExecutingInputRefs* outputSetRefs*",
    ),
    e(
        "outputSet",
        "tBase",
        "name:s",
        "dataOutputRefs* optionalOutputRefs* whileExecutingOutputRefs* inputSetRefs*",
    ),
    e("ioBinding", "tBase", "operationRef:r! inputDataRef:r! outputDataRef:r!", ""),
    e("dataInputAssociation", "tDataAssociation", "", ""),
    e("dataOutputAssociation", "tDataAssociation", "", ""),
    e("assignment", "tBase", "", "from to"),
    e(
        "itemDefinition",
        "tBase",
        "structureRef:s isCollection:b itemKind:Information|Physical",
        "",
    ),
    // Messages, signals, interfaces.
    e("message", "tBase", "name:s itemRef:r", ""),
    e("signal", "tBase", "name:s structureRef:r", ""),
    e("error", "tBase", "name:s errorCode:s structureRef:r", ""),
    e("escalation", "tBase", "name:s escalationCode:s structureRef:r", ""),
    e("interface", "tBase", "name:s! implementationRef:s", "operation+"),
    e(
        "operation",
        "tBase",
        "name:s! implementationRef:s",
        "inMessageRef outMessageRef? errorRef*",
    ),
    e("endPoint", "tBase", "", ""),
    e("correlationKey", "tBase", "name:s", "correlationPropertyRef*"),
    e(
        "correlationProperty",
        "tBase",
        "name:s type:s",
        "correlationPropertyRetrievalExpression+",
    ),
    e(
        "correlationPropertyRetrievalExpression",
        "tBase",
        "messageRef:r!",
        "messagePath",
    ),
    e("correlationPropertyBinding", "tBase", "correlationPropertyRef:r!", "dataPath"),
    e(
        "correlationSubscription",
        "tBase",
        "correlationKeyRef:r!",
        "correlationPropertyBinding*",
    ),
    // Who does it.
    e("resource", "tBase", "name:s!", "resourceParameter*"),
    e("resourceParameter", "tBase", "name:s type:s isRequired:b", ""),
    e("resourceRole", "tRole", "", ""),
    e("performer", "tRole", "", ""),
    e("humanPerformer", "tRole", "", ""),
    e("potentialOwner", "tRole", "", ""),
    e("resourceAssignmentExpression", "tBase", "", "@expression?"),
    e("resourceParameterBinding", "tBase", "parameterRef:r!", "@expression?"),
    e("rendering", "tBase", "", ""),
    e("auditing", "tBase", "", ""),
    e("monitoring", "tBase", "", ""),
    // Collaborations.
    e("collaboration", "tCollaboration", "", ""),
    e(
        "participant",
        "tBase",
        "name:s processRef:r",
        "interfaceRef* endPointRef* participantMultiplicity?",
    ),
    e("participantMultiplicity", "tBase", "minimum:i maximum:i", ""),
    e(
        "participantAssociation",
        "tBase",
        "",
        "innerParticipantRef outerParticipantRef",
    ),
    e("partnerEntity", "tBase", "name:s", "participantRef*"),
    e("partnerRole", "tBase", "name:s", "participantRef*"),
    e("messageFlow", "tBase", "name:s sourceRef:r! targetRef:r! messageRef:r", ""),
    e(
        "messageFlowAssociation",
        "tBase",
        "innerMessageFlowRef:r! outerMessageFlowRef:r!",
        "",
    ),
    e("conversation", "tConversationNode", "", ""),
    e("subConversation", "tConversationNode", "", "@conversationNode*"),
    e(
        "callConversation",
        "tConversationNode",
        "calledCollaborationRef:r",
        "participantAssociation*",
    ),
    e("conversationLink", "tBase", "name:s sourceRef:r! targetRef:r!", ""),
    e(
        "conversationAssociation",
        "tBase",
        "innerConversationNodeRef:r! outerConversationNodeRef:r!",
        "",
    ),
    e("globalConversation", "tCollaboration", "", ""),
    e("choreography", "tCollaboration", "", "@flowElement*"),
    e("globalChoreographyTask", "choreography", "initiatingParticipantRef:r", ""),
    e("choreographyTask", "tChoreographyActivity", "", "messageFlowRef+"),
    e("subChoreography", "tChoreographyActivity", "", "@flowElement* @artifact*"),
    e(
        "callChoreography",
        "tChoreographyActivity",
        "calledChoreographyRef:r",
        "participantAssociation*",
    ),
    // Texts and expressions.
    e("text", "tText", "", ""),
    e("script", "tText", "", ""),
    e("expression", "tExpression", "", ""),
    e("formalExpression", "tExpression", "", ""),
    e("conditionExpression", "tExpression", "", ""),
    e("completionCondition", "tExpression", "", ""),
    e("activationCondition", "tExpression", "", ""),
    e("loopCondition", "tExpression", "", ""),
    e("loopCardinality", "tExpression", "", ""),
    e("condition", "tExpression", "", ""),
    e("timeDate", "tExpression", "", ""),
    e("timeDuration", "tExpression", "", ""),
    e("timeCycle", "tExpression", "", ""),
    e("transformation", "tExpression", "", ""),
    e("from", "tExpression", "", ""),
    e("to", "tExpression", "", ""),
    e("messagePath", "tExpression", "", ""),
    e("dataPath", "tExpression", "", ""),
];

/// Elements that hold nothing but the name of another one.
pub(super) const REFERENCES: &str = "incoming outgoing categoryValueRef supportedInterfaceRef eventDefinitionRef sourceRef targetRef \
     participantRef messageFlowRef choreographyRef dataInputRefs optionalInputRefs whileExecutingInputRefs outputSetRefs dataOutputRefs \
     optionalOutputRefs whileExecutingOutputRefs inputSetRefs loopDataInputRef loopDataOutputRef flowNodeRef resourceRef inMessageRef \
     outMessageRef errorRef operationRef interfaceRef endPointRef correlationPropertyRef innerParticipantRef outerParticipantRef \
     supports source target";
