# gateway/net: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/net/http1.c gateway/net/http1.h \
	gateway/net/http1_body.c

check_PROGRAMS += tests/unit/test_http1
tests_unit_test_http1_LDADD = $(UNIT_LIBS)
