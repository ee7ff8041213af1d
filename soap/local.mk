# soap: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
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

SOAP_KIT = tests/unit/soap_kit.c tests/unit/soap_kit.h
SOAP_SECURITY_TESTS = tests/unit/test_jdk tests/unit/test_message tests/unit/test_mime \
	tests/unit/test_mutation tests/unit/test_prescan tests/unit/test_saml \
	tests/unit/test_sigkeys tests/unit/test_sigverify tests/unit/test_wrapping
check_PROGRAMS += $(SOAP_SECURITY_TESTS)
tests_unit_test_message_LDADD = $(UNIT_LIBS)
tests_unit_test_mime_LDADD = $(UNIT_LIBS)
tests_unit_test_prescan_LDADD = $(UNIT_LIBS)
tests_unit_test_jdk_SOURCES = tests/unit/test_jdk.c $(SOAP_KIT)
tests_unit_test_jdk_LDADD = $(UNIT_LIBS)
tests_unit_test_mutation_SOURCES = tests/unit/test_mutation.c $(SOAP_KIT)
tests_unit_test_mutation_LDADD = $(UNIT_LIBS)
tests_unit_test_saml_SOURCES = tests/unit/test_saml.c $(SOAP_KIT)
tests_unit_test_saml_LDADD = $(UNIT_LIBS)
tests_unit_test_sigkeys_SOURCES = tests/unit/test_sigkeys.c $(SOAP_KIT)
tests_unit_test_sigkeys_LDADD = $(UNIT_LIBS)
tests_unit_test_sigverify_SOURCES = tests/unit/test_sigverify.c $(SOAP_KIT)
tests_unit_test_sigverify_LDADD = $(UNIT_LIBS)
tests_unit_test_wrapping_SOURCES = tests/unit/test_wrapping.c $(SOAP_KIT)
tests_unit_test_wrapping_LDADD = $(UNIT_LIBS)
EXTRA_DIST += soap/README.md tests/interop/Jdk.java
