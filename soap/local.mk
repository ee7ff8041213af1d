# soap: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	certs/der.c certs/der.h \
	soap/content_type.c \
	soap/dsig.c soap/dsig.h \
	soap/dsig_sign.c soap/dsig_sign.h \
	soap/keyinfo.c soap/keyinfo.h \
	soap/message.c soap/message.h soap/message_internal.h \
	soap/mime.c soap/mime.h \
	soap/namespaces.h \
	soap/prescan.c soap/prescan.h \
	soap/saml.c soap/saml_write.c \
	soap/samlname.c soap/samlname.h \
	soap/samlrules.c soap/samlrules.h \
	soap/security.c soap/security.h \
	soap/sigrules.c soap/sigrules.h \
	soap/sigvalue.c soap/sigvalue.h \
	soap/sigverify.c soap/sigverify.h \
	soap/transaction.c \
	soap/view.h \
	soap/xml.c soap/xml.h soap/xmlout.c soap/xmlwalk.c

SOAP_SECURITY_TESTS = tests/unit/test_message
check_PROGRAMS += $(SOAP_SECURITY_TESTS)
tests_unit_test_message_LDADD = $(UNIT_LIBS)
