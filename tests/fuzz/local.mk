# tests/fuzz: one program a target (see Makefile.am and README.md). With configure --enable-fuzzing
# (clang) they are libFuzzer's; else each replays its corpus in `make check`.
FUZZ_TARGETS = \
	tests/fuzz/fuzz_ccda \
	tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_content_type \
	tests/fuzz/fuzz_datetime \
	tests/fuzz/fuzz_fhir_answer \
	tests/fuzz/fuzz_hl7_answer \
	tests/fuzz/fuzz_hl7_question \
	tests/fuzz/fuzz_http \
	tests/fuzz/fuzz_ids \
	tests/fuzz/fuzz_inline \
	tests/fuzz/fuzz_journal \
	tests/fuzz/fuzz_jws \
	tests/fuzz/fuzz_mime \
	tests/fuzz/fuzz_profile \
	tests/fuzz/fuzz_proof \
	tests/fuzz/fuzz_regrep \
	tests/fuzz/fuzz_saml \
	tests/fuzz/fuzz_signature \
	tests/fuzz/fuzz_xcpd_answer \
	tests/fuzz/fuzz_xcpd_query \
	tests/fuzz/fuzz_xml

check_LIBRARIES += libfuzzkit.a libreplay.a
libfuzzkit_a_SOURCES = tests/fuzz/fuzz.h tests/fuzz/support.c \
	tests/fuzz/edits.c tests/fuzz/edits.h tests/fuzz/edits_mutate.c \
	tests/fuzz/edits_parts.c tests/fuzz/edits_parts.h tests/fuzz/edits_values.c \
	tests/fuzz/message_of.c tests/fuzz/message_of.h \
	tests/fuzz/patient_compare.c tests/fuzz/patient_compare.h \
	$(SAML_COMPARE)
libfuzzkit_a_CPPFLAGS = $(FUZZ_CPPFLAGS)
libfuzzkit_a_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
libreplay_a_SOURCES = tests/fuzz/replay.c
libreplay_a_CPPFLAGS = $(FUZZ_CPPFLAGS) -DSOURCE_DIR='"$(srcdir)"'

FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(srcdir)/tests -iquote $(srcdir)/tests/unit
if FUZZING
FUZZ_LIBS = libfuzzkit.a $(ISTHMUS_LIBS) $(FUZZ_ENGINE)
noinst_PROGRAMS += $(FUZZ_TARGETS)
else
FUZZ_LIBS = libreplay.a libfuzzkit.a $(ISTHMUS_LIBS)
check_PROGRAMS += $(FUZZ_TARGETS)
endif
EXTRA_PROGRAMS = tests/fuzz/seeds
EXTRA_DIST += tests/fuzz/README.md tests/fuzz/run tests/fuzz/corpus tests/fuzz/ccda.dict \
	tests/fuzz/config.dict tests/fuzz/content_type.dict tests/fuzz/datetime.dict \
	tests/fuzz/http.dict tests/fuzz/ids.dict tests/fuzz/inline.dict tests/fuzz/jws.dict tests/fuzz/mime.dict \
	tests/fuzz/regrep.dict tests/fuzz/xcpd_answer.dict tests/fuzz/xcpd_query.dict \
	tests/fuzz/xml.dict

.PHONY: fuzzers
fuzzers: $(FUZZ_TARGETS)

tests_fuzz_fuzz_ccda_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_ccda_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/unit/config_world.c tests/unit/config_world.h
tests_fuzz_fuzz_config_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_config_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_content_type_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_content_type_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_datetime_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_datetime_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_fhir_answer_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_fhir_answer_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_hl7_answer_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_hl7_answer_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_hl7_question_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_hl7_question_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_http_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_http_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_ids_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_ids_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_inline_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_inline_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz_journal.c tests/unit/journal_kit.c tests/unit/journal_kit.h
tests_fuzz_fuzz_journal_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_journal_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_jws_SOURCES = tests/fuzz/fuzz_jws.c $(IDTOKEN_KIT)
tests_fuzz_fuzz_jws_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_jws_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_mime_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_mime_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_proof_SOURCES = tests/fuzz/fuzz_proof.c tests/unit/config_world.c tests/unit/config_world.h
tests_fuzz_fuzz_proof_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_proof_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_regrep_SOURCES = tests/fuzz/fuzz_regrep.c tests/unit/regrep_dump.c tests/unit/regrep_dump.h \
	tests/unit/answer_dump.c tests/unit/answer_dump.h
tests_fuzz_fuzz_regrep_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_regrep_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_profile_SOURCES = tests/fuzz/fuzz_profile.c $(SIGNABLE) $(ENGINES) $(SOAP_KIT)
tests_fuzz_fuzz_profile_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_profile_LDFLAGS = $(ENGINES_WRAPPED)
tests_fuzz_fuzz_profile_LDADD = $(FUZZ_LIBS)
SIGNABLE = tests/fuzz/signable.c tests/fuzz/signable.h
tests_fuzz_fuzz_saml_SOURCES = tests/fuzz/fuzz_saml.c $(SIGNABLE) $(SOAP_KIT)
tests_fuzz_fuzz_saml_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_saml_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_signature_SOURCES = tests/fuzz/fuzz_signature.c $(SOAP_KIT)
tests_fuzz_fuzz_signature_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_signature_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_xcpd_answer_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_xcpd_answer_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_xcpd_query_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_xcpd_query_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_xml_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_xml_LDADD = $(FUZZ_LIBS)

# Makes the genuine inputs of corpus/ again: make tests/fuzz/seeds && tests/fuzz/seeds FOLDER
tests_fuzz_seeds_SOURCES = tests/fuzz/seeds.c
tests_fuzz_seeds_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_seeds_LDADD = libfuzzkit.a $(ISTHMUS_LIBS)
