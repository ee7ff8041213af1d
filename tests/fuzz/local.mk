# tests/fuzz: one program a target (see Makefile.am and README.md). With configure --enable-fuzzing
# (clang) they are libFuzzer's; else each replays its corpus in `make check`.
FUZZ_TARGETS = \
	tests/fuzz/fuzz_content_type \
	tests/fuzz/fuzz_datetime \
	tests/fuzz/fuzz_http \
	tests/fuzz/fuzz_ids \
	tests/fuzz/fuzz_mime \
	tests/fuzz/fuzz_saml \
	tests/fuzz/fuzz_signature \
	tests/fuzz/fuzz_xml

check_LIBRARIES += libfuzzkit.a libreplay.a
libfuzzkit_a_SOURCES = tests/fuzz/fuzz.h tests/fuzz/support.c
libfuzzkit_a_CPPFLAGS = $(FUZZ_CPPFLAGS)
libfuzzkit_a_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
libreplay_a_SOURCES = tests/fuzz/replay.c
libreplay_a_CPPFLAGS = $(FUZZ_CPPFLAGS) -DSOURCE_DIR='"$(srcdir)"'

# Signed messages, their changes, and what must not change.
FUZZ_SIGNED = tests/fuzz/edits.c tests/fuzz/edits.h \
	tests/fuzz/saml_compare.c tests/fuzz/saml_compare.h $(SOAP_KIT)

FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(srcdir)/tests -iquote $(srcdir)/tests/unit
if FUZZING
FUZZ_LIBS = libfuzzkit.a $(ISTHMUS_LIBS) $(FUZZ_ENGINE)
noinst_PROGRAMS += $(FUZZ_TARGETS)
else
FUZZ_LIBS = libreplay.a libfuzzkit.a $(ISTHMUS_LIBS)
check_PROGRAMS += $(FUZZ_TARGETS)
endif
EXTRA_DIST += tests/fuzz/README.md tests/fuzz/run tests/fuzz/corpus $(FUZZ_WORDS)
FUZZ_WORDS = tests/fuzz/content_type.dict tests/fuzz/datetime.dict tests/fuzz/http.dict \
	tests/fuzz/ids.dict tests/fuzz/mime.dict tests/fuzz/xml.dict

.PHONY: fuzzers
fuzzers: $(FUZZ_TARGETS)

tests_fuzz_fuzz_content_type_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_content_type_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_datetime_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_datetime_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_http_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_http_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_ids_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_ids_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_mime_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_mime_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_saml_SOURCES = tests/fuzz/fuzz_saml.c $(FUZZ_SIGNED)
tests_fuzz_fuzz_saml_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_saml_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_signature_SOURCES = tests/fuzz/fuzz_signature.c $(FUZZ_SIGNED)
tests_fuzz_fuzz_signature_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_signature_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_xml_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_xml_LDADD = $(FUZZ_LIBS)
