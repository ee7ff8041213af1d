# gateway/audit: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/audit/chain.c gateway/audit/chain.h \
	gateway/audit/cipher.c gateway/audit/cipher.h \
	gateway/audit/cursor.c gateway/audit/cursor.h \
	gateway/audit/commit.c \
	gateway/audit/event.c gateway/audit/event.h \
	gateway/audit/fhir.c gateway/audit/fhir.h \
	gateway/audit/fhir_answer.c gateway/audit/fhir_answer.h \
	gateway/audit/fhir_codes.c gateway/audit/fhir_codes.h \
	gateway/audit/fhir_entities.c gateway/audit/fhir_rows.h \
	gateway/audit/fleet.c gateway/audit/fleet.h \
	gateway/audit/guard.c gateway/audit/late.c \
	gateway/audit/gather.c gateway/audit/gather.h \
	gateway/audit/journal.c gateway/audit/journal.h gateway/audit/journal_state.h \
	gateway/audit/link.c gateway/audit/prepare.c \
	gateway/audit/merkle.c gateway/audit/merkle.h \
	gateway/audit/message.c gateway/audit/message_objects.c gateway/audit/message_rows.h \
	gateway/audit/message_parts.c gateway/audit/message_parts.h \
	gateway/audit/place.h \
	gateway/audit/message_kind.c \
	gateway/audit/proof.c gateway/audit/proof.h \
	gateway/audit/reader.c \
	gateway/audit/record.c gateway/audit/record.h \
	gateway/audit/recovery.c \
	gateway/audit/retention.c gateway/audit/retention.h \
	gateway/audit/seal.c gateway/audit/seal.h \
	gateway/audit/sealer.c gateway/audit/sealer.h \
	gateway/audit/rotation.c \
	gateway/audit/segment.c gateway/audit/segment.h \
	gateway/audit/ship.c gateway/audit/ship.h \
	gateway/audit/ship_fhir.c gateway/audit/ship_fhir.h \
	gateway/audit/ship_refused.c gateway/audit/ship_refused.h \
	gateway/audit/ship_cursor.c gateway/audit/ship_cursor.h \
	gateway/audit/ship_queue.c gateway/audit/ship_queue.h \
	gateway/audit/ship_syslog.c gateway/audit/ship_syslog.h \
	gateway/audit/statement.c gateway/audit/statement.h \
	gateway/audit/unfinished.c \
	gateway/audit/verify.c gateway/audit/verify.h \
	gateway/audit/verify_against.c gateway/audit/verify_archive.c
EXTRA_DIST += gateway/audit/README.md

JOURNAL_KIT = tests/unit/journal_kit.c tests/unit/journal_kit.h
FHIR_RULES = tests/unit/fhir_rules.c tests/unit/fhir_rules.h
AUDIT_FACTS = tests/unit/audit_facts.c tests/unit/audit_facts.h
AUDIT_TESTS = tests/unit/test_gather tests/unit/test_event tests/unit/test_audit_message tests/unit/test_audit_fhir tests/unit/test_journal \
	tests/unit/test_journal_damage tests/unit/test_journal_disk tests/unit/test_journal_reader \
	tests/unit/test_journal_recovery tests/unit/test_journal_unfinished tests/unit/test_merkle \
	tests/unit/test_sealer tests/unit/test_forged tests/unit/test_retention tests/unit/test_proof \
	tests/unit/test_audit_verify
check_PROGRAMS += $(AUDIT_TESTS)
tests_unit_test_gather_SOURCES = tests/unit/test_gather.c $(JOURNAL_KIT)
tests_unit_test_gather_LDADD = $(UNIT_LIBS)
tests_unit_test_event_LDADD = $(UNIT_LIBS)
tests_unit_test_audit_message_SOURCES = tests/unit/test_audit_message.c tests/unit/audit_kinds.h \
	tests/unit/audit_sample.h
tests_unit_test_audit_message_LDADD = $(UNIT_LIBS)
tests_unit_test_audit_fhir_SOURCES = tests/unit/test_audit_fhir.c $(FHIR_RULES) $(AUDIT_FACTS)
tests_unit_test_audit_fhir_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c $(JOURNAL_KIT)
tests_unit_test_journal_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_damage_SOURCES = tests/unit/test_journal_damage.c $(JOURNAL_KIT)
tests_unit_test_journal_damage_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_disk_SOURCES = tests/unit/test_journal_disk.c $(JOURNAL_KIT)
tests_unit_test_journal_disk_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_reader_SOURCES = tests/unit/test_journal_reader.c $(JOURNAL_KIT)
tests_unit_test_journal_reader_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_recovery_SOURCES = tests/unit/test_journal_recovery.c $(JOURNAL_KIT)
tests_unit_test_journal_recovery_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_unfinished_SOURCES = tests/unit/test_journal_unfinished.c $(JOURNAL_KIT)
tests_unit_test_journal_unfinished_LDADD = $(UNIT_LIBS)

