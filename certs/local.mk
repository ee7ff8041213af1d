# certs: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	certs/bytes.c certs/bytes.h \
	certs/cache.c certs/cache.h \
	certs/certificate.c certs/certificate.h \
	certs/crl_held.c certs/crl_held.h \
	certs/credential.c certs/credential.h \
	certs/der.c certs/der.h \
	certs/devpki.c certs/devpki.h \
	certs/fetch.h certs/fetch_hosts.c \
	certs/issue.c certs/issue.h \
	certs/ocsp.c certs/ocsp.h \
	certs/expiry.c certs/expiry.h \
	certs/key.c certs/key.h \
	certs/key_numbers.c certs/key_numbers.h \
	certs/pkcs11.c certs/pkcs11.h \
	certs/openssl_error.c certs/openssl_error.h \
	certs/status.h certs/status_parts.h \
	certs/status_cache.c \
	certs/status_held.c \
	certs/peer_chain.c certs/peer_chain.h \
	certs/jwks.c certs/jwks.h \
	certs/strict_json.c certs/strict_json.h \
	certs/tls.c certs/tls.h \
	certs/tls_session.c certs/tls_session.h \
	certs/trust.c certs/trust.h certs/trust_parts.h \
	certs/trust_crl.c certs/trust_verify.c
EXTRA_DIST += certs/README.md

check_PROGRAMS += tests/unit/test_certs tests/unit/test_devpki tests/unit/test_tls
CERTS_WORLD = tests/unit/certs_world.c tests/unit/certs_world.h
tests_unit_test_certs_SOURCES = tests/unit/test_certs.c $(CERTS_WORLD)
tests_unit_test_certs_LDADD = $(UNIT_LIBS)
tests_unit_test_devpki_SOURCES = tests/unit/test_devpki.c $(CERTS_WORLD)
tests_unit_test_devpki_LDADD = $(UNIT_LIBS)
TLS_SHAKE = tests/unit/tls_shake.c tests/unit/tls_shake.h
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c $(CERTS_WORLD) $(TLS_SHAKE) \
	tests/unit/odd_chain.c tests/unit/odd_chain.h
tests_unit_test_tls_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_tls_session
tests_unit_test_tls_session_SOURCES = tests/unit/test_tls_session.c $(CERTS_WORLD) $(TLS_SHAKE)
tests_unit_test_tls_session_LDADD = $(UNIT_LIBS)

OCSP_KIT = $(CERTS_WORLD) tests/unit/ocsp_kit.c tests/unit/ocsp_kit.h
check_PROGRAMS += tests/unit/test_ocsp
tests_unit_test_ocsp_SOURCES = tests/unit/test_ocsp.c $(OCSP_KIT)
tests_unit_test_ocsp_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_keys tests/unit/test_pkcs11
tests_unit_test_keys_SOURCES = tests/unit/test_keys.c $(CERTS_WORLD) $(TLS_SHAKE)
tests_unit_test_keys_LDADD = $(UNIT_LIBS)
tests_unit_test_pkcs11_SOURCES = tests/unit/test_pkcs11.c $(CERTS_WORLD) $(TLS_SHAKE)
tests_unit_test_pkcs11_LDADD = $(UNIT_LIBS)
ODD_CHAIN = tests/unit/odd_chain.c tests/unit/odd_chain.h
check_PROGRAMS += tests/unit/test_certs_chain
tests_unit_test_certs_chain_SOURCES = tests/unit/test_certs_chain.c $(ODD_CHAIN)
tests_unit_test_certs_chain_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_certs_crl
tests_unit_test_certs_crl_SOURCES = tests/unit/test_certs_crl.c $(ODD_CHAIN)
tests_unit_test_certs_crl_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_cert_status
tests_unit_test_cert_status_SOURCES = tests/unit/test_cert_status.c $(OCSP_KIT) \
	tests/unit/status_kit.c tests/unit/status_kit.h
tests_unit_test_cert_status_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_expiry
tests_unit_test_expiry_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_openssl_conf
tests_unit_test_openssl_conf_SOURCES = tests/unit/test_openssl_conf.c $(CERTS_WORLD) $(TLS_SHAKE)
tests_unit_test_openssl_conf_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_certs_cache
tests_unit_test_certs_cache_SOURCES = tests/unit/test_certs_cache.c $(ODD_CHAIN)
tests_unit_test_certs_cache_LDADD = $(UNIT_LIBS)
