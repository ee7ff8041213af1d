import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.xml.namespace.QName;
import org.apache.cxf.ws.security.wss4j.WSS4JInInterceptor;
import org.apache.cxf.ws.security.wss4j.WSS4JOutInterceptor;
import org.apache.wss4j.common.ConfigurationConstants;
import org.apache.wss4j.common.ext.WSPasswordCallback;
import org.apache.wss4j.common.saml.SAMLCallback;
import org.apache.wss4j.common.saml.bean.AttributeBean;
import org.apache.wss4j.common.saml.bean.AttributeStatementBean;
import org.apache.wss4j.common.saml.bean.AudienceRestrictionBean;
import org.apache.wss4j.common.saml.bean.AuthenticationStatementBean;
import org.apache.wss4j.common.saml.bean.ConditionsBean;
import org.apache.wss4j.common.saml.bean.KeyInfoBean;
import org.apache.wss4j.common.saml.bean.SubjectBean;
import org.apache.wss4j.common.saml.bean.Version;
import org.opensaml.core.xml.schema.XSAny;
import org.opensaml.core.xml.schema.impl.XSAnyBuilder;

/** A holder-of-key assertion as US networks send it, and the WSS4J interceptors that sign with it and verify one. */
final class Assertion implements CallbackHandler {
    private static final String NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName";
    private static final String HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key";
    private static final String XSPA = "urn:oasis:names:tc:xspa:1.0:subject:";
    private static final String HL7 = "urn:hl7-org:v3";
    private static final String SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    private static final String RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    private static final String C14N = "http://www.w3.org/2001/10/xml-exc-c14n#";
    private final Keys keys;
    private final String community;
    private final String audience;
    private final int lifetimeS;

    private Assertion(Keys keys, String community, String audience, int lifetimeS) {
        this.keys = keys;
        this.community = community;
        this.audience = audience;
        this.lifetimeS = lifetimeS;
    }

    /** Adds a signed assertion for this audience, and a Timestamp signed with the key that the assertion confirms. */
    static WSS4JOutInterceptor signing(Keys keys, String community, String audience, int lifetimeS) {
        final Map<String, Object> options = new HashMap<>();
        final Assertion assertion = new Assertion(keys, community, audience, lifetimeS);
        options.put(ConfigurationConstants.ACTION, "Timestamp SAMLTokenSigned");
        options.put(ConfigurationConstants.SAML_CALLBACK_REF, assertion);
        options.put(ConfigurationConstants.PW_CALLBACK_REF, (CallbackHandler) Assertion::givePassword);
        options.put(ConfigurationConstants.USER, Keys.ALIAS);
        options.put(ConfigurationConstants.SIG_PROP_REF_ID, "own.crypto");
        options.put("own.crypto", keys.crypto());
        options.put(ConfigurationConstants.SIG_ALGO, RSA_SHA256);
        options.put(ConfigurationConstants.SIG_DIGEST_ALGO, SHA256);
        options.put(ConfigurationConstants.SIG_C14N_ALGO, C14N);
        options.put(ConfigurationConstants.SIGNATURE_PARTS,
            "{Element}{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Timestamp");
        options.put(ConfigurationConstants.TTL_TIMESTAMP, "300");
        return new WSS4JOutInterceptor(options);
    }

    /** Refuses what has no assertion or Timestamp, or one that is not signed, not confirmed, or not for this address. */
    static WSS4JInInterceptor verifying(Keys keys) {
        final Map<String, Object> options = new HashMap<>();
        options.put(ConfigurationConstants.ACTION, "SAMLTokenSigned Signature Timestamp");
        options.put(ConfigurationConstants.SIG_VER_PROP_REF_ID, "own.crypto");
        options.put("own.crypto", keys.crypto());
        return new WSS4JInInterceptor(options);
    }

    @Override
    public void handle(Callback[] callbacks) {
        for (Callback callback : callbacks) {
            try {
                fill((SAMLCallback) callback);
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }
    }

    private void fill(SAMLCallback saml) throws Exception {
        final String who = keys.signing.getSubjectX500Principal().getName();
        final Instant now = Instant.now();
        final KeyInfoBean key = new KeyInfoBean();
        key.setCertificate(keys.signing);
        key.setCertIdentifer(KeyInfoBean.CERT_IDENTIFIER.X509_CERT);
        final SubjectBean subject = new SubjectBean(who, "", HOLDER_OF_KEY);
        subject.setSubjectNameIDFormat(NAME);
        subject.setKeyInfo(key);
        final AudienceRestrictionBean restriction = new AudienceRestrictionBean(List.of(audience));
        final ConditionsBean conditions = new ConditionsBean(now.minusSeconds(lifetimeS > 0 ? 0 : 900), now.plusSeconds(lifetimeS));
        conditions.setAudienceRestrictions(List.of(restriction));
        final AuthenticationStatementBean authenticated = new AuthenticationStatementBean();
        authenticated.setAuthenticationInstant(now.minusSeconds(60));
        authenticated.setAuthenticationMethod("urn:oasis:names:tc:SAML:2.0:ac:classes:X509");
        saml.setSamlVersion(Version.SAML_20);
        saml.setIssuer(who);
        saml.setIssuerFormat(NAME);
        saml.setSubject(subject);
        saml.setConditions(conditions);
        saml.setAuthenticationStatementData(List.of(authenticated));
        saml.setAttributeStatementData(List.of(attributes()));
        saml.setSignAssertion(true);
        saml.setIssuerCrypto(keys.crypto());
        saml.setIssuerKeyName(Keys.ALIAS);
        saml.setIssuerKeyPassword(Keys.PASSWORD);
        saml.setSignatureAlgorithm(RSA_SHA256);
        saml.setSignatureDigestAlgorithm(SHA256);
        saml.setCanonicalizationAlgorithm(C14N);
    }

    private AttributeStatementBean attributes() {
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
        return statement;
    }

    private static AttributeBean attribute(String name, Object value) {
        final AttributeBean attribute = new AttributeBean("", name, List.of(value));
        attribute.setNameFormat("urn:oasis:names:tc:SAML:2.0:attrname-format:uri");
        return attribute;
    }

    /** AttributeValue with one element of HL7's type CE in it. */
    private static XSAny coded(String name, String code, String system, String systemName, String display) {
        final XSAnyBuilder builder = new XSAnyBuilder();
        final XSAny value = builder.buildObject("urn:oasis:names:tc:SAML:2.0:assertion", "AttributeValue", "saml2");
        final XSAny element = builder.buildObject(HL7, name, "hl7");
        final Map<String, String> attributes =
            Map.of("code", code, "codeSystem", system, "codeSystemName", systemName, "displayName", display);
        attributes.forEach((key, text) -> element.getUnknownAttributes().put(new QName(key), text));
        element.getUnknownAttributes().put(new QName("http://www.w3.org/2001/XMLSchema-instance", "type", "xsi"), "hl7:CE");
        value.getUnknownXMLObjects().add(element);
        return value;
    }

    private static void givePassword(Callback[] callbacks) {
        for (Callback callback : callbacks) {
            ((WSPasswordCallback) callback).setPassword(Keys.PASSWORD);
        }
    }
}
