# soap: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	soap/ccda.c soap/ccda.h soap/ccda_parts.h \
	soap/ccda_author.c \
	soap/ccda_codes.c \
	soap/ccda_person.c \
	soap/ccda_xml.c

check_PROGRAMS += tests/unit/test_ccda
tests_unit_test_ccda_LDADD = $(UNIT_LIBS)
