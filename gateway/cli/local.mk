# gateway/cli: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += gateway/cli/cli.c gateway/cli/cli.h
libisthmus_a_SOURCES += gateway/cli/cmd_policy.c

check_PROGRAMS += tests/unit/test_cmd_policy
tests_unit_test_cmd_policy_LDADD = $(UNIT_LIBS)
