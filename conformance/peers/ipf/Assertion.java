import static org.apache.wss4j.common.ConfigurationConstants.*;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.*;
import java.util.stream.Collectors;
import javax.security.auth.callback.CallbackHandler;
import javax.xml.namespace.QName;
import org.apache.cxf.binding.soap.SoapMessage;
import org.apache.cxf.message.MessageUtils;
import org.apache.cxf.ws.addressing.ContextUtils;
import org.apache.cxf.ws.security.wss4j.*;
import org.apache.wss4j.common.crypto.*;
import org.apache.wss4j.common.ext.WSPasswordCallback;
import org.apache.wss4j.common.saml.*;
import org.apache.wss4j.common.saml.bean.*;
import org.apache.wss4j.dom.WSConstants;
import org.apache.wss4j.dom.engine.WSSecurityEngineResult;
import org.apache.wss4j.dom.handler.*;
import org.opensaml.core.xml.schema.XSAny;
import org.opensaml.core.xml.schema.impl.XSAnyBuilder;
import org.w3c.dom.Element;

/** The WSS4J interceptors that sign with a holder-of-key assertion, as US networks send it, and that verify one. */
final class Assertion {
    private static final String NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName";
    private static final String XSPA = "urn:oasis:names:tc:xspa:1.0:subject:";
    private static final String SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    private static final String RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    private static final String C14N = "http://www.w3.org/2001/10/xml-exc-c14n#";

    private Assertion() {
    }

    /** What a community of the test signs with, and that it trusts the authority of all. */
    static Crypto crypto(String pki) throws Exception {
        final Properties settings = new Properties();
        final String merlin = "org.apache.wss4j.crypto.merlin.";
        settings.put("org.apache.wss4j.crypto.provider", "org.apache.wss4j.common.crypto.Merlin");
        settings.put(merlin + "keystore.file", pki + "/signing.p12");
        settings.put(merlin + "truststore.file", pki + "/ca.p12");
        for (String store : List.of("keystore", "truststore")) {
            settings.put(merlin + store + ".type", "pkcs12");
            settings.put(merlin + store + ".password", Stack.PASSWORD);
        }
        return CryptoFactory.getInstance(settings);
    }

    /**
     * Adds a signed assertion, and a Timestamp signed with the key that the assertion confirms, to questions and to answers that leave as messages of their
     * own, which <ret_seen> is told.
     */
    static WSS4JOutInterceptor signing(Crypto crypto, String community, String audience, int lifetimeS, Queue<String> ret_seen) {
        final Map<String, Object> options = options("Timestamp SAMLTokenSigned", SIG_PROP_REF_ID, crypto);
        options.put(SAML_CALLBACK_REF, handler(saml -> fill((SAMLCallback) saml, crypto, community, audience, lifetimeS)));
        options.put(PW_CALLBACK_REF, handler(asked -> ((WSPasswordCallback) asked).setPassword(Stack.PASSWORD)));
        options.put(USER, Stack.ALIAS);
        options.put(SIG_ALGO, RSA_SHA256);
        options.put(SIG_DIGEST_ALGO, SHA256);
        options.put(SIG_C14N_ALGO, C14N);
        options.put(SIGNATURE_PARTS, "{Element}{" + WSConstants.WSU_NS + "}Timestamp");
        return new WSS4JOutInterceptor(options) {
            @Override
            public void handleMessage(SoapMessage message) {
                final var addressing = ContextUtils.retrieveMAPs(message, false, true);
                final boolean isLater = !ContextUtils.isRequestor(message) && !MessageUtils.isPartialResponse(message) && addressing != null
                    && addressing.getToEndpointReference() != null && !ContextUtils.isGenericAddress(addressing.getToEndpointReference());
                if (isLater) {
                    ret_seen.add("later");
                }
                if (isLater || ContextUtils.isRequestor(message)) {
                    super.handleMessage(message);
                }
            }
        };
    }

    /** Refuses what has no assertion or Timestamp, or one that is not signed, not confirmed, or not for this address; what it believed is told <ret_seen>. */
    static WSS4JInInterceptor verifying(Crypto crypto, Queue<String> ret_seen) {
        return new WSS4JInInterceptor(options("SAMLTokenSigned Signature Timestamp", SIG_VER_PROP_REF_ID, crypto)) {
            @Override
            public void handleMessage(SoapMessage message) {
                super.handleMessage(message);
                for (Object result : (List<?>) message.get(WSHandlerConstants.RECV_RESULTS)) {
                    for (WSSecurityEngineResult found : ((WSHandlerResult) result).getActionResults().get(WSConstants.ST_SIGNED)) {
                        ret_seen.add(said((SamlAssertionWrapper) found.get(WSSecurityEngineResult.TAG_SAML_ASSERTION)));
                    }
                }
            }
        };
    }

