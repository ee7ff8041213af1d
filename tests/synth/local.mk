# tests/synth: the generator of synthetic communities and the comparer (see Makefile.am). Built by
# `make`, because the demonstration needs it; never installed.
noinst_LIBRARIES += tests/synth/libsynth.a
tests_synth_libsynth_a_SOURCES = \
	tests/synth/cases.c \
	tests/synth/ccda.c tests/synth/ccda.h tests/synth/ccda_body.c \
	tests/synth/ccda_read.c tests/synth/ccda_read.h \
	tests/synth/compare.c tests/synth/compare.h \
	tests/synth/generate.c tests/synth/generate.h \
	tests/synth/json_read.c tests/synth/json_read.h \
	tests/synth/names.c tests/synth/names.h \
	tests/synth/popular.c tests/synth/popular.h \
	tests/synth/random.c tests/synth/random.h \
	tests/synth/rules.c tests/synth/rules.h \
	tests/synth/spelling.c tests/synth/spelling.h \
	tests/synth/truth.c tests/synth/truth.h tests/synth/truth_read.c \
	tests/synth/world.c tests/synth/world.h
EXTRA_DIST += tests/synth/README.md

# Of the product it uses gateway/base alone.
SYNTH_LIBS = tests/synth/libsynth.a libisthmus.a $(LIBXML2_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS) \
	$(UTF8PROC_LIBS)
noinst_PROGRAMS += tests/synth/synth
tests_synth_synth_SOURCES = tests/synth/synth.c
tests_synth_synth_LDADD = $(SYNTH_LIBS)

SYNTH_TESTS = tests/unit/test_synth tests/unit/test_synth_compare tests/unit/test_synth_rules
check_PROGRAMS += $(SYNTH_TESTS)
tests_unit_test_synth_SOURCES = tests/unit/test_synth.c tests/unit/synth_network.c \
	tests/unit/synth_network.h
tests_unit_test_synth_compare_SOURCES = tests/unit/test_synth_compare.c \
	tests/unit/synth_network.c tests/unit/synth_network.h
tests_unit_test_synth_LDADD = libunit.a $(SYNTH_LIBS) $(CUNIT_LIBS)
tests_unit_test_synth_compare_LDADD = libunit.a $(SYNTH_LIBS) $(CUNIT_LIBS)
tests_unit_test_synth_rules_LDADD = libunit.a $(SYNTH_LIBS) $(CUNIT_LIBS)
