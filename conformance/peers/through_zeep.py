"""zeep's side: the WS-Security plugin for its envelopes, and ITI-38 with the WSDL of the test data."""

import zeep
from lxml import etree
from zeep.plugins import HistoryPlugin

from assertion import ENV, WSA, add_security
from discovery import Discovery, repair_zeep, write_wsdl
from wire import ANONYMOUS, NS

_clients = {}


class Security:
    """Completes what zeep's own WS-Addressing leaves out, and signs last. <make_order> gives the assertion's order;
    None sends no Security header."""

    def __init__(self, make_order):
        self.make_order = make_order

    def apply(self, envelope, headers):
        header = envelope.find(etree.QName(ENV, "Header"))
        action = header.find(etree.QName(WSA, "Action"))
        action.set(etree.QName(ENV, "mustUnderstand"), "1")
        # zeep writes action="None" when the WSDL names no soapAction
        headers["Content-Type"] = f'application/soap+xml; charset=utf-8; action="{action.text}"'
        reply_to = etree.SubElement(header, etree.QName(WSA, "ReplyTo"))
        etree.SubElement(reply_to, etree.QName(WSA, "Address")).text = ANONYMOUS
        order = self.make_order()
        if order is not None:
            add_security(header, order)
        return envelope, headers

    def verify(self, envelope):
        """The node signs nothing in its answers (TLS does)."""


def discovery(world, make_order=None):
    """A zeep client for ITI-55."""
    if "wsdl" not in _clients:
        repair_zeep()
        _clients["wsdl"] = f"{world.scratch}/iti55.wsdl"
        write_wsdl(world.folder, _clients["wsdl"])
    return Discovery(
        _clients["wsdl"], world.url, world.wire.session, Security(make_order or (lambda: world.order("/xcpd")))
    )


class Query:
    """A zeep client for ITI-38; with <local>, a Wire, for ITI-18. zeep knows no substitution groups, so of RegistryObjectList
    it decodes nothing; the objects are read from the envelope."""

    def __init__(self, world, make_order=None, local=None):
        self.history = HistoryPlugin()
        self.client = zeep.Client(
            f"{world.folder}/xds/{'iti18' if local else 'iti38'}.wsdl",
            transport=zeep.Transport(session=(local or world.wire).session, timeout=30, operation_timeout=30),
            plugins=[self.history],
            wsse=Security(make_order or (lambda: None if local else world.order("/xca/query"))),
            settings=zeep.Settings(strict=False),
        )
        actor = "DocumentRegistry" if local else "RespondingGateway"
        url = local.url + "/registry" if local else world.url + "/xca/query"
        service = self.client.create_service(f"{{urn:ihe:iti:xds-b:2007}}{actor}_Binding_Soap12", url)
        self.call = service["DocumentRegistry_RegistryStoredQuery" if local else "RespondingGateway_CrossGatewayQuery"]

    def ask(self, query_id, slots, home, return_type="LeafClass"):
        answer = self.call(
            ResponseOption={"returnType": return_type, "returnComposedObjects": True},
            AdhocQuery={
                "id": query_id,
                "home": home,
                "Slot": [
                    {"name": name, "ValueList": {"_value_1": [{"Value": value} for value in values]}}
                    for name, values in slots
                ],
            },
        )
        return answer, self.history.last_received["envelope"]


def message_id_of(envelope):
    return envelope.xpath("string(/env:Envelope/env:Header/wsa:MessageID)", namespaces=NS)
