import jakarta.activation.DataHandler;
import jakarta.mail.util.ByteArrayDataSource;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.wss4j.common.saml.SamlAssertionWrapper;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.*;
import org.openehealth.ipf.commons.ihe.xds.core.responses.*;

/**
 * IPF as Responding Gateway, where WSS4J verifies each assertion and signature, and as registry and repository of a community for which a node answers.
 * What is answered, the patient's id says to the gateway, and a type code to the registry: whole, none, part, busy; anything else is unknown.
 */
final class Answering {
    static final String REPOSITORY = "2.999.4.2";
    static final String SOURCE_REPOSITORY = "2.999.6.2";
    static final String LETTER = "2.999.4.7.1";
    static final String SCAN = "2.999.4.7.2";
    static final String LOST = "2.999.4.7.3";
    final Queue<QueryRegistry> queries = new ConcurrentLinkedQueue<>();
    final Queue<RetrieveDocumentSet> retrievals = new ConcurrentLinkedQueue<>();
    final Queue<ProvideAndRegisterDocumentSet> submissions = new ConcurrentLinkedQueue<>();
    final Queue<SamlAssertionWrapper> assertions = new ConcurrentLinkedQueue<>();
    private volatile Identifiable known; // to the registry, which is asked by uniqueId alone later

    Answering(Stack stack, Map<String, String> given) throws Exception {
        final String home = "urn:oid:" + given.get("gateway-community");
        stack.listen(given.get("pki"), given.get("gateway-port"));
        stack.listen(given.get("source-pki"), given.get("source-port"));
        final String secured = "?audit=false&inInterceptors="
            + stack.bind(Assertion.verifying(Assertion.crypto(given.get("pki")), assertions));
        stack.answer("xca-iti38:xca/query" + secured, QueryRegistry.class, asked -> find(asked, home));
        stack.answer("xca-iti39:xca/retrieve" + secured, RetrieveDocumentSet.class, asked -> retrieve(asked, home));
        stack.answer("xcdr-iti80:xcdr" + secured, ProvideAndRegisterDocumentSet.class, this::take);
        stack.answer("xds-iti18:registry?audit=false", QueryRegistry.class, asked -> find(asked, null));
        stack.answer("xds-iti43:repository?audit=false", RetrieveDocumentSet.class, asked -> retrieve(asked, null));
    }

    private QueryResponse find(QueryRegistry question, String home) throws Exception {
        queries.add(question);
        final String repository = home == null ? SOURCE_REPOSITORY : REPOSITORY;
        if (question.getQuery() instanceof GetDocumentsQuery get) {
            final DocumentEntry[] entries = new DocumentEntry[get.getUniqueIds().size()];
            for (int i = 0; i < entries.length; i++) {
                entries[i] = entry(get.getUniqueIds().get(i), known, home, repository, null);
            }
            return found(Status.SUCCESS, null, home, entries);
        }
        final FindDocumentsQuery find = (FindDocumentsQuery) question.getQuery();
        final boolean isPlain = find.getTypeCodes() == null || find.getTypeCodes().isEmpty();
        known = find.getPatientId();
        final String what = home != null ? known.getId() : isPlain ? "whole" : find.getTypeCodes().get(0).getCode();
        final DocumentEntry scan = entry(SCAN, known, home, repository, null);
        return switch (what) {
            case "whole" -> found(Status.SUCCESS, null, home, entry(LETTER, known, home, repository, null), scan);
            case "part" -> found(Status.PARTIAL_SUCCESS, ErrorCode.REGISTRY_BUSY, home, scan);
            case "none" -> found(Status.SUCCESS, null, home);
            case "busy" -> found(Status.FAILURE, ErrorCode.REGISTRY_BUSY, home);
            default -> found(Status.FAILURE, ErrorCode.UNKNOWN_PATIENT_ID, home);
        };
    }

    private static QueryResponse found(Status status, ErrorCode code, String home, DocumentEntry... entries) {
        final QueryResponse answer = new QueryResponse(status);
        answer.getDocumentEntries().addAll(List.of(entries));
        if (code != null) {
            answer.getErrors().add(error(code, "one registry says so", home));
        }
        return answer;
    }

    private RetrievedDocumentSet retrieve(RetrieveDocumentSet question, String home) {
        retrievals.add(question);
        final RetrievedDocumentSet answer = new RetrievedDocumentSet();
        for (DocumentReference asked : question.getDocuments()) {
            final String uniqueId = asked.getDocumentUniqueId();
            if (uniqueId.equals(LOST)) {
                answer.getErrors().add(error(ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, LOST + " is lost", home == null ? LOST : home));
            } else {
                answer.getDocuments().add(new RetrievedDocument(data(content(uniqueId)), asked, null, null, "text/plain"));
            }
        }
        answer.setStatus(answer.getErrors().isEmpty() ? Status.SUCCESS
            : answer.getDocuments().isEmpty() ? Status.FAILURE : Status.PARTIAL_SUCCESS);
        return answer;
    }

