import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti38ResponseValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti39ResponseValidator;

import jakarta.activation.DataHandler;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Processor;
import org.apache.cxf.binding.soap.SoapFault;
import org.apache.cxf.interceptor.Interceptor;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssigningAuthority;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AvailabilityStatus;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Code;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Identifiable;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.ObjectReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.DocumentReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RetrieveDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.GetDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryReturnType;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.StoredQuery;
import org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorCode;
import org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorInfo;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Response;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocument;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Status;

/** IPF is the Initiating Gateway: it asks a node as a partner and checks what comes against the files that were imported. */
final class Asking {
    static final String NOBODYS = "2.999.404";
    /** IPF's validator wants the location of an error to be a homeCommunityId and nothing else; 3.39.4.1.3 wants the document's id too. */
    private static final Processor UNJUDGED = exchange -> { };
    private final Stack stack;
    private final Map<String, String> given;
    private final Keys keys;
    private final String tls;
    private final String home;
    private final Map<String, byte[]> originals = new HashMap<>(); // by their SHA-1
    private List<DocumentEntry> entries = List.of();

    Asking(Stack stack, Map<String, String> given) throws Exception {
        this.stack = stack;
        this.given = given;
        keys = new Keys(Path.of(given.get("pki")));
        tls = stack.bindTls(keys);
        home = "urn:oid:" + given.get("community");
        try (Stream<Path> files = Files.list(Path.of(given.get("originals")))) {
            for (Path file : files.toList()) {
                final byte[] bytes = Files.readAllBytes(file);
                originals.put(sha1(bytes), bytes);
            }
        }
    }

    void run(Check check) {
        // REQ: ITI38-find-documents, SQ-leaf-class, META-hash
        check.run("ITI-38 FindDocuments LeafClass: the documents that were imported, and nothing else", this::findsDocuments);
        // REQ: SQ-object-ref, ITI38-home-on-results
        check.run("ITI-38 FindDocuments ObjectRef: the same ids, with home", this::findsReferences);
        // REQ: ITI38-get-documents, SQ-get-documents
        check.run("ITI-38 GetDocuments by uuid and by uniqueId", this::getsDocuments);
        check.run("ITI-38 with nothing to find: Success and empty", this::findsNothing);
        // REQ: ITI38-home-unknown
        check.run("ITI-38 to an unknown community: Failure, XDSUnknownCommunity, location", this::failsToFind);
        // REQ: ITI38-home-required
        check.run("ITI-38 GetDocuments without home: Failure, XDSMissingHomeCommunityId", this::needsHome);
        // REQ: ITI39-retrieve, ITI39-ids-echoed, ITI39-order
        check.run("ITI-39 of all documents: their bytes, types and ids, in the order that was asked", this::retrieves);
        // REQ: ITI39-partial-success, ITI39-error-location
        check.run("ITI-39 with an unknown document: PartialSuccess, one error with its id", this::retrievesInPart);
        // REQ: ITI39-repository-unknown
        check.run("ITI-39 of an unknown repository: Failure, no document", this::retrievesNothing);
        // REQ: ITI40-required
        check.run("ITI-38 without a Security header: a fault", () -> isRefused(null));
        // REQ: ITI40-audience
        check.run("ITI-38 with an assertion for another audience: a fault",
            () -> isRefused(signing("https://other.example/xca/query", 300)));
        // REQ: ITI40-conditions
        check.run("ITI-38 with an assertion that has expired: a fault", () -> isRefused(signing(url("/xca/query"), -600)));
    }

    private void findsDocuments() throws Exception {
        final QueryResponse answer = query(find());
        Check.equal(Status.SUCCESS, answer.getStatus(), "status");
        entries = answer.getDocumentEntries();
        Check.equal(originals.size(), entries.size(), "documents");
        for (DocumentEntry entry : entries) {
            Check.equal(home, entry.getHomeCommunityId(), "home");
            Check.equal(AvailabilityStatus.APPROVED, entry.getAvailabilityStatus(), "status of an entry");
            Check.equal(given.get("patient"), cx(entry.getPatientId()), "patientId");
            final byte[] original = originals.get(entry.getHash());
            Check.that(original != null, "the hash of " + entry.getUniqueId() + " is of no file: " + entry.getHash());
            Check.equal((long) original.length, entry.getSize(), "size");
        }
        Check.equal(originals.keySet(), entries.stream().map(DocumentEntry::getHash).collect(Collectors.toSet()), "hashes");
    }