    /** The last words of the attributes' names, with their values or codes, and the audience. */
    private static String said(SamlAssertionWrapper assertion) {
        final var audience = assertion.getSaml2().getConditions().getAudienceRestrictions().get(0).getAudiences().get(0);
        return "assertion\taudience=" + audience.getURI() + assertion.getSaml2().getAttributeStatements().get(0).getAttributes().stream().map(attribute -> {
            final Element value = attribute.getAttributeValues().get(0).getDOM();
            final Element coded = (Element) value.getElementsByTagNameNS("urn:hl7-org:v3", "*").item(0);
            return "\t" + attribute.getName().replaceFirst(".*:", "") + "=" + (coded == null ? value.getTextContent() : coded.getAttribute("code"));
        }).collect(Collectors.joining());
    }

    private static Map<String, Object> options(String action, String reference, Crypto crypto) {
        return new HashMap<>(Map.of(ACTION, action, reference, "own.crypto", "own.crypto", crypto));
    }

    private interface Answer {
        void to(javax.security.auth.callback.Callback asked) throws Exception;
    }

    private static CallbackHandler handler(Answer answer) {
        return callbacks -> {
            for (var asked : callbacks) {
                try {
                    answer.to(asked);
                } catch (Exception error) {
                    throw new IllegalStateException(error);
                }
            }
        };
    }

    private static void fill(SAMLCallback saml, Crypto crypto, String community, String audience, int lifetimeS) throws Exception {
        final CryptoType own = new CryptoType(CryptoType.TYPE.ALIAS);
        own.setAlias(Stack.ALIAS);
        final X509Certificate certificate = crypto.getX509Certificates(own)[0];
        final String who = certificate.getSubjectX500Principal().getName();
        final Instant now = Instant.now();
        final KeyInfoBean key = new KeyInfoBean();
        key.setCertificate(certificate);
        key.setCertIdentifer(KeyInfoBean.CERT_IDENTIFIER.X509_CERT);
        final SubjectBean subject = new SubjectBean(who, "", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key");
        subject.setSubjectNameIDFormat(NAME);
        subject.setKeyInfo(key);
        final ConditionsBean conditions = new ConditionsBean(now.minusSeconds(lifetimeS > 0 ? 0 : 900), now.plusSeconds(lifetimeS));
        conditions.setAudienceRestrictions(List.of(new AudienceRestrictionBean(List.of(audience))));
        final AuthenticationStatementBean authenticated = new AuthenticationStatementBean();
        authenticated.setAuthenticationInstant(now.minusSeconds(60));
        authenticated.setAuthenticationMethod("urn:oasis:names:tc:SAML:2.0:ac:classes:X509");
        final AttributeStatementBean statement = new AttributeStatementBean();
        statement.setSamlAttributes(List.of(
            attribute(XSPA + "subject-id", "Dr. Ada Íñigo"),
            attribute(XSPA + "organization", "IPF peer"),
            attribute(XSPA + "organization-id", "urn:oid:" + community),
            attribute("urn:ihe:iti:xca:2010:homeCommunityId", "urn:oid:" + community),
            attribute("urn:nhin:names:saml:homeCommunityId", "urn:oid:" + community),
            attribute("urn:oasis:names:tc:xacml:2.0:subject:role",
                coded("Role", "112247003", "2.16.840.1.113883.6.96", "SNOMED_CT", "Medical doctor")),
            attribute(XSPA + "purposeofuse",
                coded("PurposeOfUse", "T-TREAT", "2.16.840.1.113883.3.7204.1.5.2.1", "RCE-purpose", "Treatment"))));
        saml.setSamlVersion(Version.SAML_20);
        saml.setIssuer(who);
        saml.setIssuerFormat(NAME);
        saml.setSubject(subject);
        saml.setConditions(conditions);
        saml.setAuthenticationStatementData(List.of(authenticated));
        saml.setAttributeStatementData(List.of(statement));
        saml.setSignAssertion(true);
        saml.setIssuerCrypto(crypto);
        saml.setIssuerKeyName(Stack.ALIAS);
        saml.setIssuerKeyPassword(Stack.PASSWORD);
        saml.setSignatureAlgorithm(RSA_SHA256);
        saml.setSignatureDigestAlgorithm(SHA256);
        saml.setCanonicalizationAlgorithm(C14N);
    }

    private static AttributeBean attribute(String name, Object value) {
        final AttributeBean attribute = new AttributeBean("", name, List.of(value));
        attribute.setNameFormat("urn:oasis:names:tc:SAML:2.0:attrname-format:uri");
        return attribute;
    }

    /** AttributeValue with one element of HL7's type CE in it. */
    private static XSAny coded(String name, String code, String system, String systemName, String display) {
        final XSAny value = new XSAnyBuilder().buildObject("urn:oasis:names:tc:SAML:2.0:assertion", "AttributeValue", "saml2");
        final XSAny element = new XSAnyBuilder().buildObject("urn:hl7-org:v3", name, "hl7");
        Map.of("code", code, "codeSystem", system, "codeSystemName", systemName, "displayName", display)
            .forEach((key, text) -> element.getUnknownAttributes().put(new QName(key), text));
        element.getUnknownAttributes().put(new QName("http://www.w3.org/2001/XMLSchema-instance", "type", "xsi"), "hl7:CE");
        value.getUnknownXMLObjects().add(element);
        return value;
    }
}
