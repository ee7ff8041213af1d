# conformance: foreign peers and the requirements, run by tests/check and never by make (see Makefile.am).
PEER = conformance/peers
EXTRA_DIST += conformance/README.md conformance/report conformance/matrix conformance/requirements.tsv conformance/untested.tsv conformance/nist-toolkit.tsv \
	$(PEER)/run $(PEER)/build $(PEER)/build-ipf \
	$(PEER)/zeep_client.py $(PEER)/assertion.py $(PEER)/wire.py $(PEER)/messages.py $(PEER)/discovery.py $(PEER)/through_zeep.py \
	$(PEER)/cases_discover.py $(PEER)/cases_query.py $(PEER)/cases_retrieve.py $(PEER)/cases_local.py $(PEER)/cases_pair.py $(PEER)/cases_people.py $(PEER)/cases_security.py \
	$(PEER)/gsoap_client.c $(PEER)/gsoap_peer.c $(PEER)/gsoap_peer.h $(PEER)/gsoap_wire.gsoap.h $(PEER)/gsoap_names.dat \
	$(PEER)/ipf_client.py $(PEER)/program.py $(PEER)/ipf/pom.xml $(PEER)/ipf/logging.properties $(PEER)/ipf/Main.java $(PEER)/ipf/Stack.java \
	$(PEER)/ipf/Assertion.java $(PEER)/ipf/Answering.java $(PEER)/ipf/Xml.java \
	$(PEER)/ipf/discover.xml $(PEER)/ipf/found.xml $(PEER)/ipf/subject.xml $(PEER)/ipf/document.xml
