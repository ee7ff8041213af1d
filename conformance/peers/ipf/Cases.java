import static org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorCode.*;
import static org.openehealth.ipf.commons.ihe.xds.core.responses.Status.*;

import java.nio.file.Files;
import java.util.*;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.cxf.binding.soap.SoapFault;
import org.apache.cxf.interceptor.Interceptor;
import org.apache.wss4j.common.crypto.Crypto;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.*;
import org.openehealth.ipf.commons.ihe.xds.core.responses.*;
import org.w3c.dom.Element;

/**
 * What is asked and what must come: by a partner (asks), by a node of IPF's gateway (answers), by a local system of a node (local) and by a node of IPF's
 * registry and repository (source). What a case's name says up to the colon are its cells in the table of conformance/matrix.
 */
final class Cases {
    private static final Stack.Mode SYNC = Stack.Mode.SYNC;
    private static final Stack.Mode ASYNC = Stack.Mode.ASYNC;
    private static final Stack.Mode DEFERRED = Stack.Mode.DEFERRED;
    private static final String LETTER = Answering.LETTER;
    private static final String SCAN = Answering.SCAN;
    private static final String LOST = Answering.LOST;
    private static final String NOBODYS = "2.999.404";

    /** Whom somebody asks, where and how. <patient> null: the patient's id says what is answered, else a type code does. */
    private record Side(Stack.Mode mode, String find, String retrieve, String community, String patient, String repository) {
        /** A local system has its answers at once, however a node asks its partners. */
        Stack.Mode asked() {
            return find.startsWith("xds") ? SYNC : mode;
        }

        String home() {
            return "urn:oid:" + community;
        }

        DocumentReference at(String uniqueId) {
            return new DocumentReference(repository, uniqueId, home());
        }

        String patient(String what) {
            return patient != null ? patient : what + "^^^&" + community + ".1&ISO";
        }

        /** Whether what is found are the documents that Answering makes. */
        boolean isBehind() {
            return List.of(Answering.REPOSITORY, Answering.SOURCE_REPOSITORY).contains(repository);
        }
    }

    private interface Case {
        void run() throws Exception;
    }

    private final Stack stack;
    private final Answering behind;
    private final Map<String, String> given;
    private final Crypto crypto;
    private final Side green, partner, source;
    private final Set<String> originals = new HashSet<>(); // SHA-1 of the files that green has
    private final Set<String> scan, both;
    private final Map<String, DocumentEntry> seen = new TreeMap<>(); // by uniqueId
    private int passed, failed;

    Cases(Stack stack, Answering behind, Map<String, String> given) throws Exception {
        this.stack = stack;
        this.behind = behind;
        this.given = given;
        crypto = Assertion.crypto(given.get("pki"));
        scan = Set.of(Answering.sha1(Answering.content(SCAN)));
        both = Set.of(Answering.sha1(Answering.content(LETTER)), Answering.sha1(Answering.content(SCAN)));
        for (var file : new java.io.File(given.get("originals")).listFiles()) {
            originals.add(Answering.sha1(Files.readAllBytes(file.toPath())));
        }
        green = ofGreen(SYNC);
        partner = ofIpf(SYNC, "local");
        source = local(SYNC, "local", given.get("source-community"), given.get("local-patient"), Answering.SOURCE_REPOSITORY);
    }

