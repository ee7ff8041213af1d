import jakarta.activation.DataHandler;
import jakarta.mail.util.ByteArrayDataSource;
import jakarta.xml.bind.JAXB;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.wss4j.common.crypto.Crypto;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.*;
import org.openehealth.ipf.commons.ihe.xds.core.responses.*;
import org.openehealth.ipf.commons.ihe.xds.core.stub.ebrs30.query.AdhocQueryResponse;
import org.openehealth.ipf.platform.camel.ihe.xds.core.converters.EbXML30Converters;

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
    final Queue<String> seen = new ConcurrentLinkedQueue<>(); // what came, a line each
    private volatile Identifiable known; // to the registry, which is asked by uniqueId alone later

    Answering(Stack stack, Map<String, String> given) throws Exception {
        final String community = given.get("gateway-community");
        final String home = "urn:oid:" + community;
        stack.listen(given.get("pki"), given.get("gateway-port"));
        stack.listen(given.get("source-pki"), given.get("source-port"));
        final Crypto crypto = Assertion.crypto(given.get("pki"));
        final String verified = "?audit=false&inInterceptors=" + stack.bind(Assertion.verifying(crypto, seen));
        // who asks asynchronously has one address for its answers
        final String signed = "&outInterceptors=" + stack.bind(Assertion.signing(crypto, community, given.get("later-url") + "/deferred", 300, seen));
        stack.answer("xca-iti38:xca/query" + verified + signed, QueryRegistry.class, asked -> find(asked, home));
        stack.answer("xca-iti39:xca/retrieve" + verified + signed, RetrieveDocumentSet.class, asked -> retrieve(asked, home));
        stack.answer("xcpd-iti55:xcpd" + verified + signed, String.class, asked -> discover(asked, community));
        stack.answer("xcdr-iti80:xcdr" + verified, ProvideAndRegisterDocumentSet.class, this::take);
        stack.answer("xds-iti18:registry?audit=false", QueryRegistry.class, asked -> find(asked, null));
        stack.answer("xds-iti43:repository?audit=false", RetrieveDocumentSet.class, asked -> retrieve(asked, null));
        // what IPF asks for by itself to send a deferred answer with, and how it would neither sign nor say so
        final String deferred = "xcpd-iti55-deferred-response" + given.get("later-url").replaceFirst("https", "") + "/deferred?secure=true";
        stack.camel.addEndpoint(deferred, stack.camel.getEndpoint(deferred + "&audit=false" + signed));
        stack.take("xca-iti38-async-response", verified, QueryResponse.class);
        stack.take("xca-iti39-async-response", verified, RetrievedDocumentSet.class);
        stack.take("xcpd-iti55-async-response", verified, String.class);
        stack.take("xcpd-iti55-deferred-response", verified, String.class);
    }

    private static String discover(String question, String community) throws Exception {
        final String family = Xml.at(question, "//livingSubjectName//family");
        if (family.equals("Busy")) {
            throw new IllegalStateException("busy"); // of which IPF makes AE, InternalError
        }
        final boolean isKnown = family.equals("Ibarra");
        final String id = "2.25." + new java.math.BigInteger(64, new java.util.Random());
        return Xml.fill("found.xml", "subject", isKnown ? Xml.fill("subject.xml") : "", "response", isKnown ? "OK" : "NF", "id", id, "now", "20260301120000",
            "ours", community, "theirs", Xml.at(question, "//sender//representedOrganization/id/@root"), "message", Xml.part(question, "/PRPA_IN201305UV02/id"),
            "query", Xml.part(question, "//queryByParameter/queryId"), "parameters", Xml.part(question, "//queryByParameter"));
    }

    private QueryResponse find(QueryRegistry question, String home) throws Exception {
        seen.add("query\t" + question.getReturnType());
        final String repository = home == null ? SOURCE_REPOSITORY : REPOSITORY;
        if (question.getQuery() instanceof GetDocumentsQuery get) {
            final DocumentEntry[] entries = new DocumentEntry[get.getUniqueIds().size()];
            for (int i = 0; i < entries.length; i++) {
                entries[i] = entry(get.getUniqueIds().get(i), known, home, repository);
            }
            return found(Status.SUCCESS, null, home, entries);
        }
        final FindDocumentsQuery find = (FindDocumentsQuery) question.getQuery();
        final boolean isPlain = find.getTypeCodes() == null || find.getTypeCodes().isEmpty();
        known = find.getPatientId();
        seen.add("find\t" + find.getHomeCommunityId() + "\t" + known.getId() + "\t" + known.getAssigningAuthority().getUniversalId());
        final String what = home != null ? known.getId() : isPlain ? "whole" : find.getTypeCodes().get(0).getCode();
        final DocumentEntry scan = entry(SCAN, known, home, repository);
        return switch (what) {
            case "whole" -> found(Status.SUCCESS, null, home, entry(LETTER, known, home, repository), scan);
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

    private Response take(ProvideAndRegisterDocumentSet submission) throws Exception {
        for (Document document : submission.getDocuments()) {
            seen.add("submission\t" + submission.getTargetHomeCommunityId() + "\t" + document.getDocumentEntry().getUniqueId() + "\t"
                + document.getDocumentEntry().getPatientId().getId() + "\t" + sha1(bytes(document.getContent(DataHandler.class))));
        }
        final boolean isBusy = submission.getSubmissionSet().getPatientId().getId().equals("busy");
        final Response answer = new Response(isBusy ? Status.FAILURE : Status.SUCCESS);
        answer.setErrors(isBusy ? List.of(error(ErrorCode.REPOSITORY_BUSY, "try again later", null)) : List.of());
        return answer;
    }

    private static ErrorInfo error(ErrorCode code, String context, String location) {
        return new ErrorInfo(code, context, Severity.ERROR, location, null);
    }

    /** What document.xml is with these. */
    private static DocumentEntry entry(String uniqueId, Identifiable patient, String home, String repository) throws Exception {
        final byte[] document = content(uniqueId);
        final String found = Xml.fill("document.xml", "id", "urn:uuid:6f1a3f9e-0000-4000-8000-00000000000" + uniqueId.charAt(uniqueId.length() - 1), "unique", uniqueId,
            "patient", patient.getId() + "^^^&amp;" + patient.getAssigningAuthority().getUniversalId() + "&amp;ISO", "hash", sha1(document), "size", document.length,
            "title", "Letter &amp; scan &lt;" + uniqueId + ">", "home", home == null ? "" : " home=\"" + home + "\"", "repository", repository);
        return EbXML30Converters.convertToQueryResponse(JAXB.unmarshal(new StringReader(found), AdhocQueryResponse.class)).getDocumentEntries().get(0);
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
