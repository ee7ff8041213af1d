import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti18RequestValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti18ResponseValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti38RequestValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti38ResponseValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti39RequestValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti39ResponseValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti43RequestValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti43ResponseValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti80RequestValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti80ResponseValidator;

import jakarta.activation.DataHandler;
import jakarta.mail.util.ByteArrayDataSource;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.camel.builder.RouteBuilder;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.cxf.BusFactory;
import org.apache.cxf.transport.servlet.CXFNonSpringServlet;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AvailabilityStatus;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Code;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntryType;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Identifiable;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.LocalizedString;
import org.openehealth.ipf.commons.ihe.xds.core.requests.DocumentReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.ProvideAndRegisterDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RetrieveDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.GetDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorCode;
import org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorInfo;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Response;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocument;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Severity;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Status;

/**
 * IPF is a Responding Gateway, and a document registry and repository: Camel routes behind Tomcat with mutual TLS. WSS4J verifies each assertion and signature, and
 * IPF's validators judge each question and the answer to it. What a patient's id begins with says what is answered.
 */
final class Answering {
    static final String REPOSITORY = "2.999.4.2";
    static final String SOURCE_REPOSITORY = "2.999.6.2";
    static final String LETTER = "2.999.4.7.1";
    static final String SCAN = "2.999.4.7.2";
    static final String LOST = "2.999.4.7.3";
    private final Stack stack;
    private final String home;
    private final Keys keys;
    private final int port;
    private volatile Identifiable known; // to the registry
    final Queue<QueryRegistry> queries = new ConcurrentLinkedQueue<>();
    final Queue<ProvideAndRegisterDocumentSet> submissions = new ConcurrentLinkedQueue<>();
    final Queue<RetrieveDocumentSet> retrievals = new ConcurrentLinkedQueue<>();