    private void findsReferences() throws Exception {
        final QueryResponse answer = ask(find(), QueryReturnType.OBJECT_REF, right("/xca/query"));
        Check.equal(Status.SUCCESS, answer.getStatus(), "status");
        Check.equal(0, answer.getDocumentEntries().size(), "whole entries");
        Check.equal(entries.size(), answer.getReferences().size(), "references");
        Check.equal(uuids(), answer.getReferences().stream().map(ObjectReference::getId).collect(Collectors.toSet()), "ids");
        for (ObjectReference reference : answer.getReferences()) {
            Check.equal(home, reference.getHome(), "home of an ObjectRef");
        }
    }

    private void getsDocuments() throws Exception {
        final GetDocumentsQuery byUuid = new GetDocumentsQuery();
        byUuid.setHomeCommunityId(home);
        byUuid.setUuids(new ArrayList<>(uuids()));
        Check.equal(uuids(), found(query(byUuid)), "ids got by uuid");
        final GetDocumentsQuery byUniqueId = new GetDocumentsQuery();
        byUniqueId.setHomeCommunityId(home);
        byUniqueId.setUniqueIds(List.of(entries.get(0).getUniqueId(), NOBODYS));
        Check.equal(Set.of(entries.get(0).getEntryUuid()), found(query(byUniqueId)), "ids got by uniqueId");
    }

    private void findsNothing() throws Exception {
        final FindDocumentsQuery query = find();
        query.setTypeCodes(List.of(new Code("00000-0", null, "2.16.840.1.113883.6.1")));
        final QueryResponse answer = query(query);
        Check.equal(Status.SUCCESS, answer.getStatus(), "status");
        Check.equal(0, answer.getDocumentEntries().size(), "documents");
        Check.equal(0, answer.getErrors().size(), "errors");
    }

    private void failsToFind() throws Exception {
        final FindDocumentsQuery query = find();
        query.setHomeCommunityId("urn:oid:" + NOBODYS);
        hasFailed(query(query), ErrorCode.UNKNOWN_COMMUNITY, home);
    }

    private void needsHome() throws Exception {
        final GetDocumentsQuery query = new GetDocumentsQuery();
        query.setUuids(List.of(entries.get(0).getEntryUuid()));
        hasFailed(query(query), ErrorCode.MISSING_HOME_COMMUNITY_ID, home);
    }

    private void retrieves() throws Exception {
        final RetrievedDocumentSet answer = retrieve(entries.stream().map(this::reference).toList(), iti39ResponseValidator());
        Check.equal(Status.SUCCESS, answer.getStatus(), "status");
        Check.equal(entries.size(), answer.getDocuments().size(), "documents");
        for (int i = 0; i < entries.size(); i++) {
            isDocument(entries.get(i), answer.getDocuments().get(i));
        }
    }

    private void retrievesInPart() throws Exception {
        final DocumentEntry known = entries.get(0);
        final RetrievedDocumentSet answer = retrieve(List.of(
            new DocumentReference(known.getRepositoryUniqueId(), NOBODYS, home), reference(known)), UNJUDGED);
        Check.equal(Status.PARTIAL_SUCCESS, answer.getStatus(), "status");
        Check.equal(1, answer.getDocuments().size(), "documents");
        isDocument(known, answer.getDocuments().get(0));
        hasError(answer, ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, NOBODYS);
        hasError(answer, ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, home);
    }

    private void retrievesNothing() throws Exception {
        final RetrievedDocumentSet answer = retrieve(
            List.of(new DocumentReference(NOBODYS, entries.get(0).getUniqueId(), home)), UNJUDGED);
        Check.equal(0, answer.getDocuments().size(), "documents");
        hasFailed(answer, ErrorCode.UNKNOWN_REPOSITORY_ID, entries.get(0).getUniqueId());
    }

    private void isRefused(Interceptor<?> security) throws Exception {
        try {
            final QueryResponse answer = ask(find(), QueryReturnType.LEAF_CLASS, security);
            throw new AssertionError("it was answered: " + answer.getStatus());
        } catch (Exception error) {
            Throwable cause = error;
            while (cause != null && !(cause instanceof SoapFault)) {
                cause = cause.getCause();
            }
            Check.that(cause != null, "not a SOAP fault but " + error);
            Check.that(cause.getMessage().contains("security could not be verified"), "not the node's refusal: " + cause);
        }
    }