    void run() {
        asks(SYNC);
        asks(ASYNC);
        discovers(SYNC);
        discovers(ASYNC);
        discovers(DEFERRED);
        // REQ: ITI80-provide
        run(SYNC, "ITI-80 asks, success", () -> judge(send("2.999.4.8.6", green.home()), SUCCESS, null, null));
        // REQ: ITI80-home
        run(SYNC, "ITI-80 asks, failure: for another community", () -> judge(send("2.999.4.8.7", "urn:oid:" + NOBODYS), FAILURE, UNKNOWN_COMMUNITY, null));
        // REQ: ITI40-required
        run(SYNC, "ITI-40 asks, failure: no Security header", () -> isRefused(null));
        // REQ: ITI40-audience
        run(SYNC, "ITI-40 asks, failure: an assertion for another audience", () -> isRefused(signing("https://other.example/xca/query", 300)));
        // REQ: ITI40-conditions
        run(SYNC, "ITI-40 asks, failure: an assertion that has expired", () -> isRefused(signing(given.get("url") + "/xca/query", -600)));
        run(SYNC, "ITI-40 answers, failure: WSS4J refuses a question without a Security header", this::refuses);
        answers(partner, "amber HIE", given.get("local-community"));
        answers(ofIpf(ASYNC, "later-local"), "teal HIE", given.get("later-community"));
        // REQ: ITI38-home-on-results, ITI18-source
        finds("ITI-18 local + ITI-18 source, success", source, "whole", SUCCESS, null, both);
        finds("ITI-18 local + ITI-18 source, empty", source, "none", SUCCESS, null, Set.of());
        finds("ITI-18 local + ITI-18 source, partial", source, "part", PARTIAL_SUCCESS, REGISTRY_BUSY, scan);
        // REQ: MERGE-errors-passed
        finds("ITI-18 local + ITI-18 source, failure", source, "busy", FAILURE, REGISTRY_BUSY, Set.of());
        // REQ: ITI39-several, ITI43-local, ITI43-routing
        run(SYNC, "ITI-43 local + ITI-43 source + ITI-39 answers, success: in one request",
            () -> retrieve(source, List.of(source.at(SCAN), partner.at(LETTER)), SUCCESS, null, null));
        gets("ITI-43 local + ITI-43 source, partial", source, PARTIAL_SUCCESS, DOCUMENT_UNIQUE_ID_ERROR, source.at(LOST), SCAN);
        gets("ITI-43 local + ITI-43 source, failure", source, FAILURE, DOCUMENT_UNIQUE_ID_ERROR, source.at(LOST));
        // REQ: ITI39-repository-unknown
        gets("ITI-43 local, failure: a repository that nobody has", source, FAILURE, UNKNOWN_REPOSITORY_ID,
            new DocumentReference(NOBODYS, LETTER, source.home()));
        // REQ: ITI41-provide
        run(SYNC, "ITI-41 local, success: into the store, and ITI-43 gives the bytes", () -> stores("first", SUCCESS, null));
        // REQ: ITI41-all-or-nothing, ITI41-duplicate-id
        run(SYNC, "ITI-41 local, failure: a known uniqueId with other bytes changes nothing", () -> stores("other", FAILURE, NON_IDENTICAL_HASH));
        // REQ: ITI41-unknown-patient
        run(SYNC, "ITI-41 local, failure: a patient whom nobody knows",
            () -> judge(provide("2.999.4.8.2", "nobody^^^&2.999.5.1&ISO", "x", null), FAILURE, UNKNOWN_PATIENT_ID, null));
        // REQ: ITI80-send
        run(SYNC, "ITI-41 local + ITI-80 answers, success: it arrives whole", this::passesOn);
        run(SYNC, "ITI-41 local + ITI-80 answers, failure",
            () -> judge(provide("2.999.4.8.4", partner.patient("busy"), "x", partner.home()), FAILURE, REPOSITORY_BUSY, null));
        run(SYNC, "ITI-41 local, failure: for a community that nobody is",
            () -> judge(provide("2.999.4.8.5", source.patient(), "x", "urn:oid:" + NOBODYS), FAILURE, UNKNOWN_COMMUNITY, null));
    }

