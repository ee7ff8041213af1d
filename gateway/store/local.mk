# gateway/store: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/store/match.c gateway/store/match.h

STORE_TESTS = tests/unit/test_match
check_PROGRAMS += $(STORE_TESTS)
tests_unit_test_match_LDADD = $(UNIT_LIBS)
