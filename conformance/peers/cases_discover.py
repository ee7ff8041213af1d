"""ITI-55 Cross Gateway Patient Discovery: the one match, no match, too little said (ITI TF-2 3.55)."""

import zeep
from lxml import etree

from discovery import element_of, find, same_content
from through_zeep import discovery, message_id_of
from wire import ENV, Message, expect, expect_equal

NO_DATA_LOCATOR = "1.3.6.1.4.1.19376.1.2.27.2"


def ask(world, make_order=None, **changes):
    """(the zeep client, the decoded answer, the envelope)."""
    wanted = {
        "family": world.arguments.family,
        "given": world.arguments.given,
        "birth_date": world.arguments.birth_date,
        "sex": world.arguments.sex,
        **changes,
    }
    client = discovery(world, make_order)
    answer = client.ask(world.arguments.ask_as, world.community, **wanted)
    return client, answer, client.received()


def check_frame(world, client, answer, envelope):
    """What every answer of ITI-55 has, whatever was found (3.55.4.2.2)."""
    world.schemas.check_ours(element_of(client.sent(), "/env:Envelope/env:Body/*"))
    header = element_of(envelope, "/env:Envelope/env:Header")
    expect_equal(
        "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery",
        element_of(header, "wsa:Action").text,
        "Action of the answer",
    )
    expect_equal("1", element_of(header, "wsa:Action").get(etree.QName(ENV, "mustUnderstand")), "its mustUnderstand")
    expect_equal(message_id_of(client.sent()), element_of(header, "wsa:RelatesTo").text, "RelatesTo")
    payload = element_of(envelope, "/env:Envelope/env:Body/*")
    world.schemas.check("ITI-55", envelope, payload)
    expect_equal("PRPA_IN201306UV02", answer.interactionId.extension, "interactionId")
    expect_equal("NE", answer.acceptAckCode.code, "acceptAckCode")
    expect_equal("T", answer.processingModeCode.code, "processingModeCode")
    expect_equal(1, len(answer.receiver), "receivers")
    expect_equal(1, len(answer.acknowledgement), "acknowledgements")
    expect_equal(client.message_id["root"], answer.acknowledgement[0].targetMessage.id.root, "targetMessage")
    agent = answer.sender.device.asAgent
    expect_equal(world.community, agent.representedOrganization.id[0].root, "homeCommunityId of the sender")
    act = answer.controlActProcess
    expect_equal("PRPA_TE201306UV02", act.code.code, "code of the controlActProcess")
    expect_equal(client.query_id["root"], act.queryAck.queryId.root, "root of the queryId")
    expect_equal(client.query_id["extension"], act.queryAck.queryId.extension, "extension of the queryId")
    asked = element_of(client.sent(), "//hl7:queryByParameter")
    echoed = element_of(envelope, "//hl7:queryByParameter")
    expect(same_content(asked, echoed), "queryByParameter is not the request's: " + etree.tostring(echoed).decode())
    expect(not find(envelope, "//hl7:resultTotalQuantity"), "result quantities have no place in ITI-55")
    return act


def expect_result(answer, acknowledgement, response):
    expect_equal(acknowledgement, answer.acknowledgement[0].typeCode.code, "acknowledgement")
    expect_equal(response, answer.controlActProcess.queryAck.queryResponseCode.code, "queryResponseCode")


def check_match(world, event, envelope):
    expect_equal("NotHealthDataLocator", event.custodian.assignedEntity.code.code, "custodian's code")
    expect_equal(NO_DATA_LOCATOR, event.custodian.assignedEntity.code.codeSystem, "its code system")
    expect_equal(1, len(event.custodian.assignedEntity.id), "ids of the custodian")
    expect_equal(world.community, event.custodian.assignedEntity.id[0].root, "homeCommunityId of the match")
    expect_equal(None, event.custodian.assignedEntity.id[0].extension, "extension of that homeCommunityId")
    patient = event.subject1.patient
    expect_equal(1, len(patient.id), "patient ids")
    expect(patient.id[0].root and patient.id[0].extension, "the patient id has no root or no extension")
    expect_equal("active", patient.statusCode.code, "statusCode of the patient")
    person = element_of(envelope, "//hl7:patientPerson")
    family = [name.text.casefold() for name in find(person, "hl7:name/hl7:family")]
    expect(world.arguments.family.casefold() in family, f"the match's family names are {family}")
    birth = element_of(person, "hl7:birthTime").get("value", "")
    expect_equal(world.arguments.birth_date, birth[:8], "birth date of the match")
    degree = find(envelope, "//hl7:queryMatchObservation/hl7:value/@value")
    expect(len(degree) == 1 and 0 <= int(degree[0]) <= 100, f"degree of the match: {degree}")
    return f"{patient.id[0].extension}^^^&{patient.id[0].root}&ISO"