    private Response take(ProvideAndRegisterDocumentSet submission) {
        submissions.add(submission);
        final boolean isBusy = submission.getSubmissionSet().getPatientId().getId().equals("busy");
        final Response answer = new Response(isBusy ? Status.FAILURE : Status.SUCCESS);
        answer.setErrors(isBusy ? List.of(error(ErrorCode.REPOSITORY_BUSY, "try again later", null)) : List.of());
        return answer;
    }

    private static ErrorInfo error(ErrorCode code, String context, String location) {
        return new ErrorInfo(code, context, Severity.ERROR, location, null);
    }

    /** <bytes> null: what content() says. */
    static DocumentEntry entry(String uniqueId, Identifiable patient, String home, String repository, byte[] bytes) throws Exception {
        final byte[] document = bytes == null ? content(uniqueId) : bytes;
        final DocumentEntry entry = new DocumentEntry();
        entry.setEntryUuid("urn:uuid:6f1a3f9e-0000-4000-8000-00000000000" + uniqueId.charAt(uniqueId.length() - 1));
        entry.setLogicalUuid(entry.getEntryUuid());
        entry.setUniqueId(uniqueId);
        entry.setHomeCommunityId(home);
        entry.setRepositoryUniqueId(repository);
        entry.setType(DocumentEntryType.STABLE);
        entry.setAvailabilityStatus(AvailabilityStatus.APPROVED);
        entry.setPatientId(patient);
        entry.setSourcePatientId(patient);
        entry.setMimeType("text/plain");
        entry.setLanguageCode("en-US");
        entry.setCreationTime("20260301120000");
        entry.setHash(sha1(document));
        entry.setSize((long) document.length);
        entry.setTitle(new LocalizedString(title(uniqueId), "en-US", "UTF-8"));
        entry.setClassCode(code("34133-9", "Summary of episode note"));
        entry.setTypeCode(code("34133-9", "Summary of episode note"));
        entry.setFormatCode(code("urn:ihe:iti:xds:2017:mimeTypeSufficient", "by its type"));
        entry.setHealthcareFacilityTypeCode(code("35971002", "Ambulatory care site"));
        entry.setPracticeSettingCode(code("394802001", "General medicine"));
        entry.getConfidentialityCodes().add(code("N", "normal"));
        return entry;
    }

    /** One document of a patient with this text, in one SubmissionSet. */
    static ProvideAndRegisterDocumentSet submission(String uniqueId, Identifiable patient, String text, String target) throws Exception {
        final DocumentEntry entry = entry(uniqueId, patient, null, null, text.getBytes());
        entry.setEntryUuid("document01");
        entry.setLogicalUuid(null);
        final SubmissionSet set = new SubmissionSet();
        set.setEntryUuid("set01");
        set.setUniqueId(uniqueId + "." + (text.hashCode() & 0xffff));
        set.setSourceId("2.999.4.3");
        set.setPatientId(patient);
        set.setSubmissionTime("20260301120000");
        set.setContentTypeCode(entry.getTypeCode());
        set.setAvailabilityStatus(AvailabilityStatus.APPROVED);
        final Association member = new Association(AssociationType.HAS_MEMBER, "member01", "set01", "document01");
        member.setLabel(AssociationLabel.ORIGINAL);
        final ProvideAndRegisterDocumentSet submission = new ProvideAndRegisterDocumentSet();
        submission.setSubmissionSet(set);
        submission.setTargetHomeCommunityId(target);
        submission.getDocuments().add(new Document(entry, data(text.getBytes())));
        submission.getAssociations().add(member);
        return submission;
    }

    static String title(String uniqueId) {
        return "Letter & scan <" + uniqueId + ">";
    }

    static Code code(String code, String shown) {
        return new Code(code, new LocalizedString(shown, "en-US", "UTF-8"), "2.999.4.9");
    }

    /** A short letter, and a megabyte with every byte and with lines that look like MIME boundaries. */
    static byte[] content(String uniqueId) {
        if (uniqueId.equals(LETTER)) {
            return "Dear Dr. Íñigo,\r\n--uuid:\r\n\r\nregards\n".getBytes(StandardCharsets.UTF_8);
        }
        final byte[] bytes = new byte[1 << 20];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i % 1000 < 4 ? "\r\n--".charAt(i % 1000) : i * 31 + (i >> 8));
        }
        return bytes;
    }

    static DataHandler data(byte[] bytes) {
        return new DataHandler(new ByteArrayDataSource(bytes, "application/octet-stream"));
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
