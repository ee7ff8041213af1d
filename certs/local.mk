# certs: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	certs/certificate.c certs/certificate.h \
	certs/credential.c certs/credential.h \
	certs/devpki.c certs/devpki.h \
	certs/issue.c certs/issue.h \
	certs/openssl_error.c certs/openssl_error.h \
	certs/tls.c certs/tls.h \
	certs/trust.c certs/trust.h
EXTRA_DIST += certs/README.md

check_PROGRAMS += tests/unit/test_certs
tests_unit_test_certs_LDADD = $(UNIT_LIBS)