def patient(world):
    """The CX under which the node wants to be asked; asked for once."""

    def discover(world):
        client, answer, envelope = ask(world)
        act = check_frame(world, client, answer, envelope)
        expect_result(answer, "AA", "OK")
        expect_equal(1, len(act.subject), "registration events")
        return check_match(world, act.subject[0].registrationEvent, envelope)

    return world.learn("patient", discover)


def one_match(world):
    patient(world)


def the_same_id_again(world):
    first = patient(world)
    _, answer, envelope = ask(world, family=world.arguments.family.upper())
    again = check_match(world, answer.controlActProcess.subject[0].registrationEvent, envelope)
    expect_equal(first, again, "the patient's id")


def no_match(world, **changes):
    client, answer, envelope = ask(world, **changes)
    act = check_frame(world, client, answer, envelope)
    expect_result(answer, "AA", "NF")
    expect_equal(0, len(act.subject), "registration events")


def nobody_of_that_name(world):
    no_match(world, family=world.arguments.family + "x")


def wrong_birth_date(world):
    no_match(world, birth_date="18991231")


def wrong_sex(world):
    no_match(world, sex="M" if world.arguments.sex == "F" else "F")


def no_birth_date(world):
    """Required (3.55.4.1.2.2): an error inside the protocol or a fault, never a match."""
    try:
        _, answer, envelope = ask(world, birth_date="")
    except zeep.exceptions.Fault:
        return
    expect(not find(envelope, "//hl7:registrationEvent"), "a match without a birth date")
    expect_result(answer, "AE", "AE")


def zeep_sees_a_fault(world):
    """zeep's own reading of a fault: code and subcode."""
    try:
        ask(world, make_order=lambda: None)
    except zeep.exceptions.Fault as fault:
        expect(fault.code.endswith(":Sender"), f"code of the fault: {fault.code}")
        subcodes = [name.text for name in fault.subcodes]
        expect(any(name.endswith("}InvalidSecurity") for name in subcodes), f"subcodes: {subcodes}")
        expect(fault.message, "no reason")
        return
    raise AssertionError("an answer without a Security header")


def deferred_is_refused_properly(world):
    """The deferred mode is not offered: an acknowledgement AE with NS250, and no answer (ITI TF-2 3.55.6.2)."""
    client, _, _ = ask(world)
    sent = element_of(client.sent(), "/env:Envelope/env:Body/*")
    payload = etree.fromstring(etree.tostring(sent, with_tail=False))
    message = Message(
        "ITI-55",
        world.url,
        payload,
        world.order("/xcpd"),
        action="urn:hl7-org:v3:PRPA_IN201305UV02:Deferred:CrossGatewayPatientDiscovery",
    )
    answer = world.wire.send(message)
    refusal = answer.payload()
    expect_equal("{urn:hl7-org:v3}MCCI_IN000002UV01", refusal.tag, "refusal of a deferred request")
    expect_equal("AE", element_of(refusal, "hl7:acknowledgement/hl7:typeCode").get("code"), "acknowledgement")
    detail = element_of(refusal, "hl7:acknowledgement/hl7:acknowledgementDetail/hl7:code")
    expect_equal("NS250", detail.get("code"), "code of its detail")


CASES = [
    ("zeep: ITI-55 asks, success: one match, valid, with the community that holds it", one_match),
    ("zeep: ITI-55 asks, success: another spelling of the case leads to the same patient id", the_same_id_again),
    ("zeep: ITI-55 asks, empty: an unknown name is answered NF", nobody_of_that_name),
    ("zeep: ITI-55 asks, empty: another birth date is answered NF", wrong_birth_date),
    ("zeep: ITI-55 asks, empty: the other sex is answered NF", wrong_sex),
    ("zeep: ITI-55 asks, failure: a query without birth date gets no match", no_birth_date),
    ("zeep: ITI-55 asks, failure: zeep reads the fault of a request without security", zeep_sees_a_fault),
    ("zeep: ITI-55 asks deferred, failure: a request, which is not offered, is refused with NS250", deferred_is_refused_properly),
]