    Answering(Stack stack, Map<String, String> given) throws Exception {
        this.stack = stack;
        home = "urn:oid:" + given.get("gateway-community");
        keys = new Keys(Path.of(given.get("gateway-pki")));
        port = Integer.parseInt(given.get("gateway-port"));
        listen(connector(keys, port),
            connector(new Keys(Path.of(given.get("source-pki"))), Integer.parseInt(given.get("source-port"))));
        final String options = "?audit=false&inInterceptors=" + stack.bind(Assertion.verifying(keys));
        stack.camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("xca-iti38:xca/query" + options).process(iti38RequestValidator())
                    .process(exchange -> exchange.getMessage().setBody(query(exchange.getIn().getMandatoryBody(QueryRegistry.class))))
                    .process(iti38ResponseValidator());
                from("xca-iti39:xca/retrieve" + options).process(iti39RequestValidator())
                    .process(exchange -> exchange.getMessage()
                        .setBody(retrieve(exchange.getIn().getMandatoryBody(RetrieveDocumentSet.class))))
                    .process(iti39ResponseValidator());
                from("xcdr-iti80:xcdr" + options).process(iti80RequestValidator())
                    .process(exchange -> exchange.getMessage()
                        .setBody(take(exchange.getIn().getMandatoryBody(ProvideAndRegisterDocumentSet.class))))
                    .process(iti80ResponseValidator());
                from("xds-iti18:registry?audit=false").process(iti18RequestValidator())
                    .process(exchange -> exchange.getMessage().setBody(search(exchange.getIn().getMandatoryBody(QueryRegistry.class))))
                    .process(iti18ResponseValidator());
                from("xds-iti43:repository?audit=false").process(iti43RequestValidator())
                    .process(exchange -> exchange.getMessage()
                        .setBody(retrieve(exchange.getIn().getMandatoryBody(RetrieveDocumentSet.class))))
                    .process(iti43ResponseValidator());
            }
        });
    }

    void askUnsigned(String patient) throws Exception {
        final String endpoint = "xca-iti38://127.0.0.1:" + port + "/xca/query" + stack.secured(stack.bindTls(keys), null);
        stack.ask(endpoint, new QueryRegistry(Asking.findDocuments(patient, home)), exchange -> { }, QueryResponse.class);
    }

    /** The gateway and the registry are different parties to a node: each has an address and a certificate of its own. */
    private static void listen(Connector... connectors) throws Exception {
        final Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(System.getProperty("java.io.tmpdir"));
        for (Connector connector : connectors) {
            tomcat.setConnector(connector);
        }
        final CXFNonSpringServlet servlet = new CXFNonSpringServlet();
        servlet.setBus(BusFactory.getDefaultBus());
        final StandardContext context = (StandardContext) tomcat.addContext("", null);
        Tomcat.addServlet(context, "cxf", servlet).setLoadOnStartup(1);
        context.addServletMappingDecoded("/*", "cxf");
        tomcat.start();
    }

    private static Connector connector(Keys keys, int port) {
        final Connector connector = new Connector();
        final SSLHostConfig tls = new SSLHostConfig();
        final SSLHostConfigCertificate own = new SSLHostConfigCertificate(tls, SSLHostConfigCertificate.Type.UNDEFINED);
        own.setCertificateKeystore(keys.tls());
        own.setCertificateKeystorePassword(Keys.PASSWORD);
        own.setCertificateKeyPassword(Keys.PASSWORD);
        tls.addCertificate(own);
        tls.setTrustStore(keys.trusted());
        tls.setCertificateVerification("required");
        connector.setPort(port);
        connector.setProperty("address", "127.0.0.1");
        connector.setSecure(true);
        connector.setScheme("https");
        connector.setProperty("SSLEnabled", "true");
        connector.addSslHostConfig(tls);
        return connector;
    }

    // ---- ITI-38, ITI-18 ----

    private QueryResponse query(QueryRegistry question) throws Exception {
        queries.add(question);
        final FindDocumentsQuery find = (FindDocumentsQuery) question.getQuery();
        return answer(find.getPatientId().getId(), find, home, REPOSITORY);
    }

    /** As a registry, which knows nothing of communities; what a type code says is what is answered. */
    private QueryResponse search(QueryRegistry question) throws Exception {
        queries.add(question);
        if (question.getQuery() instanceof GetDocumentsQuery get) {
            final FindDocumentsQuery anybody = new FindDocumentsQuery();
            anybody.setPatientId(known);
            return found(Status.SUCCESS, entry(anybody, get.getUniqueIds().get(0), null, SOURCE_REPOSITORY));
        }
        final FindDocumentsQuery find = (FindDocumentsQuery) question.getQuery();
        known = find.getPatientId();
        final boolean isPlain = find.getTypeCodes() == null || find.getTypeCodes().isEmpty();
        return answer(isPlain ? "whole" : find.getTypeCodes().get(0).getCode(), find, null, SOURCE_REPOSITORY);
    }

    private QueryResponse answer(String what, FindDocumentsQuery find, String at, String repository) throws Exception {
        switch (what) {
            case "whole":
                return found(Status.SUCCESS, entry(find, LETTER, at, repository), entry(find, SCAN, at, repository));
            case "part":
                final QueryResponse some = found(Status.PARTIAL_SUCCESS, entry(find, SCAN, at, repository));
                some.getErrors().add(error(ErrorCode.REGISTRY_BUSY, "one of two registries is busy", at));
                return some;
            case "none":
                return found(Status.SUCCESS);
            default:
                final QueryResponse none = found(Status.FAILURE);
                final boolean isBusy = what.equals("busy");
                none.getErrors().add(error(isBusy ? ErrorCode.REGISTRY_BUSY : ErrorCode.UNKNOWN_PATIENT_ID, "no answer for " + what, at));
                return none;
        }
    }

    private static QueryResponse found(Status status, DocumentEntry... entries) {
        final QueryResponse answer = new QueryResponse(status);
        answer.getDocumentEntries().addAll(List.of(entries));
        return answer;
    }

    private static DocumentEntry entry(FindDocumentsQuery find, String uniqueId, String at, String repository) throws Exception {
        return entry(find, uniqueId, at, repository, content(uniqueId));
    }

    static DocumentEntry entry(FindDocumentsQuery find, String uniqueId, String at, String repository, byte[] bytes) throws Exception {
        final DocumentEntry entry = new DocumentEntry();
        entry.setEntryUuid("urn:uuid:6f1a3f9e-0000-4000-8000-00000000000" + uniqueId.charAt(uniqueId.length() - 1));
        entry.setLogicalUuid(entry.getEntryUuid());
        entry.setUniqueId(uniqueId);
        entry.setHomeCommunityId(at);
        entry.setRepositoryUniqueId(repository);
        entry.setType(DocumentEntryType.STABLE);
        entry.setAvailabilityStatus(AvailabilityStatus.APPROVED);
        entry.setPatientId(find.getPatientId());
        entry.setSourcePatientId(find.getPatientId());
        entry.setMimeType("text/plain");
        entry.setLanguageCode("en-US");
        entry.setCreationTime("20260301120000");
        entry.setHash(Asking.sha1(bytes));
        entry.setSize((long) bytes.length);
        entry.setTitle(new LocalizedString("Letter & scan <" + uniqueId + ">", "en-US", "UTF-8"));
        entry.setClassCode(code("34133-9", "Summary of episode note"));
        entry.setTypeCode(code("34133-9", "Summary of episode note"));
        entry.setFormatCode(code("urn:ihe:iti:xds:2017:mimeTypeSufficient", "by its type"));
        entry.setHealthcareFacilityTypeCode(code("35971002", "Ambulatory care site"));
        entry.setPracticeSettingCode(code("394802001", "General medicine"));
        entry.getConfidentialityCodes().add(code("N", "normal"));
        return entry;
    }

    private static Code code(String code, String shown) {
        return new Code(code, new LocalizedString(shown, "en-US", "UTF-8"), "2.999.4.9");
    }

    // ---- ITI-39, ITI-43 ----

    private RetrievedDocumentSet retrieve(RetrieveDocumentSet question) {
        retrievals.add(question);
        final List<RetrievedDocument> documents = new ArrayList<>();
        final List<ErrorInfo> errors = new ArrayList<>();
        for (DocumentReference asked : question.getDocuments()) {
            if (asked.getDocumentUniqueId().equals(LOST)) {
                errors.add(error(ErrorCode.DOCUMENT_UNIQUE_ID_ERROR, LOST + " is lost", home));
            } else {
                final ByteArrayDataSource source =
                    new ByteArrayDataSource(content(asked.getDocumentUniqueId()), "application/octet-stream");
                documents.add(new RetrievedDocument(new DataHandler(source), asked, null, null, "text/plain"));
            }
        }
        final RetrievedDocumentSet answer = new RetrievedDocumentSet();
        answer.setStatus(errors.isEmpty() ? Status.SUCCESS : documents.isEmpty() ? Status.FAILURE : Status.PARTIAL_SUCCESS);
        answer.getDocuments().addAll(documents);
        answer.setErrors(errors);
        return answer;
    }

    // ---- ITI-80 ----

    private Response take(ProvideAndRegisterDocumentSet submission) {
        submissions.add(submission);
        if (!submission.getSubmissionSet().getPatientId().getId().equals("busy")) {
            return new Response(Status.SUCCESS);
        }
        final Response refused = new Response(Status.FAILURE);
        refused.setErrors(List.of(error(ErrorCode.REPOSITORY_BUSY, "try again later", null)));
        return refused;
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

    private static ErrorInfo error(ErrorCode code, String context, String location) {
        return new ErrorInfo(code, context, Severity.ERROR, location, null);
    }
}
