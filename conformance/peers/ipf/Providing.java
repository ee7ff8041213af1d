import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti41ResponseValidator;
import static org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators.iti80ResponseValidator;

import jakarta.activation.DataHandler;
import jakarta.mail.util.ByteArrayDataSource;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.camel.Processor;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Association;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssociationLabel;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssociationType;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AvailabilityStatus;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Document;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.SubmissionSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.DocumentReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.ProvideAndRegisterDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorCode;
import org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorInfo;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Response;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Severity;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Status;

/** IPF provides documents: a local system with ITI-41, into a node's store and through it to IPF's gateway, and a partner with ITI-80. */
final class Providing {
    private static final String NEW = "2.999.4.8.1";
    private final Stack stack;
    private final Answering behind;
    private final Local local;
    private final Map<String, String> given;

    Providing(Stack stack, Answering behind, Local local, Map<String, String> given) {
        this.stack = stack;
        this.behind = behind;
        this.local = local;
        this.given = given;
    }

    void run(Check check) {
        // REQ: ITI41-provide
        check.run("ITI-41 into the store: Success, and ITI-43 gives the bytes", this::stores);
        // REQ: ITI41-all-or-nothing, ITI41-duplicate-id
        check.run("ITI-41 with a known uniqueId and other bytes: Failure, and nothing has changed", this::storesNothing);
        // REQ: ITI41-unknown-patient
        check.run("ITI-41 of a patient whom nobody knows: Failure, XDSUnknownPatientId", this::knowsThePatient);
        // REQ: ITI80-send
        check.run("ITI-41 for a partner: ITI-80 arrives there whole", this::passesOn);
        check.run("ITI-41 for a partner that refuses: Failure with its error", this::isRefused);
        check.run("ITI-41 for a community that nobody is: Failure, XDSUnknownCommunity", this::hasNoTarget);
        // REQ: ITI80-provide
        check.run("ITI-80 from a partner: Success", this::takes);
        // REQ: ITI80-home
        check.run("ITI-80 for another community: Failure, XDSUnknownCommunity", this::takesItsOwnOnly);
    }

    private void stores() throws Exception {
        succeeds(provide(submission(NEW, local("patient"), "first", null)));
        isStored("first");
    }

    private void storesNothing() throws Exception {
        fails(provide(submission(NEW, local("patient"), "other", null)), ErrorCode.NON_IDENTICAL_HASH);
        isStored("first");
    }

    private void knowsThePatient() throws Exception {
        fails(provide(submission("2.999.4.8.2", "nobody^^^&2.999.5.1&ISO", "x", null)), ErrorCode.UNKNOWN_PATIENT_ID);
    }

    private void passesOn() throws Exception {
        behind.submissions.clear();
        succeeds(provide(submission("2.999.4.8.3", blue("whole"), "to blue", gateway())));
        Check.equal(1, behind.submissions.size(), "submissions that arrived");
        final ProvideAndRegisterDocumentSet came = behind.submissions.remove();
        Check.equal(gateway(), came.getTargetHomeCommunityId(), "target community");
        Check.equal(1, came.getDocuments().size(), "documents");
        final Document document = came.getDocuments().get(0);
        Check.equal("2.999.4.8.3", document.getDocumentEntry().getUniqueId(), "uniqueId");
        Check.equal(blue("whole"), Asking.cx(document.getDocumentEntry().getPatientId()), "patientId");
        Check.that(Arrays.equals("to blue".getBytes(), Asking.bytes(document.getContent(DataHandler.class))), "the bytes differ");
    }

    private void isRefused() throws Exception {
        fails(provide(submission("2.999.4.8.4", blue("busy"), "to blue", gateway())), ErrorCode.REPOSITORY_BUSY);
    }

    private void hasNoTarget() throws Exception {
        fails(provide(submission("2.999.4.8.5", local("patient"), "to nobody", "urn:oid:" + Asking.NOBODYS)),
            ErrorCode.UNKNOWN_COMMUNITY);
    }

