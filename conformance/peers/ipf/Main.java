import jakarta.xml.bind.JAXB;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.wss4j.common.crypto.Crypto;
import org.apache.wss4j.common.saml.OpenSAMLUtil;
import org.apache.wss4j.dom.engine.WSSConfig;
import org.openehealth.ipf.commons.ihe.xds.core.ebxml.ebxml30.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.*;
import org.openehealth.ipf.commons.ihe.xds.core.responses.*;
import org.openehealth.ipf.commons.ihe.xds.core.stub.ebrs30.query.*;
import org.openehealth.ipf.commons.ihe.xds.core.stub.ebrs30.rs.RegistryResponseType;

/**
 * java Main --name value ...: answers (Answering), and asks what its input says, until that ends. A line is "seen", or
 * "ask MODE COMPONENT URL SECURITY QUESTION ANSWER" with tabs between, the last two names of files; what ../ipf_client.py makes of it is the test.
 */
public final class Main {
    /** A question's XML, what it and its answer are to IPF, and the answer's XML. */
    private record Kind(Class<?> question, Class<?> asked, Class<?> answered, Class<?> answer) {
    }

    private static final Kind QUERY = new Kind(AdhocQueryRequest.class, QueryRegistry.class, QueryResponse.class, AdhocQueryResponse.class);
    private static final Kind RETRIEVE = new Kind(RetrieveDocumentSetRequestType.class, RetrieveDocumentSet.class, RetrievedDocumentSet.class, RetrieveDocumentSetResponseType.class);
    private static final Kind PROVIDE = new Kind(ProvideAndRegisterDocumentSetRequestType.class, ProvideAndRegisterDocumentSet.class, Response.class, RegistryResponseType.class);
    private static final Map<String, Kind> KINDS = Map.of("xds-iti18", QUERY, "xca-iti38", QUERY, "xds-iti43", RETRIEVE, "xca-iti39", RETRIEVE, "xds-iti41", PROVIDE, "xcdr-iti80", PROVIDE);

    private final Map<String, String> given = new HashMap<>();
    private final Stack stack;
    private final Answering behind;
    private final Crypto crypto;

    private Main(String[] arguments) throws Exception {
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            given.put(arguments[i].substring(2), arguments[i + 1]);
        }
        WSSConfig.init();
        OpenSAMLUtil.initSamlEngine();
        crypto = Assertion.crypto(given.get("pki"));
        stack = new Stack("https://127.0.0.1:" + given.get("gateway-port"));
        behind = new Answering(stack, given);
    }

    /** <security>: the audience and lifetime of the assertion, or neither; TLS as the gateway, whose keys are the Java machine's own. */
    private String ask(String mode, String component, String url, String security, String question, String answer) throws Exception {
        String endpoint = component + url.replaceFirst("https?", "") + "?audit=false&correlator=#correlator" + (url.startsWith("https") ? "&secure=true" : "");
        if (!security.equals("none")) {
            final String[] order = security.split(" ");
            endpoint += "&outInterceptors=" + stack.bind(Assertion.signing(crypto, given.get("gateway-community"), order[0], Integer.parseInt(order[1]), behind.seen));
        }
        final Kind kind = KINDS.get(component);
        if (kind == null) { // HL7 V3 is text to IPF
            Files.writeString(Path.of(answer), stack.ask(Stack.Mode.valueOf(mode), endpoint, Files.readString(Path.of(question)), String.class));
        } else {
            final Object asked = stack.camel.getTypeConverter().mandatoryConvertTo(kind.asked, JAXB.unmarshal(new File(question), kind.question));
            final Object answered = stack.ask(Stack.Mode.valueOf(mode), endpoint, asked, kind.answered);
            JAXB.marshal(stack.camel.getTypeConverter().mandatoryConvertTo(kind.answer, answered), new File(answer));
        }
        return "answered";
    }

    private String seen() {
        final StringBuilder text = new StringBuilder("seen");
        for (String one = behind.seen.poll(); one != null; one = behind.seen.poll()) {
            text.append('\n').append(one);
        }
        return text.toString();
    }

    public static void main(String[] arguments) throws Exception {
        final Main main = new Main(arguments);
        final BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("ready\n");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            final String[] words = line.split("\t");
            String said;
            try {
                said = words[0].equals("seen") ? main.seen() : main.ask(words[1], words[2], words[3], words[4], words[5], words[6]);
            } catch (Exception refused) {
                said = "refused";
                for (Throwable cause = refused; cause != null; cause = cause.getCause()) {
                    said += "\n" + cause.getClass().getSimpleName() + ": " + String.valueOf(cause.getMessage()).replaceAll("\\s+", " ");
                }
            }
            System.out.println(said + "\n"); // an empty line ends it
        }
        main.stack.camel.stop();
        System.exit(0);
    }
}
