import java.io.InputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;

/** Messages and parts of messages from the files beside the classes, and a look into messages. */
final class Xml {
    private Xml() {
    }

    /** The file, with each {name} replaced by the value that follows it here. */
    static String fill(String file, Object... values) throws Exception {
        try (InputStream in = Xml.class.getResourceAsStream("/" + file)) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (int i = 0; i < values.length; i += 2) {
                text = text.replace("{" + values[i] + "}", String.valueOf(values[i + 1]));
            }
            return text;
        }
    }

    static Document parse(String xml) throws Exception {
        final DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
    }

    /** By a path of local names, "//custodian//id/@root"; "count(...)" works, too. */
    static String at(String xml, String path) throws Exception {
        return XPathFactory.newInstance().newXPath().evaluate(local(path), parse(xml));
    }

    /** The element there, as text. */
    static String part(String xml, String path) throws Exception {
        final StringWriter out = new StringWriter();
        final var transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty("omit-xml-declaration", "yes");
        transformer.transform(new DOMSource((Node) XPathFactory.newInstance().newXPath().evaluate(local(path), parse(xml), XPathConstants.NODE)), new StreamResult(out));
        return out.toString();
    }

    private static String local(String path) {
        return path.replaceAll("/(\\w+)", "/*[local-name()='$1']");
    }
}