    /** IPF asks a partner, and one with a registry behind it. */
    private void asks(Stack.Mode mode) {
        final Side green = ofGreen(mode);
        final Side broker = network(mode, "amber-url", given.get("source-community"), given.get("local-patient"), Answering.SOURCE_REPOSITORY);
        // REQ: ITI38-find-documents, SQ-leaf-class, META-hash
        finds("ITI-38 asks + ITI-40 asks, success: the documents that were imported, and nothing else", green, "whole", SUCCESS, null, originals);
        finds("ITI-38 asks, empty: nothing is of this type", green, "none", SUCCESS, null, Set.of());
        // REQ: ITI38-home-unknown, ITI38-error-location
        fails("ITI-38 asks, failure: a community that nobody is", green, find(green, "whole", "urn:oid:" + NOBODYS), UNKNOWN_COMMUNITY, "is not served here");
        // REQ: ITI38-home-required
        fails("ITI-38 asks, failure: GetDocuments without home", green, get(null, List.of(), List.of(NOBODYS)), MISSING_HOME_COMMUNITY_ID, "is required");
        finds("ITI-38 asks, success: of a registry behind the node", broker, "whole", SUCCESS, null, both);
        finds("ITI-38 asks, empty: of a registry behind the node", broker, "none", SUCCESS, null, Set.of());
        // REQ: MERGE-partial-success, ITI38-error-location
        finds("ITI-38 asks, partial: of a registry behind the node", broker, "part", PARTIAL_SUCCESS, REGISTRY_BUSY, scan);
        finds("ITI-38 asks, failure: of a registry behind the node", broker, "busy", FAILURE, REGISTRY_BUSY, Set.of());
        // REQ: ITI39-retrieve, ITI39-ids-echoed, ITI39-order
        gets("ITI-39 asks, success: bytes, types and ids in the order that was asked", green, SUCCESS, null, null);
        // REQ: ITI39-partial-success, ITI39-error-location
        gets("ITI-39 asks, partial: an unknown document is one error with its id", green, PARTIAL_SUCCESS, DOCUMENT_UNIQUE_ID_ERROR, green.at(NOBODYS));
        // REQ: ITI39-repository-unknown
        gets("ITI-39 asks, failure: an unknown repository", green, FAILURE, UNKNOWN_REPOSITORY_ID, new DocumentReference(NOBODYS, "2.999.77.1", green.home()));
        gets("ITI-39 asks, success: of a repository behind the node", broker, SUCCESS, null, null, LETTER, SCAN);
        gets("ITI-39 asks, partial: of a repository behind the node", broker, PARTIAL_SUCCESS, DOCUMENT_UNIQUE_ID_ERROR, broker.at(LOST), LETTER);
        gets("ITI-39 asks, failure: of a repository behind the node", broker, FAILURE, DOCUMENT_UNIQUE_ID_ERROR, broker.at(LOST));
    }

    /** IPF is asked by a node that asks its partners in this way. */
    private void answers(Side partner, String organization, String community) {
        // REQ: ITI18-local, ITI38-home-sent, ITI38-parameters-passed
        finds("ITI-18 local + ITI-38 answers, success", partner, "whole", SUCCESS, null, both);
        // REQ: ITI40-sent
        run(partner.mode(), "ITI-40 answers, success: WSS4J has read who asks, for what and whom", () -> hasReadWhoAsks(organization, community));
        finds("ITI-18 local + ITI-38 answers, empty", partner, "none", SUCCESS, null, Set.of());
        // REQ: MERGE-partial-success
        finds("ITI-18 local + ITI-38 answers, partial", partner, "part", PARTIAL_SUCCESS, REGISTRY_BUSY, scan);
        // REQ: MERGE-all-failed
        finds("ITI-18 local + ITI-38 answers, failure", partner, "busy", FAILURE, REGISTRY_BUSY, Set.of());
        // REQ: MERGE-unknown-patient-dropped
        finds("ITI-18 local, empty: the partner's XDSUnknownPatientId is not passed on", partner, "stranger", SUCCESS, null, Set.of());
        gets("ITI-43 local + ITI-39 answers, success", partner, SUCCESS, null, null, LETTER, SCAN);
        // REQ: ITI39-partial-success
        gets("ITI-43 local + ITI-39 answers, partial", partner, PARTIAL_SUCCESS, DOCUMENT_UNIQUE_ID_ERROR, partner.at(LOST), LETTER);
        gets("ITI-43 local + ITI-39 answers, failure", partner, FAILURE, DOCUMENT_UNIQUE_ID_ERROR, partner.at(LOST));
    }

