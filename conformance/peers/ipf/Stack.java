import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.cxf.BusFactory;
import org.apache.cxf.transport.servlet.CXFNonSpringServlet;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;
import org.openehealth.ipf.commons.ihe.hl7v3.iti55.Iti55Utils;
import org.openehealth.ipf.commons.ihe.ws.correlation.SpringCacheAsynchronyCorrelator;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocument;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocumentSet;
import org.openehealth.ipf.platform.camel.ihe.hl7v3.PixPdqV3CamelValidators;
import org.openehealth.ipf.platform.camel.ihe.ws.AbstractWsEndpoint;
import org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;

/** IPF's endpoints: asks one, or answers as one behind Tomcat. IPF's own validators judge every message from a node, and those to it. */
final class Stack {
    /** How an answer comes: on the same connection, or to an address of its own (wsa:ReplyTo, or respondTo of deferred ITI-55). */
    enum Mode {
        SYNC, ASYNC, DEFERRED
    }

    interface Answer<Q> {
        Object to(Q question) throws Exception;
    }

    static final String ALIAS = "own";
    static final String PASSWORD = "changeit";
    final DefaultCamelContext camel = new DefaultCamelContext();
    private final Tomcat tomcat = new Tomcat();
    private final String own; // URL of the gateway
    private final Map<String, CompletableFuture<Object>> awaited = new ConcurrentHashMap<>(); // by correlation key
    private int bound;

    Stack(String own) {
        this.own = own;
        camel.start();
        camel.getRegistry().bind("correlator", new SpringCacheAsynchronyCorrelator<>(new ConcurrentMapCacheManager()));
        tomcat.setBaseDir(System.getProperty("java.io.tmpdir"));
        final CXFNonSpringServlet servlet = new CXFNonSpringServlet();
        servlet.setBus(BusFactory.getDefaultBus());
        final StandardContext context = (StandardContext) tomcat.addContext("", null);
        Tomcat.addServlet(context, "cxf", servlet).setLoadOnStartup(1);
        context.addServletMappingDecoded("/*", "cxf");
    }

    /** How an endpoint's option names this object. */
    String bind(Object what) {
        camel.getRegistry().bind("bound" + ++bound, what);
        return "#bound" + bound;
    }

    /** The address for answers that come later, by IPF's component that takes them. */
    String later(String component) {
        return own + "/later/" + component;
    }

    private static Processor validator(String endpoint, String what) throws Exception {
        final Class<?> validators = endpoint.startsWith("x") && !endpoint.startsWith("xcpd") ? XdsCamelValidators.class : PixPdqV3CamelValidators.class;
        return (Processor) validators.getMethod(endpoint.replaceFirst("^\\w+-(iti\\d+).*", "$1") + what + "Validator").invoke(null);
    }

    /** What the answer means; a fault is thrown. */
    <T> T ask(Mode mode, String endpoint, Object question, Class<T> kind) throws Exception {
        final String key = UUID.randomUUID().toString();
        final CompletableFuture<Object> later = new CompletableFuture<>();
        awaited.put(key, later);
        final Exchange exchange = camel.createProducerTemplate().request(endpoint, asked -> {
            asked.getIn().setBody(question);
            asked.getIn().setHeader(AbstractWsEndpoint.CORRELATION_KEY_HEADER_NAME, key);
            if (mode == Mode.ASYNC) {
                asked.getIn().setHeader(AbstractWsEndpoint.WSA_REPLYTO_HEADER_NAME, later(endpoint.replaceFirst(":.*", "-async-response")));
            }
        });
        if (exchange.getException() != null) {
            throw exchange.getException();
        }
        if (mode == Mode.SYNC) {
            exchange.setIn(exchange.getMessage());
            validator(endpoint, "Response").process(exchange);
            return exchange.getIn().getMandatoryBody(kind);
        }
        if (mode == Mode.DEFERRED && !Iti55Utils.isMcciAck(exchange.getMessage().getBody(String.class))) {
            throw new IllegalStateException("not acknowledged: " + Xml.at(exchange.getMessage().getBody(String.class), "//acknowledgement/typeCode/@code"));
        }
        return kind.cast(later.get(30, TimeUnit.SECONDS));
    }

    <Q> void answer(String endpoint, Class<Q> kind, Answer<Q> answer) throws Exception {
        final Processor request = validator(endpoint, "Request");
        final Processor response = validator(endpoint, "Response");
        route(endpoint, exchange -> {
            request.process(exchange);
            exchange.getMessage().setBody(answer.to(exchange.getIn().getMandatoryBody(kind)));
            response.process(exchange);
        });
    }

    /** Takes answers that come later, and gives them to those who asked. */
    void take(String component, String options, Class<?> kind) throws Exception {
        final Processor response = validator(component, "Response");
        route(component + ":later/" + component + options + "&correlator=#correlator", exchange -> {
            final var asker = awaited.remove(exchange.getIn().getHeader(AbstractWsEndpoint.CORRELATION_KEY_HEADER_NAME, String.class));
            try {
                response.process(exchange);
                final Object answer = exchange.getIn().getMandatoryBody(kind);
                if (answer instanceof RetrievedDocumentSet retrieved) {
                    for (RetrievedDocument document : retrieved.getDocuments()) { // they end with the exchange
                        document.setDataHandler(Answering.data(Answering.bytes(document.getDataHandler())));
                    }
                }
                asker.complete(answer);
            } catch (Exception wrong) {
                asker.completeExceptionally(wrong);
            }
        });
    }

    private void route(String endpoint, Processor processor) throws Exception {
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from(endpoint).process(processor);
            }
        });
    }

    /** A gateway and a registry are different parties to a node: each has a port and a certificate of its own; mutual TLS. */
    void listen(String pki, String port) throws Exception {
        final Connector connector = new Connector();
        final SSLHostConfig tls = new SSLHostConfig();
        final SSLHostConfigCertificate own = new SSLHostConfigCertificate(tls, SSLHostConfigCertificate.Type.UNDEFINED);
        own.setCertificateKeystoreFile(pki + "/node.p12");
        own.setCertificateKeystorePassword(PASSWORD);
        tls.addCertificate(own);
        tls.setTruststoreFile(pki + "/ca.p12");
        tls.setTruststorePassword(PASSWORD);
        tls.setCertificateVerification("required");
        connector.setPort(Integer.parseInt(port));
        connector.setProperty("address", "127.0.0.1");
        connector.setSecure(true);
        connector.setScheme("https");
        connector.setProperty("SSLEnabled", "true");
        connector.addSslHostConfig(tls);
        tomcat.setConnector(connector);
        tomcat.start();
    }
}
