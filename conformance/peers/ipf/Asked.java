import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.cxf.binding.soap.SoapFault;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AvailabilityStatus;
import org.openehealth.ipf.commons.ihe.xds.core.requests.DocumentReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RetrieveDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryReturnType;

/** The node asks IPF (its program does, as one of its users would): what IPF was asked, and what the node made of the answers. */
final class Asked {
    private final Answering gateway;
    private final Map<String, String> given;
    private final String community;
    private final Path folder;

    Asked(Answering gateway, Map<String, String> given) throws Exception {
        this.gateway = gateway;
        this.given = given;
        community = given.get("gateway-community");
        folder = Files.createTempDirectory(Path.of(given.get("scratch")), "asked");
    }

    void run(Check check) {
        check.run("asked without a Security header: WSS4J refuses", this::refuses);
        // REQ: ITI38-home-sent, ITI40-sent
        check.run("asked for two documents (ITI-38): the node shows both", this::findsTwo);
        check.run("asked for a patient without documents (ITI-38): none, and no failure", this::findsNone);
        // REQ: MERGE-partial-success
        check.run("answers a part (ITI-38 PartialSuccess): the part, and that it is one", this::findsPart);
        // REQ: MERGE-errors-passed
        check.run("answers a Failure (ITI-38): the node says which", this::failsToFind);
        // REQ: MERGE-unknown-patient-dropped
        check.run("does not know the patient (ITI-38): no documents, and no failure", this::isUnknown);
        // REQ: ITI39-retrieve, ITI39-request-order, MTOM-bytes
        check.run("asked for two documents (ITI-39): their bytes", this::retrievesTwo);
        // REQ: ITI39-partial-success
        check.run("answers one of two (ITI-39 PartialSuccess): its bytes, and what is missing", this::retrievesOne);
        check.run("answers no document (ITI-39 Failure): the node says so", this::retrievesNone);
    }

    /** What the other cases prove of our signatures, they prove only if this one fails without any. */
    private void refuses() throws Exception {
        try {
            gateway.askUnsigned(patient("whole"));
            throw new AssertionError("it was answered");
        } catch (SoapFault fault) {
            Check.that(gateway.queries.isEmpty(), "the route was reached");
        }
    }

    private void findsTwo() throws Exception {
        final JsonNode shown = query("whole", 0);
        Check.equal(2, shown.get("documents").size(), "documents");
        for (JsonNode document : shown.get("documents")) {
            final String uniqueId = document.get("unique_id").asText();
            Check.that(uniqueId.equals(Answering.LETTER) || uniqueId.equals(Answering.SCAN), "uniqueId: " + uniqueId);
            Check.equal(community, document.get("community").asText(), "community");
            Check.equal(Answering.REPOSITORY, document.get("repository").asText(), "repository");
            Check.equal((long) Answering.content(uniqueId).length, document.get("size").asLong(), "size");
            Check.that(document.get("title").asText().contains("<" + uniqueId + ">"), "title: " + document.get("title"));
        }
        final QueryRegistry asked = gateway.queries.remove();
        final FindDocumentsQuery find = (FindDocumentsQuery) asked.getQuery();
        Check.equal(QueryReturnType.LEAF_CLASS, asked.getReturnType(), "returnType");
        Check.equal("urn:oid:" + community, find.getHomeCommunityId(), "home");
        Check.equal(patient("whole"), Asking.cx(find.getPatientId()), "patientId");
        Check.that(find.getStatus().contains(AvailabilityStatus.APPROVED), "status: " + find.getStatus());
    }

    private void findsNone() throws Exception {
        Check.equal(0, query("none", 0).get("documents").size(), "documents");
    }

    private void findsPart() throws Exception {
        final JsonNode shown = query("part", 3);
        Check.equal(1, shown.get("documents").size(), "documents");
        Check.equal(Answering.SCAN, shown.get("documents").get(0).get("unique_id").asText(), "uniqueId");
        Check.that(shown.toString().contains("XDSRegistryBusy"), "the error is not shown: " + shown);
    }

