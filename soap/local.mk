# soap: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	soap/content_type.c \
	soap/message.c soap/message.h soap/message_internal.h \
	soap/mime.c soap/mime.h \
	soap/prescan.c soap/prescan.h \
	soap/security.h \
	soap/transaction.c \
	soap/xml.c soap/xml.h soap/xmlout.c soap/xmlwalk.c

SOAP_SECURITY_TESTS = tests/unit/test_message
check_PROGRAMS += $(SOAP_SECURITY_TESTS)
tests_unit_test_message_LDADD = $(UNIT_LIBS)
