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
import org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators;

/** IPF's endpoints: asks one, or answers as one behind Tomcat. IPF's own validators judge every message from a node, and those to it. */
final class Stack {
    static final String ALIAS = "own";
    static final String PASSWORD = "changeit";
    final DefaultCamelContext camel = new DefaultCamelContext();
    private final Tomcat tomcat = new Tomcat();
    private int bound;

    interface Answer<Q> {
        Object to(Q question) throws Exception;
    }

    Stack() {
        camel.start();
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

    private static Processor validator(String endpoint, String what) throws Exception {
        final String transaction = endpoint.replaceFirst(":.*", "").replaceFirst(".*-", "");
        return (Processor) XdsCamelValidators.class.getMethod(transaction + what + "Validator").invoke(null);
    }

    /** What the answer means; a fault is thrown. */
    <T> T ask(String endpoint, Object question, Class<T> kind) throws Exception {
        final Exchange exchange = camel.createProducerTemplate().request(endpoint, asked -> asked.getIn().setBody(question));
        if (exchange.getException() != null) {
            throw exchange.getException();
        }
        exchange.setIn(exchange.getMessage());
        validator(endpoint, "Response").process(exchange);
        return exchange.getIn().getMandatoryBody(kind);
    }

    <Q> void answer(String endpoint, Class<Q> kind, Answer<Q> answer) throws Exception {
        final Processor request = validator(endpoint, "Request");
        final Processor response = validator(endpoint, "Response");
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from(endpoint).process(request)
                    .process(exchange -> exchange.getMessage().setBody(answer.to(exchange.getIn().getMandatoryBody(kind))))
                    .process(response);
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
