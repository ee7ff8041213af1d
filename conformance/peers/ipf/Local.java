import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti18ResponseValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti43ResponseValidator;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Code;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.DocumentReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RetrieveDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryReturnType;
import org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorCode;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocument;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Status;

/** IPF is a local system that asks a node with ITI-18 and ITI-43; behind the node IPF answers as partner and as local source. */
final class Local {
    private final Stack stack;
    private final Answering behind;
    private final Map<String, String> given;
    private final String partner;
    private final String source;

    Local(Stack stack, Answering behind, Map<String, String> given) {
        this.stack = stack;
        this.behind = behind;
        this.given = given;
        partner = "urn:oid:" + given.get("gateway-community");
        source = "urn:oid:" + given.get("source-community");
    }

    void run(Check check) {
        // REQ: ITI18-local
        check.run("ITI-18 to a partner: what its gateway has, with home", () -> found(partner("whole"), partner));
        check.run("ITI-18 to a partner without documents: Success and empty", () -> isEmpty(partner("none")));
        // REQ: MERGE-partial-success
        check.run("ITI-18 to a partner that answers in part: PartialSuccess", () -> isPart(partner("part"), partner));
        // REQ: MERGE-all-failed
        check.run("ITI-18 to a partner that fails: Failure with its error", () -> hasFailed(partner("busy")));
        // REQ: ITI38-home-on-results, ITI18-source
        check.run("ITI-18 to a registry of ours: what it has, with the community as home", () -> found(source(null), source));
        check.run("ITI-18 to a registry without documents: Success and empty", () -> isEmpty(source("none")));
        check.run("ITI-18 to a registry that answers in part: PartialSuccess", () -> isPart(source("part"), source));
        // REQ: MERGE-errors-passed
        check.run("ITI-18 to a registry that fails: Failure with its error", () -> hasFailed(source("busy")));
        // REQ: ITI39-several, ITI43-local, ITI43-routing
        check.run("ITI-43 of a partner and of a repository of ours in one request: bytes", this::retrieves);
        // REQ: ITI39-partial-success
        check.run("ITI-43 with a document that is lost: PartialSuccess", this::retrievesInPart);
        // REQ: ITI39-repository-unknown
        check.run("ITI-43 of a repository that nobody has: Failure", this::retrievesNothing);
    }

    private void found(QueryResponse answer, String home) throws Exception {
        Check.equal(Status.SUCCESS, answer.getStatus(), "status");
        Check.equal(Set.of(Answering.LETTER, Answering.SCAN),
            answer.getDocumentEntries().stream().map(DocumentEntry::getUniqueId).collect(Collectors.toSet()), "uniqueIds");
        for (DocumentEntry entry : answer.getDocumentEntries()) {
            Check.equal(home, entry.getHomeCommunityId(), "home");
            Check.equal(Asking.sha1(Answering.content(entry.getUniqueId())), entry.getHash(), "hash");
            Check.equal("Letter & scan <" + entry.getUniqueId() + ">", entry.getTitle().getValue(), "title");
        }
        Check.equal(1, behind.queries.size(), "how often IPF was asked");
    }

    private static void isEmpty(QueryResponse answer) {
        Check.equal(Status.SUCCESS, answer.getStatus(), "status");
        Check.equal(0, answer.getDocumentEntries().size() + answer.getErrors().size(), "documents and errors");
    }

    private static void isPart(QueryResponse answer, String home) {
        Check.equal(Status.PARTIAL_SUCCESS, answer.getStatus(), "status");
        Check.equal(1, answer.getDocumentEntries().size(), "documents");
        Check.equal(home, answer.getDocumentEntries().get(0).getHomeCommunityId(), "home");
        Check.equal(ErrorCode.REGISTRY_BUSY, answer.getErrors().get(0).getErrorCode(), "error code");
    }

    private static void hasFailed(QueryResponse answer) {
        Check.equal(Status.FAILURE, answer.getStatus(), "status");
        Check.equal(0, answer.getDocumentEntries().size(), "documents");
        Check.equal(ErrorCode.REGISTRY_BUSY, answer.getErrors().get(0).getErrorCode(), "error code");
    }

    private void retrieves() throws Exception {
        final RetrievedDocumentSet answer = retrieve(
            new DocumentReference(Answering.SOURCE_REPOSITORY, Answering.SCAN, source),
            new DocumentReference(Answering.REPOSITORY, Answering.LETTER, partner));
        Check.equal(Status.SUCCESS, answer.getStatus(), "status");
        Check.equal(2, answer.getDocuments().size(), "documents");
        is(answer.getDocuments().get(0), Answering.SCAN, source);
        is(answer.getDocuments().get(1), Answering.LETTER, partner);
    }

    private void retrievesInPart() throws Exception {
        final RetrievedDocumentSet answer = retrieve(
            new DocumentReference(Answering.REPOSITORY, Answering.LOST, partner),
            new DocumentReference(Answering.REPOSITORY, Answering.LETTER, partner));
        Check.equal(Status.PARTIAL_SUCCESS, answer.getStatus(), "status");
        Check.equal(1, answer.getDocuments().size(), "documents");
        is(answer.getDocuments().get(0), Answering.LETTER, partner);
        Asking.hasError(answer, ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, Answering.LOST);
    }

    private void retrievesNothing() throws Exception {
        final RetrievedDocumentSet answer = retrieve(new DocumentReference(Asking.NOBODYS, Answering.LETTER, source));
        Check.equal(Status.FAILURE, answer.getStatus(), "status");
        Check.equal(0, answer.getDocuments().size(), "documents");
        Check.equal(ErrorCode.UNKNOWN_REPOSITORY_ID, answer.getErrors().get(0).getErrorCode(), "error code");
    }

    private static void is(RetrievedDocument document, String uniqueId, String home) throws Exception {
        Check.equal(uniqueId, document.getRequestData().getDocumentUniqueId(), "uniqueId");
        Check.equal(home, document.getRequestData().getHomeCommunityId(), "home");
        Check.that(Arrays.equals(Answering.content(uniqueId), Asking.bytes(document.getDataHandler())), "the bytes of " + uniqueId);
    }

    // ---- questions ----

    private QueryResponse partner(String patient) throws Exception {
        return query(Asking.findDocuments(patient + "^^^&" + given.get("gateway-community") + ".1&ISO", partner));
    }

    private QueryResponse source(String type) throws Exception {
        final FindDocumentsQuery query = Asking.findDocuments(given.get("local-patient"), source);
        if (type != null) {
            query.setTypeCodes(List.of(new Code(type, null, "2.999.4.9")));
        }
        return query(query);
    }

    private QueryResponse query(FindDocumentsQuery query) throws Exception {
        behind.queries.clear();
        return stack.ask("xds-iti18://" + given.get("local") + "/registry?audit=false", new QueryRegistry(query, QueryReturnType.LEAF_CLASS),
            iti18ResponseValidator(), QueryResponse.class);
    }

    RetrievedDocumentSet retrieve(DocumentReference... documents) throws Exception {
        final RetrieveDocumentSet request = new RetrieveDocumentSet();
        request.getDocuments().addAll(List.of(documents));
        return stack.ask("xds-iti43://" + given.get("local") + "/repository?audit=false", request, iti43ResponseValidator(),
            RetrievedDocumentSet.class);
    }
}