    /** IPF asks who knows Ibarra. */
    private void discovers(Stack.Mode mode) {
        // REQ: ITI55-answer-event, ITI55-answer-custodian
        discovers("ITI-55 asks, success: the one match, its id and its community", mode, "Ibarra", "AA", "OK");
        // REQ: ITI55-result-cases
        discovers("ITI-55 asks, empty: nobody has this name", mode, "Nobody", "AA", "NF");
        // REQ: ITI55-codes
        run(mode, "ITI-55 asks, failure: without a birth date", () -> {
            switch (mode) {
                case SYNC -> judgeDiscovery(discover(mode, "2.25.55", null), "2.25.55", "AE", "AE");
                case ASYNC -> refusal(() -> discover(mode, "2.25.56", null), "the message content is invalid");
                default -> refusal(() -> discover(mode, "2.25.57", null), "not acknowledged: AE");
            }
        });
    }

    private void run(Stack.Mode mode, String name, Case body) {
        try {
            body.run();
            passed++;
            System.out.println("ok IPF: " + mode.in(name));
        } catch (AssertionError | Exception wrong) { // whatever a library throws at an answer is a failure of the case, not of the run
            failed++;
            System.out.println("not ok IPF: " + mode.in(name));
            for (Throwable cause = wrong; cause != null; cause = cause.getCause()) {
                System.out.println("    " + cause.getClass().getSimpleName() + ": " + cause.getMessage());
            }
        }
    }

    int finish() {
        System.out.printf("%d passed, %d failed, 0 skipped%n", passed, failed);
        return failed > 0 || passed == 0 ? 1 : 0;
    }

    private static void that(boolean holds, String text) {
        if (!holds) {
            throw new AssertionError(text);
        }
    }

    private static void equal(Object wanted, Object got, String what) {
        that(Objects.equals(wanted, got), what + ": wanted " + wanted + ", got " + got);
    }

    /** Status; no error, or one of this code that names <named> and says why. Warnings are allowed. */
    private static void judge(Response answer, Status status, ErrorCode code, String named) {
        equal(status, answer.getStatus(), "status (" + answer.getErrors() + ")");
        final List<ErrorInfo> errors = answer.getErrors().stream().filter(error -> error.getSeverity() == Severity.ERROR).toList();
        equal(code == null ? List.of() : List.of(code), errors.stream().map(ErrorInfo::getErrorCode).toList(), "error codes");
        for (ErrorInfo error : errors) {
            that(error.getCodeContext() != null && !error.getCodeContext().isEmpty(), "no codeContext");
            that(named == null || (error.getLocation() + " " + error.getCodeContext()).contains(named), named + " is not named: " + error);
        }
        if (status == FAILURE && answer instanceof QueryResponse found) {
            equal(0, found.getDocumentEntries().size(), "documents of a Failure");
        }
    }

    // ---- ITI-38, ITI-18 ----

    private void finds(String name, Side side, String what, Status status, ErrorCode code, Set<String> hashes) {
        run(side.mode(), name, () -> {
            behind.queries.clear();
            behind.assertions.clear();
            behind.sentLater.set(0);
            final QueryResponse answer = ask(side, find(side, what, side.home()));
            judge(answer, status, code, side.home());
            for (DocumentEntry entry : answer.getDocumentEntries()) {
                equal(side.home(), entry.getHomeCommunityId(), "home");
                equal(AvailabilityStatus.APPROVED, entry.getAvailabilityStatus(), "status of an entry");
                equal(side.patient(what), cx(entry.getPatientId()), "patientId");
                that(!side.isBehind() || Answering.title(entry.getUniqueId()).equals(entry.getTitle().getValue()), "title: " + entry.getTitle());
                seen.put(entry.getUniqueId(), entry);
            }
            equal(hashes, new HashSet<>(answer.getDocumentEntries().stream().map(DocumentEntry::getHash).toList()), "hashes");
            equal(hashes.size(), answer.getDocumentEntries().size(), "documents");
            equal(side.isBehind() ? 1 : 0, behind.queries.size(), "how often IPF was asked");
            equal(side.asked() != side.mode() ? 1 : 0, behind.sentLater.get(), "answers that IPF sent as messages of their own");
            if (side.patient() == null) {
                final QueryRegistry asked = behind.queries.remove();
                equal(QueryReturnType.LEAF_CLASS, asked.getReturnType(), "returnType that IPF was asked for");
                equal(side.home(), ((FindDocumentsQuery) asked.getQuery()).getHomeCommunityId(), "home that IPF was asked for");
                equal(side.patient(what), cx(((FindDocumentsQuery) asked.getQuery()).getPatientId()), "patient that IPF was asked for");
            }
        });
    }

