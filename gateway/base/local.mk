# gateway/base: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/base/arena.c gateway/base/arena.h \
	gateway/base/body.c gateway/base/body.h \
	gateway/base/budget.c gateway/base/budget.h \
	gateway/base/buf.c gateway/base/buf.h \
	gateway/base/clock.c gateway/base/clock.h \
	gateway/base/datetime.c gateway/base/datetime.h \
	gateway/base/dialect.c gateway/base/dialect.h \
	gateway/base/diag.c gateway/base/diag.h \
	gateway/base/digest.c gateway/base/digest.h \
	gateway/base/document.c gateway/base/document.h \
	gateway/base/registry.h \
	gateway/base/err_table.h \
	gateway/base/hl7v2.c gateway/base/hl7v2.h \
	gateway/base/ids.c gateway/base/ids.h \
	gateway/base/journal_keys.c gateway/base/journal_keys.h \
	gateway/base/jsonw.c gateway/base/jsonw.h \
	gateway/base/log.c gateway/base/log.h \
	gateway/base/machine.c gateway/base/machine.h \
	gateway/base/mem.c gateway/base/mem.h \
	gateway/base/metrics.c gateway/base/metrics.h \
	gateway/base/notes.c gateway/base/notes.h \
	gateway/base/park.h \
	gateway/base/patient.c gateway/base/patient.h \
	gateway/base/person_match.c gateway/base/person_match.h \
	gateway/base/span.c gateway/base/span.h \
	gateway/base/spool.c gateway/base/spool.h \
	gateway/base/status.c gateway/base/status.h \
	gateway/base/text.c gateway/base/text.h \
	gateway/base/thread.c gateway/base/thread.h \
	gateway/base/xmlw.c gateway/base/xmlw.h
EXTRA_DIST += gateway/base/README.md

BASE_TESTS = tests/unit/test_arena tests/unit/test_body tests/unit/test_buf tests/unit/test_budget tests/unit/test_datetime \
	tests/unit/test_digest tests/unit/test_document tests/unit/test_ids tests/unit/test_log tests/unit/test_machine tests/unit/test_notes tests/unit/test_patient \
	tests/unit/test_span tests/unit/test_spool tests/unit/test_status tests/unit/test_text tests/unit/test_thread tests/unit/test_writers
check_PROGRAMS += $(BASE_TESTS)
tests_unit_test_arena_LDADD = $(UNIT_LIBS)
tests_unit_test_body_LDADD = $(UNIT_LIBS)
tests_unit_test_budget_LDADD = $(UNIT_LIBS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)
tests_unit_test_datetime_LDADD = $(UNIT_LIBS)
tests_unit_test_digest_LDADD = $(UNIT_LIBS)
tests_unit_test_document_LDADD = $(UNIT_LIBS)
tests_unit_test_ids_LDADD = $(UNIT_LIBS)
tests_unit_test_log_LDADD = $(UNIT_LIBS)
tests_unit_test_machine_LDADD = $(UNIT_LIBS)
tests_unit_test_notes_LDADD = $(UNIT_LIBS)
tests_unit_test_patient_LDADD = $(UNIT_LIBS)
tests_unit_test_span_LDADD = $(UNIT_LIBS)
tests_unit_test_spool_LDADD = $(UNIT_LIBS)
tests_unit_test_status_LDADD = $(UNIT_LIBS)
tests_unit_test_text_LDADD = $(UNIT_LIBS)
tests_unit_test_thread_LDADD = $(UNIT_LIBS)
tests_unit_test_writers_LDADD = $(UNIT_LIBS)

libisthmus_a_SOURCES += gateway/base/mailbox.c gateway/base/mailbox.h
check_PROGRAMS += tests/unit/test_mailbox
tests_unit_test_mailbox_LDADD = $(UNIT_LIBS)

libisthmus_a_SOURCES += gateway/base/yaml.c gateway/base/yaml.h gateway/base/yaml_report.c
check_PROGRAMS += tests/unit/test_yaml
tests_unit_test_yaml_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_metrics
tests_unit_test_metrics_LDADD = $(UNIT_LIBS)
