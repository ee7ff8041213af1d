# gateway/cli: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/cli/cli.c gateway/cli/cli.h \
	gateway/cli/cmd_check.c \
	gateway/cli/cmd_init.c gateway/cli/init.h gateway/cli/init_plan.c gateway/cli/init_text.c \
	gateway/cli/cmd_partners.c \
	gateway/cli/show.c gateway/cli/show.h

check_PROGRAMS += tests/unit/test_init
tests_unit_test_init_LDADD = $(UNIT_LIBS)
