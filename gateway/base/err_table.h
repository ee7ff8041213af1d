/*
 * Every way in which Isthmus can fail, one row each.
 *
 * ERR_TABLE(X) expands X(name, class, http, fault, ihe, public_text):
 *   name         enum err constant is ERR_<name>; the log and the tests use <name>
 *   class        MESSAGE SECURITY POLICY PARTNER LIMIT CONFIG INTERNAL (enum err_class)
 *   http         status of an answer that carries this failure
 *   fault        how a SOAP 1.2 answer says it (enum err_fault); PLAIN: refused before an
 *                envelope was recognised, so the answer is one line of text (no SOAP)
 *   ihe          errorCode of a RegistryError, or "" where the failure is not one
 *   public_text  all that a partner is told. SECURITY rows share one text: an attacker must not
 *                learn which check failed. The detail stays in struct diag for log and audit.
 *
 * Sources: SOAP 1.2 part 1 section 5.4; WSS SOAP Message Security 1.1 section 12;
 * ITI TF-3 Table 4.2.4.1-2 (IHE codes).
 */
#ifndef BASE_ERR_TABLE_H
#define BASE_ERR_TABLE_H

#define ERR_SECURITY_TEXT "the message's security could not be verified"

/* clang-format off */
#define ERR_TABLE(X) \
    /* our own machine */ \
    X(NO_MEMORY,          INTERNAL, 503, RECEIVER, "XDSRegistryOutOfResources", "out of resources") \
    X(INTERNAL,           INTERNAL, 500, RECEIVER, "XDSRegistryError", "internal error") \
    X(IO,                 INTERNAL, 500, RECEIVER, "XDSRegistryError", "internal error") \
    X(STORE,              INTERNAL, 500, RECEIVER, "XDSRegistryError", "the repository failed") \
    X(STORE_BUSY,         INTERNAL, 503, RECEIVER, "XDSRegistryBusy", "the repository is busy") \
    X(JOURNAL,            INTERNAL, 503, RECEIVER, "XDSRegistryBusy", "audit is not available") \
    X(CRYPTO,             INTERNAL, 500, RECEIVER, "XDSRegistryError", "internal error") \
    X(NOT_FOUND,          INTERNAL, 500, RECEIVER, "XDSRegistryError", "not found") \
    X(SHUTTING_DOWN,      INTERNAL, 503, RECEIVER, "XDSRegistryBusy", "the gateway is stopping") \
    /* configuration, command line, files of the operator */ \
    X(CONFIG,             CONFIG,   500, RECEIVER, "", "the gateway is not configured for this") \
    X(CONFIG_SYNTAX,      CONFIG,   500, RECEIVER, "", "the gateway is not configured for this") \
    X(CREDENTIAL,         CONFIG,   500, RECEIVER, "", "the gateway is not configured for this") \
    X(USAGE,              CONFIG,   500, RECEIVER, "", "wrong usage") \
    X(DOCUMENT,           CONFIG,   500, RECEIVER, "XDSRepositoryMetadataError", "the document cannot be read") \
    /* limits */ \
    X(LIMIT_ARENA,        LIMIT,    503, RECEIVER, "XDSRegistryOutOfResources", "the message needs too much memory") \
    X(LIMIT_BUFFER,       LIMIT,    413, PLAIN,    "XDSRegistryOutOfResources", "too large") \
    X(LIMIT_HEAD,         LIMIT,    431, PLAIN,    "", "request header too large") \
    X(LIMIT_BODY,         LIMIT,    413, PLAIN,    "", "request body too large") \
    X(LIMIT_CONNECTIONS,  LIMIT,    503, PLAIN,    "", "too many connections") \
    X(LIMIT_REQUESTS,     LIMIT,    503, PLAIN,    "", "too many requests at a time") \
    X(LIMIT_FAILURES,     LIMIT,    503, PLAIN,    "", "too many refused requests; try again later") \
    X(OVERLOAD,           LIMIT,    503, PLAIN,    "", "the gateway is busy; try again later") \
    X(LIMIT_TIME,         LIMIT,    408, PLAIN,    "", "request took too long") \
    X(LIMIT_XML,          LIMIT,    400, PLAIN,    "", "XML exceeds the limits of this gateway") \
    X(SPOOL_FULL,         LIMIT,    503, RECEIVER, "XDSRegistryOutOfResources", "no room for large messages at present") \
    X(LIMIT_QUEUE,        LIMIT,    503, RECEIVER, "XDSRegistryBusy", "too many answers to this partner are waiting; try again later") \
    X(LIMIT_ITEMS,        LIMIT,    500, SENDER,   "XDSRegistryOutOfResources", "the request asks for more at once than this gateway takes") \
    X(LIMIT_RESULTS,      LIMIT,    200, NONE,     "XDSTooManyResults", "the query finds more than this gateway gives at once; ask more narrowly") \
    X(DEADLINE,           LIMIT,    503, RECEIVER, "XDSRegistryBusy", "no answer within the time allowed") \
    /* HTTP and MIME */ \
    X(HTTP_SYNTAX,        MESSAGE,  400, PLAIN,    "", "malformed HTTP request") \
    X(HTTP_METHOD,        MESSAGE,  405, PLAIN,    "", "method not allowed") \
    X(HTTP_MEDIA_TYPE,    MESSAGE,  415, PLAIN,    "", "unsupported media type") \
    X(HTTP_EXPECTATION,   MESSAGE,  417, PLAIN,    "", "only 100-continue can be expected") \
    X(HTTP_TRUNCATED,     MESSAGE,  400, PLAIN,    "", "the body ended early") \
    X(MIME,               MESSAGE,  400, PLAIN,    "", "malformed multipart body") \
    X(XOP,                MESSAGE,  400, SENDER,   "XDSRepositoryError", "malformed XOP reference") \
    /* XML and SOAP */ \
    X(XML_DTD,            MESSAGE,  400, PLAIN,    "", "document type declarations are not accepted") \
    X(XML_SYNTAX,         MESSAGE,  400, PLAIN,    "", "the message is not well-formed XML") \
    X(XML_ENCODING,       MESSAGE,  400, PLAIN,    "", "only UTF-8 is accepted") \
    X(SOAP_VERSION,       MESSAGE,  500, VERSION_MISMATCH, "", "SOAP 1.2 is required") \
    X(SOAP_STRUCTURE,     MESSAGE,  500, SENDER,   "", "malformed SOAP envelope") \
    X(SOAP_MUST_UNDERSTAND, MESSAGE, 500, MUST_UNDERSTAND, "", "a mandatory header is not understood") \
    X(WSA_HEADER,         MESSAGE,  500, WSA_HEADER, "", "a message addressing header is missing or invalid") \
    X(WSA_ACTION,         MESSAGE,  500, WSA_ACTION, "", "the action is not supported at this address") \
    X(MESSAGE_CONTENT,    MESSAGE,  500, SENDER,   "XDSRegistryError", "the message content is invalid") \
    X(NOT_AWAITED,        MESSAGE,  500, SENDER,   "", "no question of this gateway waits for this answer") \
    X(SOAP_FAULT,         PARTNER,  500, RECEIVER, "", "the partner answered with a fault") \
    /* WS-Security, SAML, XML signature: one public text for all */ \
    X(WSS_MISSING,        SECURITY, 500, WSSE_INVALID_SECURITY, "", ERR_SECURITY_TEXT) \
    X(WSS_STRUCTURE,      SECURITY, 500, WSSE_INVALID_SECURITY, "", ERR_SECURITY_TEXT) \
    X(WSS_TIMESTAMP,      SECURITY, 500, WSSE_INVALID_SECURITY, "", ERR_SECURITY_TEXT) \
    X(WSS_EXPIRED,        SECURITY, 500, WSSE_INVALID_SECURITY, "", ERR_SECURITY_TEXT) \
    X(WSS_FUTURE,         SECURITY, 500, WSSE_INVALID_SECURITY, "", ERR_SECURITY_TEXT) \
    X(SIG_MISSING,        SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SIG_STRUCTURE,      SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SIG_ALGORITHM,      SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SIG_TRANSFORM,      SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SIG_REFERENCE,      SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SIG_WRAPPED,        SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SIG_DUPLICATE_ID,   SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SIG_COMMENT,        SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SIG_NO_TRUST,       SECURITY, 500, WSSE_FAILED_AUTHENTICATION, "", ERR_SECURITY_TEXT) \
    X(SIG_INVALID,        SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(SAML_STRUCTURE,     SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(SAML_ISSUER,        SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(SAML_SUBJECT,       SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(SAML_CONFIRMATION,  SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(SAML_CONDITIONS,    SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(SAML_AUDIENCE,      SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(SAML_AUTHN,         SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(SAML_ATTRIBUTE,     SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    /* id_tokens of individuals (RFC 7515, RFC 7519) */ \
    X(JWS_STRUCTURE,      SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(JWS_ALGORITHM,      SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(JWS_KEY,            SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(JWS_INVALID,        SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    X(IDTOKEN_MISSING,    SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(IDTOKEN_CLAIM,      SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(IDTOKEN_ISSUER,     SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(IDTOKEN_AUDIENCE,   SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(IDTOKEN_TIME,       SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(SAML_AUTHZ,         SECURITY, 500, WSSE_INVALID_TOKEN, "", ERR_SECURITY_TEXT) \
    X(PEER_UNKNOWN,       SECURITY, 500, WSSE_FAILED_AUTHENTICATION, "", ERR_SECURITY_TEXT) \
    X(PEER_BINDING,       SECURITY, 500, WSSE_FAILED_AUTHENTICATION, "", ERR_SECURITY_TEXT) \
    X(PEER_STATUS,        SECURITY, 500, WSSE_FAILED_AUTHENTICATION, "", ERR_SECURITY_TEXT) \
    X(TLS,                SECURITY, 500, WSSE_FAILED_AUTHENTICATION, "", ERR_SECURITY_TEXT) \
    X(OCSP,               SECURITY, 500, WSSE_FAILED_AUTHENTICATION, "", ERR_SECURITY_TEXT) \
    X(REPLAY,             SECURITY, 500, WSSE_FAILED_CHECK, "", ERR_SECURITY_TEXT) \
    /* policy */ \
    X(POLICY_DENIED,      POLICY,   500, SENDER,   "XDSRegistryError", "the policy of this community does not allow this") \
    X(IDTOKEN_CONTRADICTION, POLICY, 500, SENDER,  "XDSRegistryError", "the individual's identity token does not agree with the query") \
    X(SYSTEM_UNKNOWN,     POLICY,   500, WSSE_FAILED_AUTHENTICATION, "", "no local system of this gateway's configuration is asking: see systems") \
    X(SYSTEM_SECURITY,    POLICY,   500, WSSE_INVALID_SECURITY, "", "the security headers of local systems are not read: see asserts_for_all") \
    X(POLICY_SYNTAX,      CONFIG,   500, RECEIVER, "", "the gateway is not configured for this") \
    /* what IHE answers inside a normal response (ITI TF-3 4.2.4) */ \
    X(UNKNOWN_PATIENT,    MESSAGE,  200, NONE,     "XDSUnknownPatientId", "the patient id is not known here") \
    X(UNKNOWN_DOMAIN,     MESSAGE,  200, NONE,     "", "no identifiers of this assigning authority are known here") \
    X(UNKNOWN_CONTINUATION, MESSAGE, 200, NONE,    "", "no query with this queryId is open here; ask again") \
    X(UNKNOWN_COMMUNITY,  MESSAGE,  200, NONE,     "XDSUnknownCommunity", "the homeCommunityId is not served here") \
    X(MISSING_COMMUNITY,  MESSAGE,  200, NONE,     "XDSMissingHomeCommunityId", "a homeCommunityId is required") \
    X(UNKNOWN_QUERY,      MESSAGE,  200, NONE,     "XDSUnknownStoredQuery", "the stored query is not known here") \
    X(QUERY_PARAM_MISSING, MESSAGE, 200, NONE,     "XDSStoredQueryMissingParam", "a required query parameter is missing") \
    X(QUERY_PARAM_NUMBER, MESSAGE,  200, NONE,     "XDSStoredQueryParamNumber", "a query parameter has the wrong number of values") \
    X(NOT_SINGLE_PATIENT, MESSAGE,  200, NONE,     "XDSResultNotSinglePatient", "the result concerns several patients") \
    X(UNKNOWN_REPOSITORY, MESSAGE,  200, NONE,     "XDSUnknownRepositoryId", "the repositoryUniqueId is not served here") \
    X(UNKNOWN_DOCUMENT,   MESSAGE,  200, NONE,     "XDSDocumentUniqueIdError", "the document is not available") \
    X(SUBMISSION,         MESSAGE,  200, NONE,     "XDSRepositoryMetadataError", "the submission was refused") \
    X(UNSUPPORTED_MODE,   MESSAGE,  200, NONE,     "", "this mode of answering is not offered here") \
    /* partners, seen from the asking side */ \
    X(FETCH,              PARTNER,  502, RECEIVER, "XDSUnavailableCommunity", "the community could not be reached securely") \
    X(PARTNER_UNREACHABLE, PARTNER, 502, RECEIVER, "XDSUnavailableCommunity", "the community could not be reached") \
    X(PARTNER_TIMEOUT,    PARTNER,  504, RECEIVER, "XDSUnavailableCommunity", "the community did not answer in time") \
    X(PARTNER_TLS,        PARTNER,  502, RECEIVER, "XDSUnavailableCommunity", "the community could not be reached securely") \
    X(PARTNER_HTTP,       PARTNER,  502, RECEIVER, "XDSUnavailableCommunity", "the community answered with an HTTP error") \
    X(PARTNER_ANSWER,     PARTNER,  502, RECEIVER, "XDSUnavailableCommunity", "the community's answer could not be used") \
    X(TOO_MANY_RESULTS,   PARTNER,  502, RECEIVER, "XDSTooManyResults", "the community's answer is larger than this gateway holds") \
    X(PARTNER_BUSY,       PARTNER,  503, RECEIVER, "XDSUnavailableCommunity", "too many questions to the community are waiting") \
    X(PARTNER_OPEN,       PARTNER,  503, RECEIVER, "XDSUnavailableCommunity", "the community has not been reachable and is not asked for a while") \
    X(CANCELLED,          PARTNER,  503, RECEIVER, "XDSUnavailableCommunity", "the question was withdrawn") \
    X(PARTNER_REFUSED,    PARTNER,  502, RECEIVER, "XDSRegistryError", "the community refused the request")
/* clang-format on */

#endif
