/*
 * The XML signature code of the JDK as an independent judge: it shares nothing with libxml2, xmlsec
 * or OpenSSL. Run as one file by tests/unit/test_jdk.c:
 *
 *     java Jdk.java FOLDER CREATED EXPIRES AUDIENCE
 *
 * Reads FOLDER/<key>.crt and <key>.p8 (DER) for the keys rsa, p256, p384 and other, and judges every
 * FOLDER/ours-<key>-*.xml: all its signatures against that key and against the key that KeyInfo
 * brings. The verdicts go to FOLDER/verdicts.txt, one line a message: "<file> <valid> <invalid>".
 * Then it writes messages of its own, FOLDER/jdk-<variant>.xml, which the gateway must accept or
 * refuse, and the names of the variants to FOLDER/variants.txt.
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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.XMLConstants;
import javax.xml.crypto.XMLStructure;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignatureMethod;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.keyinfo.KeyValue;
import javax.xml.crypto.dsig.keyinfo.X509Data;
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
    static final String DSIG11 = "http://www.w3.org/2009/xmldsig11#";
    static final String SAML = "urn:oasis:names:tc:SAML:2.0:assertion";
    static final String WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-";
    static final String WSU = WSS + "utility-1.0.xsd";
    static final String WSSE = WSS + "secext-1.0.xsd";
    static final String WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd";
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
            if (content instanceof X509Data data
                    && data.getContent().stream().anyMatch(c -> c instanceof X509Certificate x
                            && !x.getPublicKey().equals(key))) {
                return false;
            }
        }
        return true;
    }

    /* ---- messages of our own ---- */

    enum Keys { BOTH, CERTIFICATE, VALUE, NONE }

    /* How the message signature names its key (spec of US networks: SAMLID). */
    enum Hint { SAML_ID, SAML_ID_TYPED, REFERENCE, SAML_ID_AND_KEYS, DIRECT, NONE }

    /* How a message differs from the plain one; each method changes one thing. */
    static final class Style {
        String key = "rsa", assertionKey = "rsa", method = MORE + "rsa-sha256", timestampMethod;
        String digest = DigestMethod.SHA256;
        String c14n = CanonicalizationMethod.EXCLUSIVE;      /* of SignedInfo */
        String transform = CanonicalizationMethod.EXCLUSIVE; /* of what is signed */
        String saml = "saml2", ds = "ds", wsu = "wsu", wsse = "wsse", env = "env";
        String white = "";
        List<String> prefixes = List.of();
        Keys assertionKeys = Keys.BOTH, confirmationKeys = Keys.BOTH;
        Hint hint = Hint.SAML_ID;
        boolean isBearer, isInherited, isTimestampLast, hasManyStatements, isReordered, isRespelled;
        boolean isOldPurpose, hasBothCommunities, isFull;

        Style key(String name, String algorithm) {
            key = name;
            assertionKey = name;
            method = MORE + algorithm;
            return this;
        }

        Style prefixes(String assertion, String signature, String utility) {
            saml = assertion;
            ds = signature;
            wsu = utility;
            return this;
        }

        Style with(Consumer<Style> change) {
            change.accept(this);
            return this;
        }

        String methodOf(String keyName) {
            if (keyName.equals(assertionKey)) {
                return method;
            }
            /* The confirmation's key may be of another kind than the assertion's. */
            return credentials.get(keyName).key().getAlgorithm().equals("RSA") ? MORE + "rsa-sha256"
                    : MORE + "ecdsa-sha256";
        }
    }

    static Style style() {
        return new Style();
    }

    static void writeAll() throws Exception {
        List<String> some = List.of("xs", "env", "xsi");
        Map<String, Style> all = new LinkedHashMap<>();
        /* keys and algorithms */
        all.put("accept-rsa", style());
        all.put("accept-rsa-sha384", style().key("rsa", "rsa-sha384"));
        all.put("accept-rsa-sha512", style().key("rsa", "rsa-sha512")
                .with(s -> s.digest = DigestMethod.SHA512));
        all.put("accept-rsa-digest-sha384", style().with(s -> s.digest = MORE + "sha384"));
        all.put("accept-p256", style().key("p256", "ecdsa-sha256"));
        all.put("accept-p256-sha384", style().key("p256", "ecdsa-sha384"));
        all.put("accept-p384", style().key("p384", "ecdsa-sha384")
                .with(s -> s.digest = MORE + "sha384"));
        all.put("accept-p384-sha256", style().key("p384", "ecdsa-sha256"));
        all.put("accept-p384-digest-sha512", style().key("p384", "ecdsa-sha384")
                .with(s -> s.digest = DigestMethod.SHA512));
        all.put("accept-two-keys", style().with(s -> s.key = "p256"));
        all.put("accept-two-methods", style().key("p256", "ecdsa-sha256")
                .with(s -> s.timestampMethod = MORE + "ecdsa-sha384"));
        /* prefixes and where they are declared */
        all.put("accept-default-namespaces", style().prefixes("", "", "u"));
        all.put("accept-default-everywhere", style().prefixes("", "", "u")
                .with(s -> s.env = "").with(s -> s.wsse = ""));
        all.put("accept-odd-prefixes", style().prefixes("_s.1", "x-Y_z", "W0")
                .with(s -> s.wsse = "\u00e9").with(s -> s.env = "SOAP-ENV"));
        all.put("accept-swapped-prefixes", style().prefixes("ds", "saml2", "wsse")
                .with(s -> s.wsse = "wsu"));
        all.put("accept-inherited", style().with(s -> s.isInherited = true));
        all.put("accept-inherited-inclusive", style().with(s -> s.isInherited = true)
                .with(s -> s.prefixes = List.of("saml2", "wsu", "ds", "unused")));
        /* white space, order, spelling */
        all.put("accept-pretty", style().key("rsa", "rsa-sha384").prefixes("a", "dsig", "wsu")
                .with(s -> s.white = "\n      "));
        all.put("accept-tabs", style().key("p256", "ecdsa-sha256")
                .with(s -> s.white = "\n\n\t\t \t\n"));
        all.put("accept-carriage-returns", style().with(s -> s.white = "&#13;\n  "));
        all.put("accept-attribute-order", style().with(s -> s.isReordered = true));
        all.put("accept-respelled", style().with(s -> s.isRespelled = true));
        all.put("accept-respelled-p384", style().key("p384", "ecdsa-sha384")
                .with(s -> s.isRespelled = true).with(s -> s.white = "\n "));
        /* InclusiveNamespaces */
        all.put("accept-inclusive", style().with(s -> s.prefixes = some)
                .with(s -> s.white = "\n   "));
        all.put("accept-inclusive-p256", style().key("p256", "ecdsa-sha256")
                .prefixes("saml", "ds", "wsu").with(s -> s.prefixes = some));
        all.put("accept-inclusive-default", style().prefixes("", "", "u")
                .with(s -> s.prefixes = List.of("#default", "xs")));
        all.put("accept-inclusive-absent", style()
                .with(s -> s.prefixes = List.of("nowhere", "xsi")));
        /* KeyInfo of the assertion, of the confirmation, of the message signature */
        all.put("accept-certificate", style().with(s -> s.assertionKeys = Keys.CERTIFICATE)
                .with(s -> s.confirmationKeys = Keys.CERTIFICATE));
        all.put("accept-key-value", style().with(s -> s.assertionKeys = Keys.VALUE)
                .with(s -> s.confirmationKeys = Keys.VALUE));
        all.put("accept-key-value-p256", style().key("p256", "ecdsa-sha256")
                .with(s -> s.assertionKeys = Keys.VALUE).with(s -> s.confirmationKeys = Keys.VALUE));
        all.put("accept-token-type", style().with(s -> s.hint = Hint.SAML_ID_TYPED));
        all.put("accept-token-reference", style().with(s -> s.hint = Hint.REFERENCE));
        all.put("accept-token-and-keys", style().with(s -> s.hint = Hint.SAML_ID_AND_KEYS));
        all.put("accept-direct-keys", style().key("p384", "ecdsa-sha384")
                .with(s -> s.hint = Hint.DIRECT));
        /* what the header holds */
        all.put("accept-timestamp-last", style().with(s -> s.isTimestampLast = true));
        all.put("accept-many-statements", style().with(s -> s.hasManyStatements = true));
        all.put("accept-old-purpose", style().with(s -> s.isOldPurpose = true));
        all.put("accept-both-communities", style().with(s -> s.hasBothCommunities = true));
        all.put("accept-full", style().with(s -> s.isFull = true)
                .with(s -> s.hasBothCommunities = true));
        all.put("bearer-rsa", style().with(s -> s.isBearer = true).with(s -> s.white = "\n"));
        all.put("bearer-p256", style().key("p256", "ecdsa-sha256").with(s -> s.isBearer = true));
        /* right by every rule of XML Signature, and refused */
        all.put("refuse-other", style().key("other", "rsa-sha256"));
        all.put("refuse-other-assertion", style().with(s -> s.assertionKey = "other"));
        all.put("refuse-no-key-info", style().with(s -> s.assertionKeys = Keys.NONE));
        all.put("accept-no-message-key-info", style().with(s -> s.hint = Hint.NONE));
        all.put("refuse-no-confirmation-key", style()
                .with(s -> s.confirmationKeys = Keys.NONE));
        all.put("refuse-sha1", style().with(s -> s.method = SignatureMethod.RSA_SHA1));
        all.put("refuse-digest-sha1", style().with(s -> s.digest = DigestMethod.SHA1));
        all.put("refuse-sha224", style().key("rsa", "rsa-sha224"));
        all.put("refuse-inclusive-c14n", style()
                .with(s -> s.c14n = CanonicalizationMethod.INCLUSIVE));
        all.put("refuse-comments-c14n", style()
                .with(s -> s.c14n = CanonicalizationMethod.EXCLUSIVE_WITH_COMMENTS));
        all.put("refuse-inclusive-transform", style()
                .with(s -> s.transform = CanonicalizationMethod.INCLUSIVE));
        all.put("refuse-comments-transform", style()
                .with(s -> s.transform = CanonicalizationMethod.EXCLUSIVE_WITH_COMMENTS));
        for (Map.Entry<String, Style> entry : all.entrySet()) {
            write("jdk-" + entry.getKey() + ".xml", entry.getValue());
        }
        Files.writeString(folder.resolve("variants.txt"), String.join("\n", all.keySet()) + "\n");
    }

    static void write(String file, Style style) throws Exception {
        Document doc = parse(new InputSource(new StringReader(text(style))));
        Element assertion = elements(doc, SAML, "Assertion").get(0);
        Element timestamp = elements(doc, WSU, "Timestamp").get(0);
        Element issuer = elements(doc, SAML, "Issuer").get(0);
        assertion.setIdAttributeNS(null, "ID", true);
        timestamp.setIdAttributeNS(WSU, "Id", true);
        if (!style.isBearer) {
            Element data = elements(doc, SAML, "SubjectConfirmationData").get(0);
            KeyInfo info = keyInfo(credentials.get(style.key), style.confirmationKeys);
            if (info != null) {
                info.marshal(new DOMStructure(data), context(null, data, null, style));
                elements(doc, DSIG11, "ECKeyValue").forEach(Jdk::declareNamespace);
            }
        }
        sign(assertion, issuer.getNextSibling(), "_assertion", true, style.assertionKey,
                style.methodOf(style.assertionKey), style,
                keyInfo(credentials.get(style.assertionKey), style.assertionKeys));
        if (!style.isBearer) {
            String method = style.timestampMethod == null ? style.methodOf(style.key)
                    : style.timestampMethod;
            sign((Element) assertion.getParentNode(), null, "TS-1", false, style.key, method, style,
                    messageKeyInfo(doc, style));
        }
        StringWriter out = new StringWriter();
        Transformer transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        transformer.transform(new DOMSource(doc), new StreamResult(out));
        String xml = respell(out.toString(), style);
        Files.writeString(folder.resolve(file), xml);
        if (!file.startsWith("jdk-refuse")) {
            judge(file, xml, style);
        }
    }

    /* JDK 17 has it at the first child only, where it would not stand in the text. */
    static void declareNamespace(Element element) {
        String name = element.getPrefix() == null ? "xmlns" : "xmlns:" + element.getPrefix();
        element.setAttributeNS(XMLConstants.XMLNS_ATTRIBUTE_NS_URI, name, element.getNamespaceURI());
    }

    /* Whoever is wrong when the gateway refuses: the JDK accepts the same bytes. */
    static void judge(String file, String xml, Style style) throws Exception {
        Document doc = parse(new InputSource(new StringReader(xml)));
        elements(doc, SAML, "Assertion").forEach(e -> e.setIdAttributeNS(null, "ID", true));
        elements(doc, WSU, "Timestamp").forEach(e -> e.setIdAttributeNS(WSU, "Id", true));
        List<Element> signatures = elements(doc, DS, "Signature");
        for (Element signature : signatures) {
            boolean isEnveloped = signature.getParentNode().getLocalName().equals("Assertion");
            String key = isEnveloped ? style.assertionKey : style.key;
            if (!isValid(signature, credentials.get(key).certificate().getPublicKey())) {
                throw new IllegalStateException(file + ": the JDK refuses what it signed");
            }
        }
        if (signatures.size() != (style.isBearer ? 1 : 2)) {
            throw new IllegalStateException(file + ": " + signatures.size() + " signatures");
        }
    }

    /* After signing: other texts of the same tree, which canonicalisation must make equal again. */
    static String respell(String xml, Style style) {
        if (style.isReordered) { /* DOM gives attributes by name; here the last comes first */
            xml = Pattern.compile("<([^\\s/>!?]+)((?:\\s+[^\\s=]+=\"[^\"]*\")+)(\\s*/?)>").matcher(xml)
                    .replaceAll(m -> Matcher.quoteReplacement("<" + m.group(1)
                            + reversed(m.group(2)) + m.group(3) + ">"));
        }
        if (style.isRespelled) {
            xml = xml.replaceAll("=\"([^\"']*)\"", "\n\t=  '$1'").replace("J\u00f6", "&#x4a;&#246;")
                    .replace("&lt;D", "&#60;&#68;").replace(" Method\n", "\r\n  Method\n")
                    .replaceAll("<([^\\s/>]+)([^<>]*)/>", "<$1$2></$1 >");
            xml = "<?xml version='1.0' encoding=\"utf-8\"?>\n\n" + xml + "\n\n";
        }
        return xml;
    }

    static String reversed(String attributes) {
        Matcher matcher = Pattern.compile("\\s+[^\\s=]+=\"[^\"]*\"").matcher(attributes);
        StringBuilder text = new StringBuilder();
        while (matcher.find()) {
            text.insert(0, matcher.group());
        }
        return text.toString();
    }

    static DOMSignContext context(Key key, Element parent, Node before, Style style) {
        Key any = key == null ? credentials.get("rsa").key() : key;
        DOMSignContext context = before == null ? new DOMSignContext(any, parent)
                : new DOMSignContext(any, parent, before);
        context.setDefaultNamespacePrefix(style.ds);
        return context;
    }

    static void sign(Element parent, Node before, String id, boolean isEnveloped, String keyName,
            String method, Style style, KeyInfo info) throws Exception {
        List<Transform> transforms = new ArrayList<>();
        if (isEnveloped) {
            transforms.add(FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null));
        }
        transforms.add(FACTORY.newTransform(style.transform, (TransformParameterSpec) prefixes(style)));
        Reference reference = FACTORY.newReference("#" + id,
                FACTORY.newDigestMethod(style.digest, null), transforms, null, null);
        SignedInfo signedInfo = FACTORY.newSignedInfo(
                FACTORY.newCanonicalizationMethod(style.c14n,
                        (C14NMethodParameterSpec) prefixes(style)),
                FACTORY.newSignatureMethod(method, null), List.of(reference));
        FACTORY.newXMLSignature(signedInfo, info)
                .sign(context(credentials.get(keyName).key(), parent, before, style));
    }

    static ExcC14NParameterSpec prefixes(Style style) {
        return style.prefixes.isEmpty() ? null : new ExcC14NParameterSpec(style.prefixes);
    }

    /* null: no KeyInfo at all. */
    static KeyInfo keyInfo(Credential credential, Keys keys) throws Exception {
        KeyInfoFactory factory = FACTORY.getKeyInfoFactory();
        X509Data data = factory.newX509Data(List.of(credential.certificate()));
        KeyValue value = factory.newKeyValue(credential.certificate().getPublicKey());
        return switch (keys) {
            case BOTH -> factory.newKeyInfo(List.of(data, value));
            case CERTIFICATE -> factory.newKeyInfo(List.of(data));
            case VALUE -> factory.newKeyInfo(List.of(value));
            case NONE -> null;
        };
    }

    static KeyInfo messageKeyInfo(Document doc, Style style) throws Exception {
        KeyInfoFactory factory = FACTORY.getKeyInfoFactory();
        KeyInfo keys = keyInfo(credentials.get(style.key), Keys.BOTH);
        if (style.hint == Hint.DIRECT || style.hint == Hint.NONE) {
            return style.hint == Hint.DIRECT ? keys : null;
        }
        List<XMLStructure> content = new ArrayList<>();
        content.add(new DOMStructure(tokenReference(doc, style.hint)));
        if (style.hint == Hint.SAML_ID_AND_KEYS) {
            content.addAll(keys.getContent());
        }
        return factory.newKeyInfo(content);
    }

    static Element tokenReference(Document doc, Hint hint) {
        String profile = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#";
        String xmlns = "http://www.w3.org/2000/xmlns/";
        Element reference = doc.createElementNS(WSSE, "wsse:SecurityTokenReference");
        if (hint != Hint.SAML_ID) {
            reference.setAttributeNS(xmlns, "xmlns:wsse11", WSSE11);
            reference.setAttributeNS(WSSE11, "wsse11:TokenType", profile + "SAMLV2.0");
        }
        if (hint == Hint.REFERENCE) {
            Element direct = doc.createElementNS(WSSE, "wsse:Reference");
            direct.setAttributeNS(null, "URI", "#_assertion");
            reference.appendChild(direct);
            return reference;
        }
        Element identifier = doc.createElementNS(WSSE, "wsse:KeyIdentifier");
        identifier.setAttributeNS(null, "ValueType", profile + "SAMLID");
        identifier.setTextContent("_assertion");
        reference.appendChild(identifier);
        return reference;
    }

    /* ---- the text before it is signed ---- */

    static String prefix(String name) {
        return name.isEmpty() ? "" : name + ":";
    }

    static String declare(String name, String namespace) {
        return " xmlns" + (name.isEmpty() ? "" : ":" + name) + "=\"" + namespace + "\"";
    }

    static String attribute(String p, String name, String value) {
        return "<" + p + "Attribute NameFormat='urn:oasis:names:tc:SAML:2.0:attrname-format:uri'"
                + " Name=\"" + name + "\"><" + p + "AttributeValue xsi:type=\"xs:string\">" + value
                + "</" + p + "AttributeValue></" + p + "Attribute>";
    }

    static String coded(String p, String name, String element, String values) {
        return "<" + p + "Attribute Name=\"" + name + "\"><" + p + "AttributeValue><v3:" + element
                + " xmlns:v3=\"urn:hl7-org:v3\" xsi:type=\"v3:CE\" " + values + "/></" + p
                + "AttributeValue></" + p + "Attribute>";
    }

    static String attributes(Style style) {
        String p = prefix(style.saml);
        String xspa = "urn:oasis:names:tc:xspa:1.0:subject:";
        String xacml = "urn:oasis:names:tc:xacml:2.0:";
        List<String> all = new ArrayList<>();
        all.add(attribute(p, xspa + "subject-id", "J\u00f6 &lt;D&gt;"));
        all.add(attribute(p, xspa + "organization", "JDK"));
        all.add(attribute(p, xspa + "organization-id", "urn:oid:2.999.3"));
        all.add(attribute(p, "urn:nhin:names:saml:homeCommunityId", "urn:oid:2.999.3"));
        if (style.hasBothCommunities) {
            all.add(attribute(p, "urn:ihe:iti:xca:2010:homeCommunityId", "urn:oid:2.999.3"));
        }
        all.add(coded(p, xacml + "subject:role", "Role",
                "code=\"1\" codeSystem=\"2.999\" displayName=\"R\""));
        all.add(coded(p, xspa + "purposeofuse",
                style.isOldPurpose ? "PurposeForUse" : "PurposeOfUse",
                "code=\"T-TREAT\" codeSystem=\"2.999.4\""));
        if (style.isFull) {
            all.add(attribute(p, xacml + "resource:resource-id", "1^^^&amp;2.999.3.1&amp;ISO"));
            all.add(attribute(p, "urn:example:unknown", "ignored"));
        }
        String between = style.hasManyStatements
                ? "</" + p + "AttributeStatement>" + style.white + "<" + p + "AttributeStatement>"
                : style.white;
        return "<" + p + "AttributeStatement>" + style.white + String.join(between, all) + style.white
                + "</" + p + "AttributeStatement>";
    }

    static String subject(Style style, String dn) {
        String p = prefix(style.saml);
        String method = style.isBearer ? "bearer" : "holder-of-key";
        String type = style.isFull
                ? " xmlns:t=\"" + SAML + "\" xsi:type=\"t:KeyInfoConfirmationDataType\"" : "";
        return "<" + p + "Subject>" + style.white
                + "<" + p + "NameID Format=\"" + dn + "\">CN=user &amp; co, O=Test</" + p + "NameID>"
                + style.white + "<" + p + "SubjectConfirmation"
                + " Method=\"urn:oasis:names:tc:SAML:2.0:cm:" + method + "\">"
                + "<" + p + "SubjectConfirmationData" + type + "/></" + p + "SubjectConfirmation></" + p
                + "Subject>";
    }

    static String assertion(Style style) {
        String p = prefix(style.saml);
        String nl = style.white;
        String dn = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName";
        String locality = style.isFull
                ? "<" + p + "SubjectLocality Address=\"127.0.0.1\" DNSName=\"localhost\"/>" : "";
        String session = style.isFull ? " SessionIndex=\"_1\"" : "";
        return "<" + p + "Assertion Version=\"2.0\"" + declare(style.saml, SAML)
                + " IssueInstant=\"" + created + "\" ID=\"_assertion\">" + nl
                + "<" + p + "Issuer Format=\"" + dn + "\">CN=jdk, O=Test</" + p + "Issuer>"
                + subject(style, dn) + nl
                + "<" + p + "Conditions NotOnOrAfter=\"" + expires + "\" NotBefore=\"" + created
                + "\"><" + p + "AudienceRestriction><" + p + "Audience>" + audience + "</" + p
                + "Audience></" + p + "AudienceRestriction></" + p + "Conditions>" + nl
                + "<" + p + "AuthnStatement AuthnInstant=\"" + created + "\"" + session + ">" + locality
                + "<" + p + "AuthnContext><"
                + p + "AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509</" + p
                + "AuthnContextClassRef></" + p + "AuthnContext></" + p + "AuthnStatement>" + nl
                + attributes(style) + nl + "</" + p + "Assertion>" + nl;
    }

    static String text(Style style) {
        String u = style.wsu + ":";
        String w = prefix(style.wsse);
        String e = prefix(style.env);
        String nl = style.white;
        String timestamp = "<" + u + "Timestamp " + u + "Id='TS-1'" + declare(style.wsu, WSU) + ">"
                + nl + "<" + u + "Created>" + created + "</" + u + "Created>" + nl
                + "<" + u + "Expires>" + expires + "</" + u + "Expires>" + nl
                + "</" + u + "Timestamp>" + nl;
        String inherited = style.isInherited ? declare(style.saml, SAML) + declare(style.wsu, WSU)
                + declare(style.ds, DS) + declare("again", SAML) + declare("twice", WSU) : "";
        String assertion = assertion(style);
        String xml = "<" + e + "Envelope" + declare(style.env, "http://www.w3.org/2003/05/soap-envelope")
                + " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""
                + " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                + " xmlns:unused=\"urn:unused\"" + inherited + "><" + e + "Header>" + nl
                + "<" + w + "Security" + declare(style.wsse, WSSE) + ">" + nl
                + (style.isTimestampLast ? assertion + timestamp : timestamp + assertion)
                + "</" + w + "Security>" + nl + "</" + e + "Header><" + e
                + "Body><x xmlns=\"urn:x\"/></" + e + "Body></" + e + "Envelope>";
        return style.isInherited ? withoutInherited(xml, style) : xml;
    }

    /* Only the Envelope declares what it inherits. */
    static String withoutInherited(String xml, Style style) {
        int header = xml.indexOf("Header>");
        return xml.substring(0, header) + xml.substring(header)
                .replace(declare(style.saml, SAML), "").replace(declare(style.wsu, WSU), "");
    }
}