    /** Who wants answers elsewhere is told at once, by a fault, what is wrong with the question itself. */
    private void fails(String name, Side side, StoredQuery query, ErrorCode code, String fault) {
        run(side.mode(), name, () -> {
            if (side.mode() == SYNC) {
                judge(ask(side, query), FAILURE, code, side.home());
            } else {
                refusal(() -> ask(side, query), fault);
            }
        });
    }

    private QueryResponse ask(Side side, StoredQuery query) throws Exception {
        return stack.ask(side.asked(), side.find(), new QueryRegistry(query, QueryReturnType.LEAF_CLASS), QueryResponse.class);
    }

    private static FindDocumentsQuery find(Side side, String what, String home) {
        final FindDocumentsQuery query = new FindDocumentsQuery();
        query.setHomeCommunityId(home);
        query.setPatientId(identifiable(side.patient(what)));
        query.setStatus(List.of(AvailabilityStatus.APPROVED));
        query.setTypeCodes(side.patient() == null || what.equals("whole") ? null : List.of(Answering.code(what, null)));
        return query;
    }

    private static GetDocumentsQuery get(String home, List<String> uuids, List<String> uniqueIds) {
        final GetDocumentsQuery query = new GetDocumentsQuery();
        query.setHomeCommunityId(home);
        query.setUuids(uuids);
        query.setUniqueIds(uniqueIds);
        return query;
    }

    // ---- ITI-39, ITI-43 ----

    /** <lost> is asked for first; then these, or (of green) all that were found. */
    private void gets(String name, Side side, Status status, ErrorCode code, DocumentReference lost, String... uniqueIds) {
        run(side.mode(), name, () -> {
            final List<DocumentReference> wanted = new ArrayList<>(lost == null ? List.of() : List.of(lost));
            wanted.addAll((!side.isBehind() && status != FAILURE ? seen.keySet() : List.of(uniqueIds)).stream()
                .filter(id -> side.isBehind() || side.home().equals(seen.get(id).getHomeCommunityId())).map(side::at).toList());
            retrieve(side, wanted, status, code, lost);
        });
    }

    private void retrieve(Side side, List<DocumentReference> wanted, Status status, ErrorCode code, DocumentReference lost) throws Exception {
        final RetrieveDocumentSet request = new RetrieveDocumentSet();
        request.getDocuments().addAll(wanted);
        final RetrievedDocumentSet answer = stack.ask(side.asked(), side.retrieve(), request, RetrievedDocumentSet.class);
        judge(answer, status, code, lost == null ? null : lost.getDocumentUniqueId());
        equal(wanted.stream().filter(one -> one != lost).toList(),
            answer.getDocuments().stream().map(RetrievedDocument::getRequestData).toList(), "documents, in the order of the request");
        for (RetrievedDocument document : answer.getDocuments()) {
            final DocumentEntry entry = seen.get(document.getRequestData().getDocumentUniqueId());
            equal(entry.getMimeType(), document.getMimeType(), "mimeType");
            equal(entry.getHash(), Answering.sha1(Answering.bytes(document.getDataHandler())), "SHA-1 of the bytes");
        }
    }

    // ---- ITI-41, ITI-80 ----

    private void stores(String text, Status status, ErrorCode code) throws Exception {
        final String community = given.get("local-community");
        judge(provide("2.999.4.8.1", source.patient(), text, null), status, code, null);
        final RetrieveDocumentSet request = new RetrieveDocumentSet();
        request.getDocuments().add(new DocumentReference(community + ".2", "2.999.4.8.1", "urn:oid:" + community));
        final RetrievedDocumentSet answer = stack.ask(SYNC, source.retrieve(), request, RetrievedDocumentSet.class);
        judge(answer, SUCCESS, null, null);
        equal("first", new String(Answering.bytes(answer.getDocuments().get(0).getDataHandler())), "what is stored");
    }

