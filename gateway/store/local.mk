# gateway/store: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/store/audit_index.c gateway/store/audit_index.h gateway/store/audit_index_file.h \
	gateway/store/audit_index_find.c \
	gateway/store/db.c gateway/store/db.h \
	gateway/store/jobs.c gateway/store/jobs.h \
	gateway/store/match.c gateway/store/match.h \
	gateway/store/pending.h \
	gateway/store/match_believe.c gateway/store/match_parts.h \
	gateway/store/match_prepare.c gateway/store/match_question.c \
	gateway/store/registry.h \
	gateway/store/replay.c gateway/store/replay.h \
	gateway/store/replay_file.c gateway/store/replay_file.h \
	gateway/store/replay_load.c gateway/store/replay_segment.h \
	gateway/store/replay_memory.c gateway/store/replay_memory.h \
	gateway/store/replay_table.c gateway/store/replay_table.h \
	gateway/store/visit.c \
	gateway/store/sqlite.c gateway/store/sqlite.h \
	gateway/store/sqlite_ask.c \
	gateway/store/sqlite_associations.c \
	gateway/store/correlation.h gateway/store/sqlite_correlations.c \
	gateway/store/person_text.c gateway/store/person_text.h \
	gateway/store/sqlite_details.c \
	gateway/store/sqlite_documents.c \
	gateway/store/sqlite_entries.c \
	gateway/store/sqlite_files.c gateway/store/sqlite_files.h \
	gateway/store/sqlite_find.c \
	gateway/store/sqlite_jobs.c \
	gateway/store/sqlite_join.c \
	gateway/store/sqlite_learn.c gateway/store/sqlite_learn.h \
	gateway/store/sqlite_lists.c gateway/store/sqlite_lists.h \
	gateway/store/sqlite_match.c \
	gateway/store/sqlite_packages.c gateway/store/sqlite_registry.h \
	gateway/store/sqlite_members.c \
	gateway/store/search.c gateway/store/search.h \
	gateway/store/sqlite_search.c \
	gateway/store/sqlite_known.c \
	gateway/store/sqlite_patients.c \
	gateway/store/sqlite_pending.c \
	gateway/store/sqlite_people.c \
	gateway/store/sqlite_replay.c \
	gateway/store/sqlite_retrieve.c \
	gateway/store/sqlite_schema.c gateway/store/sqlite_tables.h \
	gateway/store/sqlite_slots.c \
	gateway/store/sqlite_submit.c gateway/store/sqlite_submit.h \
	gateway/store/sqlite_submit_check.c \
	gateway/store/sqlite_submit_patient.c \
	gateway/store/sqlite_submit_refer.c \
	gateway/store/sqlite_texts.c \
	gateway/store/store.c gateway/store/store.h gateway/store/store_engine.h
EXTRA_DIST += gateway/store/README.md

REGISTRY_KIT = tests/unit/registry_kit.c tests/unit/registry_kit.h tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
REGISTRY_TESTS = tests/unit/test_registry_ask tests/unit/test_registry_refuse \
	tests/unit/test_registry_store tests/unit/test_registry_submit
check_PROGRAMS += $(REGISTRY_TESTS)
tests_unit_test_registry_ask_LDADD = $(UNIT_LIBS)
tests_unit_test_registry_ask_SOURCES = tests/unit/test_registry_ask.c $(REGISTRY_KIT)
tests_unit_test_registry_refuse_LDADD = $(UNIT_LIBS)
tests_unit_test_registry_refuse_SOURCES = tests/unit/test_registry_refuse.c $(REGISTRY_KIT)
tests_unit_test_registry_store_LDADD = $(UNIT_LIBS)
tests_unit_test_registry_store_SOURCES = tests/unit/test_registry_store.c $(REGISTRY_KIT)
tests_unit_test_registry_submit_LDADD = $(UNIT_LIBS)
tests_unit_test_registry_submit_SOURCES = tests/unit/test_registry_submit.c $(REGISTRY_KIT)

STORE_TESTS = tests/unit/test_match tests/unit/test_store tests/unit/test_store_find \
	tests/unit/test_store_discovery \
	tests/unit/test_store_people tests/unit/test_store_replay tests/unit/test_store_threads
check_PROGRAMS += $(STORE_TESTS)
tests_unit_test_match_LDADD = $(UNIT_LIBS)
tests_unit_test_match_SOURCES = tests/unit/test_match.c tests/unit/match_kit.c \
	tests/unit/match_kit.h
EXTRA_DIST += tests/unit/match_cases.txt
tests_unit_test_store_LDADD = $(UNIT_LIBS)
tests_unit_test_store_SOURCES = tests/unit/test_store.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
tests_unit_test_store_discovery_LDADD = $(UNIT_LIBS)
tests_unit_test_store_discovery_SOURCES = tests/unit/test_store_discovery.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_store_find_LDADD = $(UNIT_LIBS)
tests_unit_test_store_find_SOURCES = tests/unit/test_store_find.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
tests_unit_test_store_replay_LDADD = $(UNIT_LIBS)
tests_unit_test_store_replay_SOURCES = tests/unit/test_store_replay.c $(REGISTRY_KIT)
tests_unit_test_store_threads_LDADD = $(UNIT_LIBS)
tests_unit_test_store_threads_SOURCES = tests/unit/test_store_threads.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
tests_unit_test_store_people_LDADD = $(UNIT_LIBS)
tests_unit_test_store_people_SOURCES = tests/unit/test_store_people.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
check_PROGRAMS += tests/unit/test_store_learn
tests_unit_test_store_learn_SOURCES = tests/unit/test_store_learn.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
tests_unit_test_store_learn_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_jobs
tests_unit_test_jobs_LDADD = $(UNIT_LIBS)
tests_unit_test_jobs_SOURCES = tests/unit/test_jobs.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h

check_PROGRAMS += tests/unit/test_store_files
tests_unit_test_store_files_LDADD = $(UNIT_LIBS)
tests_unit_test_store_files_SOURCES = tests/unit/test_store_files.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h

REPLAY_TESTS = tests/unit/test_replay_table tests/unit/test_replay_files \
	tests/unit/test_replay_memory
REPLAY_KIT = tests/unit/replay_kit.c tests/unit/replay_kit.h
check_PROGRAMS += $(REPLAY_TESTS)
tests_unit_test_replay_table_LDADD = $(UNIT_LIBS)
tests_unit_test_replay_files_LDADD = $(UNIT_LIBS)
tests_unit_test_replay_files_SOURCES = tests/unit/test_replay_files.c $(REPLAY_KIT)
tests_unit_test_replay_memory_LDADD = $(UNIT_LIBS)
tests_unit_test_replay_memory_SOURCES = tests/unit/test_replay_memory.c $(REPLAY_KIT)