SHIP_KIT = tests/unit/ship_kit.c tests/unit/ship_kit.h $(JOURNAL_KIT)
check_PROGRAMS += tests/unit/test_ship tests/unit/test_ship_cursor
tests_unit_test_ship_cursor_SOURCES = tests/unit/test_ship_cursor.c $(JOURNAL_KIT)
tests_unit_test_ship_cursor_LDADD = $(UNIT_LIBS)
tests_unit_test_ship_SOURCES = tests/unit/test_ship.c $(SHIP_KIT)
tests_unit_test_ship_LDADD = $(UNIT_LIBS)
tests_unit_test_merkle_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_syslog
tests_unit_test_syslog_SOURCES = tests/unit/test_syslog.c tests/unit/collector_kit.c \
	tests/unit/collector_kit.h $(SHIP_KIT) $(CONFIG_WORLD)
tests_unit_test_syslog_LDADD = $(UNIT_LIBS)
SEAL_KIT = tests/unit/seal_kit.c tests/unit/seal_kit.h tests/unit/certs_world.c \
	tests/unit/certs_world.h $(JOURNAL_KIT)
tests_unit_test_sealer_SOURCES = tests/unit/test_sealer.c $(SEAL_KIT)
tests_unit_test_sealer_LDADD = $(UNIT_LIBS)
tests_unit_test_forged_SOURCES = tests/unit/test_forged.c $(SEAL_KIT)
tests_unit_test_forged_LDADD = $(UNIT_LIBS)
tests_unit_test_retention_SOURCES = tests/unit/test_retention.c $(SEAL_KIT)
tests_unit_test_retention_LDADD = $(UNIT_LIBS)
tests_unit_test_proof_SOURCES = tests/unit/test_proof.c $(SEAL_KIT)
tests_unit_test_proof_LDADD = $(UNIT_LIBS)

ARR_KIT = tests/unit/arr_kit.c tests/unit/arr_kit.h $(FHIR_RULES) $(NET_FIXTURE)
check_PROGRAMS += tests/unit/test_ship_fhir
tests_unit_test_ship_fhir_SOURCES = tests/unit/test_ship_fhir.c $(ARR_KIT) $(SHIP_KIT)
tests_unit_test_ship_fhir_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_fhir_answer
tests_unit_test_fhir_answer_LDADD = $(UNIT_LIBS)
GUARD_TESTS = tests/unit/test_audit_cipher tests/unit/test_journal_cipher tests/unit/test_journal_guard tests/unit/test_journal_room \
	tests/unit/test_journal_link tests/unit/test_journal_prepare
check_PROGRAMS += $(GUARD_TESTS)
tests_unit_test_audit_cipher_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_cipher_SOURCES = tests/unit/test_journal_cipher.c $(JOURNAL_KIT)
tests_unit_test_journal_cipher_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_link_SOURCES = tests/unit/test_journal_link.c $(JOURNAL_KIT)
tests_unit_test_journal_link_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_prepare_SOURCES = tests/unit/test_journal_prepare.c $(JOURNAL_KIT)
tests_unit_test_journal_prepare_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_guard_SOURCES = tests/unit/test_journal_guard.c $(JOURNAL_KIT)
tests_unit_test_journal_guard_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_fleet
tests_unit_test_fleet_SOURCES = tests/unit/test_fleet.c tests/unit/collector_kit.c \
	tests/unit/collector_kit.h $(SHIP_KIT) $(CONFIG_WORLD)
tests_unit_test_fleet_LDADD = $(UNIT_LIBS)
tests_unit_test_audit_verify_SOURCES = tests/unit/test_audit_verify.c $(SEAL_KIT)
tests_unit_test_audit_verify_LDADD = $(UNIT_LIBS)
tests_unit_test_journal_room_SOURCES = tests/unit/test_journal_room.c $(JOURNAL_KIT)
tests_unit_test_journal_room_LDADD = $(UNIT_LIBS)