    private void passesOn() throws Exception {
        behind.submissions.clear();
        judge(provide("2.999.4.8.3", partner.patient("whole"), "to blue", partner.home()), SUCCESS, null, null);
        equal(1, behind.submissions.size(), "submissions that arrived");
        final ProvideAndRegisterDocumentSet came = behind.submissions.remove();
        equal(partner.home(), came.getTargetHomeCommunityId(), "target community");
        equal(1, came.getDocuments().size(), "documents");
        final Document document = came.getDocuments().get(0);
        equal("2.999.4.8.3", document.getDocumentEntry().getUniqueId(), "uniqueId");
        equal(partner.patient("whole"), cx(document.getDocumentEntry().getPatientId()), "patientId");
        equal("to blue", new String(Answering.bytes(document.getContent(jakarta.activation.DataHandler.class))), "the bytes");
    }

    private Response provide(String uniqueId, String patient, String text, String target) throws Exception {
        return stack.ask(SYNC, "xds-iti41://" + given.get("local") + "/provide?audit=false", Answering.submission(uniqueId, identifiable(patient), text, target),
            Response.class);
    }

    private Response send(String uniqueId, String target) throws Exception {
        return stack.ask(SYNC, secured("xcdr-iti80", given.get("url") + "/xcdr"),
            Answering.submission(uniqueId, identifiable(green.patient()), "from blue", target), Response.class);
    }

    // ---- ITI-40 ----

    private void isRefused(Interceptor<?> security) throws Exception {
        final String where = endpoint("xca-iti38", given.get("url") + "/xca/query", security);
        refusal(() -> stack.ask(SYNC, where, new QueryRegistry(find(green, "whole", green.home())), QueryResponse.class), "security could not be verified");
    }

    /** What the other cases prove of our signatures, they prove only if this one fails without any. */
    private void refuses() throws Exception {
        behind.queries.clear();
        final String where = endpoint("xca-iti38", "https://127.0.0.1:" + given.get("gateway-port") + "/xca/query", null);
        refusal(() -> stack.ask(SYNC, where, new QueryRegistry(find(partner, "whole", partner.home())), QueryResponse.class), "");
        that(behind.queries.isEmpty(), "the route was reached");
    }

    private static void refusal(Case ask, String text) throws Exception {
        try {
            ask.run();
        } catch (Exception error) {
            Throwable cause = error;
            while (cause != null && !(cause instanceof SoapFault) && !(cause instanceof Stack.Refusal)) {
                cause = cause.getCause();
            }
            that(cause != null && cause.getMessage().contains(text), "not the refusal: " + error);
            return;
        }
        throw new AssertionError("it was answered");
    }

    private void hasReadWhoAsks(String organization, String community) {
        final var assertion = behind.assertions.remove().getSaml2();
        final Map<String, String> said = new HashMap<>();
        for (var attribute : assertion.getAttributeStatements().get(0).getAttributes()) {
            final Element value = attribute.getAttributeValues().get(0).getDOM();
            final var coded = value.getElementsByTagNameNS("urn:hl7-org:v3", "*");
            said.put(attribute.getName().replaceFirst(".*:", ""),
                coded.getLength() == 0 ? value.getTextContent() : ((Element) coded.item(0)).getAttribute("code"));
        }
        said.put("audience", assertion.getConditions().getAudienceRestrictions().get(0).getAudiences().get(0).getURI());
        final Map<String, String> wanted = Map.of("subject-id", "Dr. Ada Example", "organization", organization, "role", "112247003", "purposeofuse", "T-TREAT",
            "homeCommunityId", "urn:oid:" + community, "audience", "https://127.0.0.1:" + given.get("gateway-port") + "/xca/query");
        said.keySet().retainAll(wanted.keySet());
        equal(wanted, said, "what the assertion says");
    }

    // ---- ITI-55 ----

