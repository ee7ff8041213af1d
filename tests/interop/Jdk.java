/*
 * The XML signature code of the JDK as an independent judge: it shares nothing with libxml2, xmlsec
 * or OpenSSL. Run as one file by tests/unit/test_jdk.c:
 *
 *     java Jdk.java FOLDER CREATED EXPIRES AUDIENCE
 *
 * Reads FOLDER/<key>.crt and <key>.p8 (DER) for the keys rsa, p256, p384 and other, and judges every
 * FOLDER/ours-<key>-*.xml: all its signatures against that key and against the key that KeyInfo
 * brings. The verdicts go to FOLDER/verdicts.txt, one line a message: "<file> <valid> <invalid>".
 * Then it writes messages of its own, FOLDER/jdk-*.xml, which the gateway must accept or refuse.
 */
import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.keyinfo.KeyValue;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.ExcC14NParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

public class Jdk {
    static final String DS = XMLSignature.XMLNS;
    static final String SAML = "urn:oasis:names:tc:SAML:2.0:assertion";
    static final String WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-";
    static final String WSU = WSS + "utility-1.0.xsd";
    static final String WSSE = WSS + "secext-1.0.xsd";
    static final String MORE = "http://www.w3.org/2001/04/xmldsig-more#";
    static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    record Credential(PrivateKey key, X509Certificate certificate) {}

    static final Map<String, Credential> credentials = new HashMap<>();
    static Path folder;
    static String created, expires, audience;

    public static void main(String[] arguments) throws Exception {
        folder = Path.of(arguments[0]);
        created = arguments[1];
        expires = arguments[2];
        audience = arguments[3];
        for (String name : List.of("rsa", "p256", "p384", "other")) {
            credentials.put(name, load(name));
        }
        judgeAll();
        writeAll();
    }