    // ---- questions ----

    static FindDocumentsQuery findDocuments(String patient, String home) {
        final FindDocumentsQuery query = new FindDocumentsQuery();
        final String[] cx = patient.split("[&^]+");
        query.setHomeCommunityId(home);
        query.setPatientId(new Identifiable(cx[0], new AssigningAuthority(cx[1])));
        query.setStatus(List.of(AvailabilityStatus.APPROVED));
        return query;
    }

    private FindDocumentsQuery find() {
        return findDocuments(given.get("patient"), home);
    }

    private QueryResponse query(StoredQuery query) throws Exception {
        return ask(query, QueryReturnType.LEAF_CLASS, right("/xca/query"));
    }

    private QueryResponse ask(StoredQuery query, QueryReturnType kind, Interceptor<?> security) throws Exception {
        final String endpoint = "xca-iti38://" + url("/xca/query").substring(8) + stack.secured(tls, security);
        return stack.ask(endpoint, new QueryRegistry(query, kind), iti38ResponseValidator(), QueryResponse.class);
    }

    private RetrievedDocumentSet retrieve(List<DocumentReference> documents, Processor validator) throws Exception {
        final RetrieveDocumentSet request = new RetrieveDocumentSet();
        request.getDocuments().addAll(documents);
        final String endpoint = "xca-iti39://" + url("/xca/retrieve").substring(8) + stack.secured(tls, right("/xca/retrieve"));
        return stack.ask(endpoint, request, validator, RetrievedDocumentSet.class);
    }

    private Interceptor<?> right(String path) {
        return signing(url(path), 300);
    }

    private Interceptor<?> signing(String audience, int lifetimeS) {
        return Assertion.signing(keys, given.get("ask-as"), audience, lifetimeS);
    }

    private String url(String path) {
        return given.get("url") + path;
    }

    private DocumentReference reference(DocumentEntry entry) {
        return new DocumentReference(entry.getRepositoryUniqueId(), entry.getUniqueId(), home);
    }

    // ---- answers ----

    private Set<String> uuids() {
        Check.that(!entries.isEmpty(), "needs the entries, which an earlier case did not get");
        return entries.stream().map(DocumentEntry::getEntryUuid).collect(Collectors.toSet());
    }

    private static Set<String> found(QueryResponse answer) {
        Check.equal(Status.SUCCESS, answer.getStatus(), "status");
        return answer.getDocumentEntries().stream().map(DocumentEntry::getEntryUuid).collect(Collectors.toSet());
    }

    private void isDocument(DocumentEntry entry, RetrievedDocument document) throws Exception {
        Check.equal(reference(entry), document.getRequestData(), "which document");
        Check.equal(entry.getMimeType(), document.getMimeType(), "mimeType");
        Check.equal(entry.getHash(), sha1(bytes(document.getDataHandler())), "SHA-1 of the bytes");
    }

    static void hasFailed(Response answer, ErrorCode code, String location) {
        Check.equal(Status.FAILURE, answer.getStatus(), "status");
        if (answer instanceof QueryResponse query) {
            Check.equal(0, query.getDocumentEntries().size(), "documents of a Failure");
        }
        hasError(answer, code, location);
    }

    static void hasError(Response answer, ErrorCode code, String location) {
        Check.equal(1, answer.getErrors().size(), "errors");
        final ErrorInfo error = answer.getErrors().get(0);
        Check.equal(code, error.getErrorCode(), "error code");
        Check.that(error.getLocation() != null && error.getLocation().contains(location), "location: " + error.getLocation());
        Check.that(error.getCodeContext() != null && !error.getCodeContext().isEmpty(), "no codeContext");
    }

    static String cx(Identifiable id) {
        return id.getId() + "^^^&" + id.getAssigningAuthority().getUniversalId() + "&ISO";
    }

    static byte[] bytes(DataHandler handler) throws Exception {
        try (InputStream in = handler.getInputStream()) {
            return in.readAllBytes();
        }
    }

    static String sha1(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(bytes));
    }
}