    private void discovers(String name, Stack.Mode mode, String family, String acknowledgement, String response) {
        run(mode, name, () -> {
            final String id = "2.25." + new java.math.BigInteger(64, new Random());
            judgeDiscovery(discover(mode, id, family), id, acknowledgement, response);
        });
    }

    /** <family> null: the question lacks what is required. */
    private String discover(Stack.Mode mode, String id, String family) throws Exception {
        final String birth = "<livingSubjectBirthTime><value value='19700102'/><semanticsText>LivingSubject.birthTime</semanticsText></livingSubjectBirthTime>";
        final String respond = "<respondTo typeCode='RSP'><telecom value='" + stack.later("xcpd-iti55-deferred-response")
            + "'/><entityRsp classCode='ENT' determinerCode='INSTANCE' xsi:nil='true'/></respondTo>";
        return stack.ask(mode, secured("xcpd-iti55", given.get("url") + "/xcpd"), Xml.fill("discover.xml", "id", id, "now", "20260301120000",
            "theirs", given.get("community"), "ours", given.get("gateway-community"), "respond", mode == DEFERRED ? respond : "",
            "priority", mode == DEFERRED ? "D" : "I", "birth", family == null ? "" : birth, "family", family == null ? "Ibarra" : family), String.class);
    }

    private void judgeDiscovery(String answer, String id, String acknowledgement, String response) throws Exception {
        equal(acknowledgement, Xml.at(answer, "//acknowledgement/typeCode/@code"), "acknowledgement");
        equal(response, Xml.at(answer, "//queryAck/queryResponseCode/@code"), "queryResponseCode");
        equal(id + " q " + id, Xml.at(answer, "concat(//queryAck/queryId/@root, ' ', //queryAck/queryId/@extension, ' ', //targetMessage/id/@root)"), "what it answers");
        equal(response.equals("OK") ? "1" : "0", Xml.at(answer, "count(//registrationEvent)"), "matches");
        if (response.equals("OK")) {
            equal(given.get("community"), Xml.at(answer, "//custodian/assignedEntity/id/@root"), "community of the match");
            equal(given.get("patient"), Xml.at(answer, "concat(//patient/id/@extension, '^^^&', //patient/id/@root, '&ISO')"), "patient id");
        }
    }

    // ---- sides ----

    private Side ofGreen(Stack.Mode mode) {
        return network(mode, "url", given.get("community"), given.get("patient"), given.get("community") + ".2");
    }

    /** IPF's gateway, through this node's local listener. */
    private Side ofIpf(Stack.Mode mode, String listener) {
        return local(mode, listener, given.get("gateway-community"), null, Answering.REPOSITORY);
    }

    private Side network(Stack.Mode mode, String url, String community, String patient, String repository) {
        return new Side(mode, secured("xca-iti38", given.get(url) + "/xca/query"), secured("xca-iti39", given.get(url) + "/xca/retrieve"), community, patient, repository);
    }

    private Side local(Stack.Mode mode, String listener, String community, String patient, String repository) {
        final String url = "://" + given.get(listener);
        return new Side(mode, "xds-iti18" + url + "/registry?audit=false", "xds-iti43" + url + "/repository?audit=false", community, patient, repository);
    }

    private String secured(String component, String url) {
        return endpoint(component, url, signing(url, 300));
    }

    /** TLS as blue, whose keys are the Java machine's own; <security> null: unsigned. */
    private String endpoint(String component, String url, Interceptor<?> security) {
        return component + url.replaceFirst("https", "") + "?audit=false&secure=true&correlator=#correlator" + (security == null ? "" : "&outInterceptors=" + stack.bind(security));
    }

    private Interceptor<?> signing(String audience, int lifetimeS) {
        return Assertion.signing(crypto, given.get("gateway-community"), audience, lifetimeS, new AtomicInteger());
    }

    private static Identifiable identifiable(String cx) {
        return new Identifiable(cx.split("[&^]+")[0], new AssigningAuthority(cx.split("[&^]+")[1]));
    }

    private static String cx(Identifiable id) {
        return id.getId() + "^^^&" + id.getAssigningAuthority().getUniversalId() + "&ISO";
    }
}
