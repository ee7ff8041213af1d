# gateway/cli: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/cli/audit_text.c gateway/cli/audit_text.h \
	gateway/cli/audit_view.c gateway/cli/audit_view.h \
	gateway/cli/cmd_audit.c
check_PROGRAMS += tests/unit/test_audit_view
tests_unit_test_audit_view_SOURCES = tests/unit/test_audit_view.c $(JOURNAL_KIT)
tests_unit_test_audit_view_LDADD = $(UNIT_LIBS)
