# gateway/cli: sources and unit tests (see Makefile.am).

# isthmus import
libisthmus_a_SOURCES += \
	gateway/cli/cmd_import.c \
	gateway/cli/import.c gateway/cli/import.h \
	gateway/cli/import_files.c gateway/cli/import_files.h \
	gateway/cli/sidecar.c gateway/cli/sidecar.h
check_PROGRAMS += tests/unit/test_import tests/unit/test_sidecar
tests_unit_test_import_LDADD = $(UNIT_LIBS)
tests_unit_test_import_SOURCES = tests/unit/test_import.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
tests_unit_test_sidecar_LDADD = $(UNIT_LIBS)