    private void failsToFind() throws Exception {
        final JsonNode shown = query("busy", 1);
        Check.equal(0, shown.get("documents").size(), "documents");
        Check.that(shown.toString().contains("XDSRegistryBusy"), "the error is not shown: " + shown);
    }

    private void isUnknown() throws Exception {
        Check.equal(0, query("stranger", 0).get("documents").size(), "documents");
    }

    private void retrievesTwo() throws Exception {
        final List<byte[]> files = retrieve(0, Answering.LETTER, Answering.SCAN);
        Check.equal(2, files.size(), "files");
        for (byte[] file : files) {
            final String uniqueId = file.length < 1000 ? Answering.LETTER : Answering.SCAN;
            Check.that(Arrays.equals(Answering.content(uniqueId), file), "the bytes of " + uniqueId + " differ");
        }
    }

    private void retrievesOne() throws Exception {
        final List<byte[]> files = retrieve(3, Answering.LOST, Answering.LETTER);
        Check.equal(1, files.size(), "files");
        Check.that(Arrays.equals(Answering.content(Answering.LETTER), files.get(0)), "the bytes differ");
    }

    private void retrievesNone() throws Exception {
        Check.equal(0, retrieve(1, Answering.LOST).size(), "files");
    }

    // ---- the node's program ----

    private JsonNode query(String patient, int code) throws Exception {
        gateway.queries.clear();
        final JsonNode shown = node(code, "query", "--to", community, "--patient", patient(patient));
        Check.equal(1, gateway.queries.size(), "how often IPF was asked");
        return shown;
    }

    /** The files that it wrote; IPF was asked for these documents in this order. */
    private List<byte[]> retrieve(int code, String... uniqueIds) throws Exception {
        gateway.retrievals.clear();
        final Path to = Files.createTempDirectory(folder, "documents");
        final List<String> words = new ArrayList<>(List.of("retrieve", "-o", to.toString()));
        final List<DocumentReference> wanted = new ArrayList<>();
        for (String uniqueId : uniqueIds) {
            words.addAll(List.of("--document", community + "/" + Answering.REPOSITORY + "/" + uniqueId));
            wanted.add(new DocumentReference(Answering.REPOSITORY, uniqueId, "urn:oid:" + community));
        }
        node(code, words.toArray(new String[0]));
        final List<DocumentReference> asked = new ArrayList<>();
        for (RetrieveDocumentSet request : gateway.retrievals) {
            asked.addAll(request.getDocuments());
        }
        Check.equal(wanted, asked, "what IPF was asked for");
        final List<byte[]> files = new ArrayList<>();
        try (var all = Files.walk(to)) {
            for (Path file : all.filter(Files::isRegularFile).filter(file -> !isIndex(file)).toList()) {
                files.add(Files.readAllBytes(file));
            }
        }
        return files;
    }

    private static boolean isIndex(Path file) {
        return file.getFileName().toString().startsWith("index.");
    }

    private JsonNode node(int code, String... words) throws Exception {
        final List<String> command = new ArrayList<>(List.of(given.get("isthmus"), words[0], "-c", given.get("config"), "--json"));
        command.addAll(List.of(words).subList(1, words.length));
        final Path out = Files.createTempFile(folder, "out", "");
        final Path err = Files.createTempFile(folder, "err", "");
        final Process node = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        if (!node.waitFor(40, TimeUnit.SECONDS)) {
            node.destroyForcibly();
            throw new AssertionError(words[0] + " does not end");
        }
        Check.equal(code, node.exitValue(), "exit code (" + Files.readString(err) + Files.readString(out) + ")");
        return new ObjectMapper().readTree(out.toFile());
    }

    private String patient(String id) {
        return id + "^^^&" + community + ".1&ISO";
    }
}