    static Credential load(String name) throws Exception {
        byte[] der = Files.readAllBytes(folder.resolve(name + ".crt"));
        X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(der));
        byte[] key = Files.readAllBytes(folder.resolve(name + ".p8"));
        return new Credential(KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
                .generatePrivate(new PKCS8EncodedKeySpec(key)), certificate);
    }

    static Document parse(InputSource source) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(source);
    }

    static List<Element> elements(Document doc, String namespace, String name) {
        NodeList found = doc.getElementsByTagNameNS(namespace, name);
        List<Element> list = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            list.add((Element) found.item(i));
        }
        return list;
    }

    /* ---- judging ours ---- */

    static void judgeAll() throws Exception {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(p -> p.getFileName().toString().matches("ours-.*\\.xml")).sorted()
                    .collect(Collectors.toList());
        }
        StringBuilder verdicts = new StringBuilder();
        for (Path file : files) {
            String name = file.getFileName().toString();
            PublicKey key = credentials.get(name.split("-")[1]).certificate().getPublicKey();
            int valid = 0;
            int invalid = 0;
            Document doc = parse(new InputSource(Files.newInputStream(file)));
            elements(doc, SAML, "Assertion").forEach(e -> e.setIdAttributeNS(null, "ID", true));
            elements(doc, WSU, "Timestamp").forEach(e -> e.setIdAttributeNS(WSU, "Id", true));
            for (Element signature : elements(doc, DS, "Signature")) {
                if (isValid(signature, key) && bringsNoOtherKey(signature, key)) {
                    valid++;
                } else {
                    invalid++;
                }
            }
            verdicts.append(name).append(' ').append(valid).append(' ').append(invalid).append('\n');
        }
        Files.writeString(folder.resolve("verdicts.txt"), verdicts);
    }

    static boolean isValid(Element signature, Key key) {
        try {
            DOMValidateContext context = new DOMValidateContext(key, signature);
            return FACTORY.unmarshalXMLSignature(context).validate(context);
        } catch (Exception e) {
            System.err.println(e);
            return false;
        }
    }

    /* KeyValue and X509Certificate, as the JDK reads them, are the signer's. */
    static boolean bringsNoOtherKey(Element signature, PublicKey key) throws Exception {
        DOMValidateContext context = new DOMValidateContext(key, signature);
        KeyInfo info = FACTORY.unmarshalXMLSignature(context).getKeyInfo();
        for (Object content : info.getContent()) {
            if (content instanceof KeyValue value && !value.getPublicKey().equals(key)) {
                return false;
            }
            if (content instanceof javax.xml.crypto.dsig.keyinfo.X509Data data
                    && data.getContent().stream().anyMatch(c -> c instanceof X509Certificate x
                            && !x.getPublicKey().equals(key))) {
                return false;
            }
        }
        return true;
    }

    /* ---- messages of our own ---- */

    /* How a message differs from the plain one. */
    record Style(String key, String assertionKey, String method, String digest, String saml,
            String ds, String wsu, boolean isPretty, List<String> prefixes, boolean isDirect,
            boolean isBearer) {}

    static void writeAll() throws Exception {
        String sha256 = DigestMethod.SHA256;
        List<String> none = List.of();
        List<String> some = Arrays.asList("xs", "env", "xsi");
        write("jdk-accept-rsa.xml", new Style("rsa", "rsa", MORE + "rsa-sha256", sha256, "saml2",
                "ds", "wsu", false, none, false, false));
        write("jdk-accept-p256.xml", new Style("p256", "p256", MORE + "ecdsa-sha256", sha256,
                "saml2", "ds", "wsu", false, none, false, false));
        write("jdk-accept-p384.xml", new Style("p384", "p384", MORE + "ecdsa-sha384",
                MORE + "sha384", "saml2", "ds", "wsu", false, none, true, false));
        write("jdk-accept-prefixes.xml", new Style("rsa", "rsa", MORE + "rsa-sha512",
                DigestMethod.SHA512, "", "", "u", false, none, true, false));
        write("jdk-accept-pretty.xml", new Style("rsa", "rsa", MORE + "rsa-sha384", sha256, "a",
                "dsig", "wsu", true, none, false, false));
        write("jdk-accept-inclusive.xml", new Style("rsa", "rsa", MORE + "rsa-sha256", sha256,
                "saml2", "ds", "wsu", true, some, false, false));
        write("jdk-accept-inclusive-p256.xml", new Style("p256", "p256", MORE + "ecdsa-sha256",
                sha256, "saml", "ds", "wsu", false, some, false, false));
        write("jdk-accept-two-keys.xml", new Style("p256", "rsa", MORE + "rsa-sha256", sha256,
                "saml2", "ds", "wsu", false, none, false, false));
        write("jdk-bearer-rsa.xml", new Style("rsa", "rsa", MORE + "rsa-sha256", sha256, "saml2",
                "ds", "wsu", true, none, false, true));
        write("jdk-refuse-other.xml", new Style("other", "other", MORE + "rsa-sha256", sha256,
                "saml2", "ds", "wsu", false, none, false, false));
        write("jdk-refuse-other-assertion.xml", new Style("rsa", "other", MORE + "rsa-sha256",
                sha256, "saml2", "ds", "wsu", false, none, false, false));
    }

    /* The confirmation's key may be of another kind than the assertion's. */
    static String methodFor(Style style, String keyName) {
        if (keyName.equals(style.assertionKey())) {
            return style.method();
        }
        return credentials.get(keyName).key().getAlgorithm().equals("RSA") ? MORE + "rsa-sha256"
                : MORE + "ecdsa-sha256";
    }

    static void write(String file, Style style) throws Exception {
        Document doc = parse(new InputSource(new StringReader(text(style))));
        Element assertion = elements(doc, SAML, "Assertion").get(0);
        Element timestamp = elements(doc, WSU, "Timestamp").get(0);
        Element issuer = elements(doc, SAML, "Issuer").get(0);
        assertion.setIdAttributeNS(null, "ID", true);
        timestamp.setIdAttributeNS(WSU, "Id", true);
        if (!style.isBearer()) {
            Element data = elements(doc, SAML, "SubjectConfirmationData").get(0);
            keyInfo(credentials.get(style.key()), style).marshal(new DOMStructure(data),
                    context(null, data, null, style));
        }
        sign(assertion, issuer.getNextSibling(), "_assertion", true, style.assertionKey(), style,
                keyInfo(credentials.get(style.assertionKey()), style));
        if (!style.isBearer()) {
            KeyInfo info = style.isDirect() ? keyInfo(credentials.get(style.key()), style)
                    : tokenReference(doc);
            sign((Element) assertion.getParentNode(), null, "TS-1", false, style.key(), style, info);
        }
        StringWriter out = new StringWriter();
        Transformer transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        transformer.transform(new DOMSource(doc), new StreamResult(out));
        Files.writeString(folder.resolve(file), out.toString());
    }

    static DOMSignContext context(Key key, Element parent, Node before, Style style) {
        Key any = key == null ? credentials.get("rsa").key() : key;
        DOMSignContext context = before == null ? new DOMSignContext(any, parent)
                : new DOMSignContext(any, parent, before);
        context.setDefaultNamespacePrefix(style.ds());
        return context;
    }

    static void sign(Element parent, Node before, String id, boolean isEnveloped, String keyName,
            Style style, KeyInfo info) throws Exception {
        List<Transform> transforms = new ArrayList<>();
        if (isEnveloped) {
            transforms.add(FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null));
        }
        transforms.add(FACTORY.newTransform(CanonicalizationMethod.EXCLUSIVE,
                (TransformParameterSpec) prefixes(style)));
        Reference reference = FACTORY.newReference("#" + id,
                FACTORY.newDigestMethod(style.digest(), null), transforms, null, null);
        SignedInfo signedInfo = FACTORY.newSignedInfo(
                FACTORY.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE,
                        (C14NMethodParameterSpec) prefixes(style)),
                FACTORY.newSignatureMethod(methodFor(style, keyName), null), List.of(reference));
        FACTORY.newXMLSignature(signedInfo, info)
                .sign(context(credentials.get(keyName).key(), parent, before, style));
    }

    static ExcC14NParameterSpec prefixes(Style style) {
        return style.prefixes().isEmpty() ? null : new ExcC14NParameterSpec(style.prefixes());
    }

    static KeyInfo keyInfo(Credential credential, Style style) throws Exception {
        KeyInfoFactory factory = FACTORY.getKeyInfoFactory();
        return factory.newKeyInfo(List.of(
                factory.newX509Data(List.of(credential.certificate())),
                factory.newKeyValue(credential.certificate().getPublicKey())));
    }

    static KeyInfo tokenReference(Document doc) {
        String profile = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#";
        Element reference = doc.createElementNS(WSSE, "wsse:SecurityTokenReference");
        Element identifier = doc.createElementNS(WSSE, "wsse:KeyIdentifier");
        identifier.setAttributeNS(null, "ValueType", profile + "SAMLID");
        identifier.setTextContent("_assertion");
        reference.appendChild(identifier);
        return FACTORY.getKeyInfoFactory().newKeyInfo(List.of(new DOMStructure(reference)));
    }

    static String attribute(String p, String name, String value) {
        return "<" + p + "Attribute NameFormat='urn:oasis:names:tc:SAML:2.0:attrname-format:uri'"
                + " Name=\"" + name + "\"><" + p + "AttributeValue xsi:type=\"xs:string\">" + value
                + "</" + p + "AttributeValue></" + p + "Attribute>";
    }

    static String text(Style style) {
        String p = style.saml().isEmpty() ? "" : style.saml() + ":";
        String declaration = style.saml().isEmpty() ? "xmlns" : "xmlns:" + style.saml();
        String u = style.wsu() + ":";
        String nl = style.isPretty() ? "\n      " : "";
        String dn = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName";
        String xspa = "urn:oasis:names:tc:xspa:1.0:subject:";
        String method = style.isBearer() ? "bearer" : "holder-of-key";
        String coded = "xmlns:v3=\"urn:hl7-org:v3\" xsi:type=\"v3:CE\"";
        return "<env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\""
                + " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""
                + " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                + " xmlns:unused=\"urn:unused\"><env:Header>" + nl
                + "<wsse:Security xmlns:wsse=\"" + WSSE + "\">" + nl
                + "<" + u + "Timestamp " + u + "Id='TS-1' xmlns:" + style.wsu() + "=\"" + WSU + "\">" + nl
                + "<" + u + "Created>" + created + "</" + u + "Created>" + nl
                + "<" + u + "Expires>" + expires + "</" + u + "Expires>" + nl
                + "</" + u + "Timestamp>" + nl
                + "<" + p + "Assertion Version=\"2.0\" " + declaration + "='" + SAML + "'"
                + " IssueInstant=\"" + created + "\" ID=\"_assertion\">" + nl
                + "<" + p + "Issuer Format=\"" + dn + "\">CN=jdk, O=Test</" + p + "Issuer>"
                + "<" + p + "Subject>" + nl
                + "<" + p + "NameID Format=\"" + dn + "\">CN=user &amp; co, O=Test</" + p + "NameID>"
                + nl + "<" + p + "SubjectConfirmation"
                + " Method=\"urn:oasis:names:tc:SAML:2.0:cm:" + method + "\">"
                + "<" + p + "SubjectConfirmationData/></" + p + "SubjectConfirmation></" + p + "Subject>"
                + nl + "<" + p + "Conditions NotOnOrAfter=\"" + expires + "\" NotBefore=\"" + created
                + "\"><" + p + "AudienceRestriction><" + p + "Audience>" + audience + "</" + p
                + "Audience></" + p + "AudienceRestriction></" + p + "Conditions>" + nl
                + "<" + p + "AuthnStatement AuthnInstant=\"" + created + "\"><" + p + "AuthnContext><"
                + p + "AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509</" + p
                + "AuthnContextClassRef></" + p + "AuthnContext></" + p + "AuthnStatement>" + nl
                + "<" + p + "AttributeStatement>" + nl
                + attribute(p, xspa + "subject-id", "J\u00f6 &lt;D&gt;") + nl
                + attribute(p, xspa + "organization", "JDK") + nl
                + attribute(p, xspa + "organization-id", "urn:oid:2.999.3") + nl
                + attribute(p, "urn:nhin:names:saml:homeCommunityId", "urn:oid:2.999.3") + nl
                + attribute(p, "urn:oasis:names:tc:xacml:2.0:subject:role", "<v3:Role " + coded
                        + " code=\"1\" codeSystem=\"2.999\" displayName=\"R\"/>") + nl
                + attribute(p, xspa + "purposeofuse", "<v3:PurposeOfUse " + coded
                        + " code=\"T-TREAT\" codeSystem=\"2.999.4\"/>") + nl
                + "</" + p + "AttributeStatement>" + nl + "</" + p + "Assertion>" + nl
                + "</wsse:Security>" + nl + "</env:Header><env:Body><x xmlns=\"urn:x\"/></env:Body>"
                + "</env:Envelope>";
    }
}
