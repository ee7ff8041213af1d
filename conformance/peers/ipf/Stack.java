import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.apache.cxf.interceptor.Interceptor;

/** Camel with IPF's endpoints: asks one, and gives back what its answer means. */
final class Stack {
    final CamelContext camel = new DefaultCamelContext();
    private final AtomicInteger names = new AtomicInteger();

    String bind(Object what) {
        final String name = "bound" + names.incrementAndGet();
        camel.getRegistry().bind(name, what);
        return "#" + name;
    }

    String bindTls(Keys keys) {
        return bind(new SSLContextParameters() {
            @Override
            public SSLContext createSSLContext(CamelContext context) {
                try {
                    return keys.context();
                } catch (Exception error) {
                    throw new IllegalStateException(error);
                }
            }
        });
    }

    /** Options of an endpoint with mutual TLS, whose messages are signed by <signing> (none: unsigned). */
    String secured(String tls, Interceptor<?> signing) {
        final String signed = signing == null ? "" : "&outInterceptors=" + bind(signing);
        return "?audit=false&secure=true&sslContextParameters=" + tls + signed;
    }

    /** Asks, lets IPF's own validator judge the answer, and converts it; a fault is thrown. */
    <T> T ask(String endpoint, Object question, Processor validator, Class<T> kind) throws Exception {
        final Exchange exchange = camel.createProducerTemplate().request(endpoint, asked -> asked.getIn().setBody(question));
        if (exchange.getException() != null) {
            throw exchange.getException();
        }
        exchange.setIn(exchange.getMessage());
        validator.process(exchange);
        return exchange.getIn().getMandatoryBody(kind);
    }
}