    private void takes() throws Exception {
        succeeds(send(submission("2.999.4.8.6", given.get("patient"), "from red", "urn:oid:" + given.get("community"))));
    }

    private void takesItsOwnOnly() throws Exception {
        fails(send(submission("2.999.4.8.7", given.get("patient"), "from red", "urn:oid:" + Asking.NOBODYS)),
            ErrorCode.UNKNOWN_COMMUNITY);
    }

    private void isStored(String text) throws Exception {
        final RetrievedDocumentSet answer = local.retrieve(
            new DocumentReference(local("community") + ".2", NEW, "urn:oid:" + local("community")));
        Check.equal(Status.SUCCESS, answer.getStatus(), "status of ITI-43");
        Check.equal(text, new String(Asking.bytes(answer.getDocuments().get(0).getDataHandler())), "what is stored");
    }

    private static void succeeds(Response answer) {
        Check.equal(Status.SUCCESS, answer.getStatus(), "status (" + answer.getErrors() + ")");
    }

    private static void fails(Response answer, ErrorCode code) {
        Check.equal(Status.FAILURE, answer.getStatus(), "status");
        final List<ErrorCode> codes = answer.getErrors().stream().filter(error -> error.getSeverity() == Severity.ERROR)
            .map(ErrorInfo::getErrorCode).toList();
        Check.equal(List.of(code), codes, "codes of errors that are no warnings (" + answer.getErrors() + ")");
    }

    // ---- submissions ----

    private Response provide(ProvideAndRegisterDocumentSet submission) throws Exception {
        return send("xds-iti41://" + given.get("local") + "/provide?audit=false", submission, iti41ResponseValidator());
    }

    private Response send(ProvideAndRegisterDocumentSet submission) throws Exception {
        final Keys keys = new Keys(Path.of(given.get("pki")));
        final String url = given.get("url") + "/xcdr";
        return send("xcdr-iti80://" + url.substring(8)
            + stack.secured(stack.bindTls(keys), Assertion.signing(keys, given.get("ask-as"), url, 300)), submission, iti80ResponseValidator());
    }

    private Response send(String endpoint, ProvideAndRegisterDocumentSet submission, Processor validator) throws Exception {
        return stack.ask(endpoint, submission, validator, Response.class);
    }

    /** One document of a patient (CX) with this text, in one SubmissionSet. */
    private static ProvideAndRegisterDocumentSet submission(String uniqueId, String patient, String text, String target) throws Exception {
        final byte[] bytes = text.getBytes();
        final DocumentEntry entry = Answering.entry(Asking.findDocuments(patient, null), uniqueId, null, null, bytes);
        entry.setEntryUuid("document01");
        entry.setLogicalUuid(null);
        final SubmissionSet set = new SubmissionSet();
        set.setEntryUuid("set01");
        set.setUniqueId(uniqueId + "." + (text.hashCode() & 0xffff));
        set.setSourceId("2.999.4.3");
        set.setPatientId(entry.getPatientId());
        set.setSubmissionTime("20260301120000");
        set.setContentTypeCode(entry.getTypeCode());
        set.setAvailabilityStatus(AvailabilityStatus.APPROVED);
        final Association member = new Association(AssociationType.HAS_MEMBER, "member01", "set01", "document01");
        member.setLabel(AssociationLabel.ORIGINAL);
        final ProvideAndRegisterDocumentSet submission = new ProvideAndRegisterDocumentSet();
        submission.setSubmissionSet(set);
        submission.setTargetHomeCommunityId(target);
        submission.getDocuments().add(new Document(entry, new DataHandler(new ByteArrayDataSource(bytes, "text/plain"))));
        submission.getAssociations().addAll(List.of(member));
        return submission;
    }

    private String gateway() {
        return "urn:oid:" + given.get("gateway-community");
    }

    private String blue(String patient) {
        return patient + "^^^&" + given.get("gateway-community") + ".1&ISO";
    }

    private String local(String what) {
        return given.get("local-" + what);
    }
}
