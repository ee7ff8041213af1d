# tests: the unit-test main and what the runners need (see Makefile.am).
check_LIBRARIES += libunit.a
libunit_a_SOURCES = tests/unit/unit.c tests/unit/unit.h
libunit_a_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
