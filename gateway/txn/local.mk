# gateway/txn: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/txn/asked_back.c gateway/txn/asked_back.h \
	gateway/txn/asking.c gateway/txn/asking.h gateway/txn/asking_again.c \
	gateway/txn/asking_ask.c gateway/txn/asking_collect.c gateway/txn/asking_later.c \
	gateway/txn/asking_order.c \
	gateway/txn/awaited.c gateway/txn/awaited.h \
	gateway/txn/binding.c gateway/txn/binding.h \
	gateway/txn/behind.c gateway/txn/behind.h \
	gateway/txn/brokered.c gateway/txn/brokered.h \
	gateway/txn/callback.c gateway/txn/callback.h \
	gateway/txn/deadlines.c gateway/txn/deadlines.h \
	gateway/txn/dialect_ask.c gateway/txn/dialect_ask.h \
	gateway/txn/disclosure.c gateway/txn/disclosure.h \
	gateway/txn/errand.c \
	gateway/txn/fanout.c gateway/txn/fanout.h \
	gateway/txn/inbound_replay.c \
	gateway/txn/inbound.c gateway/txn/inbound.h gateway/txn/inbound_answer.c \
	gateway/txn/inbound_individual.c \
	gateway/txn/individual.c gateway/txn/individual.h \
	gateway/txn/iti38.c gateway/txn/iti38.h gateway/txn/iti38_ask.c \
	gateway/txn/iti39.c gateway/txn/iti39.h \
	gateway/txn/iti55_behind.c gateway/txn/iti55_behind.h \
	gateway/txn/iti55.c gateway/txn/iti55.h gateway/txn/iti55_ask.c \
	gateway/txn/iti80.c gateway/txn/iti80.h \
	gateway/txn/leg.c gateway/txn/leg_answer.c gateway/txn/leg_binding.c \
	gateway/txn/leg_outcome.c \
	gateway/txn/leg_returned.c \
	gateway/txn/remembered.c \
	gateway/txn/merge.c gateway/txn/merge.h gateway/txn/merge_discovery.c \
	gateway/txn/merge_objects.c gateway/txn/merge_parts.h gateway/txn/merge_retrieve.c \
	gateway/txn/local.c gateway/txn/local.h gateway/txn/local_iti38.c \
	gateway/txn/local_iti39.c gateway/txn/local_iti55.c gateway/txn/local_who.c \
	gateway/txn/local_iti41.c \
	gateway/txn/continued.c gateway/txn/continued.h \
	gateway/txn/demographics.c gateway/txn/demographics.h \
	gateway/txn/local_iti45.c gateway/txn/local_iti47.c \
	gateway/txn/local_iti47_continue.c gateway/txn/iti56.c gateway/txn/iti56.h \
	gateway/txn/told.c gateway/txn/told.h \
	gateway/txn/node.h \
	gateway/txn/outbox.c gateway/txn/outbox.h \
	gateway/txn/own_query.c gateway/txn/own_query.h \
	gateway/txn/proof.c gateway/txn/proof.h \
	gateway/txn/provide.c gateway/txn/provide.h \
	gateway/txn/records.c gateway/txn/records.h \
	gateway/txn/registry_answer.c gateway/txn/registry_answer.h \
	gateway/txn/rounds.c \
	gateway/txn/rounds_retrieve.c \
	gateway/txn/source_answer.c gateway/txn/source_patients.c \
	gateway/txn/sources.c gateway/txn/sources.h \
	gateway/txn/supplier_ids.c gateway/txn/supplier_people.c gateway/txn/suppliers.h \
	gateway/txn/runner.c gateway/txn/txn.c \
	gateway/txn/stored_query.c gateway/txn/stored_query.h \
	gateway/txn/txn.h \
	gateway/txn/waiting.c gateway/txn/waiting.h \
	gateway/txn/source_judge.c gateway/txn/withheld.c gateway/txn/withheld.h
EXTRA_DIST += gateway/txn/README.md

check_PROGRAMS += tests/unit/test_runner tests/unit/test_merge
tests_unit_test_merge_SOURCES = tests/unit/test_merge.c tests/unit/merge_kit.c tests/unit/merge_kit.h
tests_unit_test_merge_LDADD = $(UNIT_LIBS)
tests_unit_test_runner_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_stored_query
tests_unit_test_stored_query_SOURCES = tests/unit/test_stored_query.c $(CODEC_SUPPORT)
tests_unit_test_stored_query_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_runner_end
tests_unit_test_runner_end_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_later
LATER_KIT = tests/unit/later_kit.c tests/unit/later_kit.h
tests_unit_test_scenario_later_SOURCES = tests/unit/test_scenario_later.c $(LATER_KIT) $(SCENE)
tests_unit_test_scenario_later_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_owed
tests_unit_test_scenario_owed_SOURCES = tests/unit/test_scenario_owed.c $(LATER_KIT) $(SCENE)
tests_unit_test_scenario_owed_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_collected
tests_unit_test_scenario_collected_SOURCES = tests/unit/test_scenario_collected.c $(LATER_KIT) $(SCENE)
tests_unit_test_scenario_collected_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_torture_later
tests_unit_test_scenario_torture_later_SOURCES = tests/unit/test_scenario_torture_later.c $(LATER_KIT) $(SCENE)
tests_unit_test_scenario_torture_later_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_asked_back
tests_unit_test_scenario_asked_back_SOURCES = tests/unit/test_scenario_asked_back.c $(SCENE)
tests_unit_test_scenario_asked_back_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_runner_calls
tests_unit_test_runner_calls_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_provide
SCENE = tests/unit/scene.c tests/unit/scene.h tests/unit/scene_kit.c tests/unit/scene_kit.h \
	tests/unit/scene_places.c tests/unit/scene_sink.c tests/unit/scene_slow.c
SCENARIO_TESTS = tests/unit/test_scenario tests/unit/test_scenario_query \
	tests/unit/test_scenario_retrieve tests/unit/test_scenario_asking \
	tests/unit/test_scenario_answers tests/unit/test_scenario_no_answer \
	tests/unit/test_scenario_binding tests/unit/test_scenario_returned \
	tests/unit/test_scenario_remembered \
	tests/unit/test_scenario_record tests/unit/test_scenario_replay \
	tests/unit/test_scenario_deferred \
	tests/unit/test_scenario_again tests/unit/test_scenario_styles \
	tests/unit/test_scenario_individual tests/unit/test_scenario_fanout \
	tests/unit/test_scenario_torture
check_PROGRAMS += $(SCENARIO_TESTS)
LOCAL_KIT = tests/unit/local_kit.c tests/unit/local_kit.h
check_PROGRAMS += tests/unit/test_scenario_local tests/unit/test_scenario_local_waiting tests/unit/test_local_memory
check_PROGRAMS += tests/unit/test_scenario_local_xua
tests_unit_test_scenario_local_xua_SOURCES = tests/unit/test_scenario_local_xua.c tests/unit/xua_kit.c tests/unit/xua_kit.h tests/unit/soap_kit.c tests/unit/soap_kit.h $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_local_xua_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_stored_queries
tests_unit_test_scenario_stored_queries_SOURCES = tests/unit/test_scenario_stored_queries.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_stored_queries_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_local_registry tests/unit/test_scenario_split tests/unit/test_nist_toolkit
tests_unit_test_nist_toolkit_SOURCES = tests/unit/test_nist_toolkit.c $(CODEC_SUPPORT) $(LOCAL_KIT) $(SCENE)
tests_unit_test_nist_toolkit_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_nist_documents
tests_unit_test_nist_documents_SOURCES = tests/unit/test_nist_documents.c tests/unit/nist_kit.c \
	tests/unit/nist_kit.h $(CODEC_SUPPORT) $(LOCAL_KIT) $(SCENE)
tests_unit_test_nist_documents_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_nist_xua
tests_unit_test_nist_xua_SOURCES = tests/unit/test_nist_xua.c tests/unit/nist_kit.c tests/unit/nist_kit.h \
	tests/unit/soap_kit.c tests/unit/soap_kit.h $(CODEC_SUPPORT) $(LOCAL_KIT) $(SCENE)
tests_unit_test_nist_xua_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_nist_submissions
tests_unit_test_nist_submissions_SOURCES = tests/unit/test_nist_submissions.c tests/unit/nist_kit.c \
	tests/unit/nist_kit.h $(CODEC_SUPPORT) $(LOCAL_KIT) $(SCENE)
tests_unit_test_nist_submissions_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_local_registry_SOURCES = tests/unit/test_scenario_local_registry.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_local_registry_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_split_SOURCES = tests/unit/test_scenario_split.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_split_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_sources
tests_unit_test_scenario_sources_SOURCES = tests/unit/test_scenario_sources.c tests/unit/source_kit.c tests/unit/source_kit.h $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_sources_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_suppliers tests/unit/test_scenario_cross_references
SUPPLIER_KIT = tests/unit/supplier_kit.c tests/unit/supplier_kit.h tests/unit/source_kit.c tests/unit/source_kit.h
tests_unit_test_scenario_suppliers_SOURCES = tests/unit/test_scenario_suppliers.c $(SUPPLIER_KIT) $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_suppliers_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_cross_references_SOURCES = tests/unit/test_scenario_cross_references.c $(SUPPLIER_KIT) $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_cross_references_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_kept tests/unit/test_scenario_withheld
tests_unit_test_scenario_withheld_SOURCES = tests/unit/test_scenario_withheld.c tests/unit/source_kit.c tests/unit/source_kit.h $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_withheld_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_guess tests/unit/test_scenario_sources_change
tests_unit_test_scenario_guess_SOURCES = tests/unit/test_scenario_guess.c tests/unit/source_kit.c tests/unit/source_kit.h $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_guess_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_sources_change_SOURCES = tests/unit/test_scenario_sources_change.c tests/unit/source_kit.c tests/unit/source_kit.h \
	$(LOCAL_KIT) $(SCENE) $(IDTOKEN_KIT)
tests_unit_test_scenario_sources_change_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_audit_rows tests/unit/test_audit_rows_sources
ROWS_KIT = tests/unit/audit_rows_kit.c tests/unit/audit_rows_kit.h
EXTRA_DIST += tests/unit/audit_rows.txt tests/unit/audit_rows_sources.txt
tests_unit_test_audit_rows_SOURCES = tests/unit/test_audit_rows.c $(ROWS_KIT) $(LATER_KIT) $(LOCAL_KIT) $(SCENE)
tests_unit_test_audit_rows_LDADD = $(UNIT_LIBS)
tests_unit_test_audit_rows_sources_SOURCES = tests/unit/test_audit_rows_sources.c $(ROWS_KIT) $(SUPPLIER_KIT) \
	$(PEOPLE_KIT)
tests_unit_test_audit_rows_sources_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_others
tests_unit_test_scenario_others_SOURCES = tests/unit/test_scenario_others.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_others_LDADD = $(UNIT_LIBS)
SUBMISSION_KIT = tests/unit/submission_kit.c tests/unit/submission_kit.h
tests_unit_test_scenario_kept_SOURCES = tests/unit/test_scenario_kept.c $(SUBMISSION_KIT) $(SCENE)
check_PROGRAMS += tests/unit/test_scenario_hostile
tests_unit_test_scenario_hostile_SOURCES = tests/unit/test_scenario_hostile.c $(SUBMISSION_KIT) $(SCENE)
tests_unit_test_scenario_hostile_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_kept_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_provide_SOURCES = tests/unit/test_scenario_provide.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_provide_LDADD = $(UNIT_LIBS)
tests_unit_test_local_memory_SOURCES = tests/unit/test_local_memory.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_local_memory_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_local_SOURCES = tests/unit/test_scenario_local.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_local_LDADD = $(UNIT_LIBS)
PEOPLE_KIT = tests/unit/people_kit.c tests/unit/people_kit.h $(LOCAL_KIT) $(SCENE)
check_PROGRAMS += tests/unit/test_scenario_demographics tests/unit/test_scenario_parts tests/unit/test_scenario_correlated tests/unit/test_scenario_located
tests_unit_test_scenario_correlated_SOURCES = tests/unit/test_scenario_correlated.c $(PEOPLE_KIT)
tests_unit_test_scenario_correlated_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_located_SOURCES = tests/unit/test_scenario_located.c $(PEOPLE_KIT)
tests_unit_test_scenario_located_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_demographics_SOURCES = tests/unit/test_scenario_demographics.c $(PEOPLE_KIT)
tests_unit_test_scenario_demographics_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_parts_SOURCES = tests/unit/test_scenario_parts.c $(PEOPLE_KIT)
tests_unit_test_scenario_parts_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_many
tests_unit_test_scenario_many_SOURCES = tests/unit/test_scenario_many.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_many_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_local_waiting_SOURCES = tests/unit/test_scenario_local_waiting.c $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_local_waiting_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_SOURCES = tests/unit/test_scenario.c $(SCENE)
tests_unit_test_scenario_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_query_SOURCES = tests/unit/test_scenario_query.c $(SCENE)
tests_unit_test_scenario_query_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_retrieve_SOURCES = tests/unit/test_scenario_retrieve.c $(SCENE)
tests_unit_test_scenario_retrieve_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_asking_SOURCES = tests/unit/test_scenario_asking.c $(SCENE)
tests_unit_test_scenario_asking_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_answers_SOURCES = tests/unit/test_scenario_answers.c $(SCENE)
tests_unit_test_scenario_answers_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_deferred_SOURCES = tests/unit/test_scenario_deferred.c $(SCENE)
tests_unit_test_scenario_deferred_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_no_answer_SOURCES = tests/unit/test_scenario_no_answer.c $(SCENE)
tests_unit_test_scenario_no_answer_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_again_SOURCES = tests/unit/test_scenario_again.c $(SCENE)
tests_unit_test_scenario_again_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_styles_SOURCES = tests/unit/test_scenario_styles.c $(SCENE)
tests_unit_test_scenario_styles_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_remembered_SOURCES = tests/unit/test_scenario_remembered.c $(SCENE)
tests_unit_test_scenario_remembered_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_returned_SOURCES = tests/unit/test_scenario_returned.c $(SCENE)
tests_unit_test_scenario_returned_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_binding_SOURCES = tests/unit/test_scenario_binding.c $(SCENE)
tests_unit_test_scenario_binding_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_record_SOURCES = tests/unit/test_scenario_record.c $(SCENE)
tests_unit_test_scenario_record_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_replay_SOURCES = tests/unit/test_scenario_replay.c $(SCENE)
tests_unit_test_scenario_replay_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_fanout_SOURCES = tests/unit/test_scenario_fanout.c $(SCENE)
tests_unit_test_scenario_fanout_LDADD = $(UNIT_LIBS)
tests_unit_test_scenario_torture_SOURCES = tests/unit/test_scenario_torture.c $(SCENE)
tests_unit_test_scenario_torture_LDADD = $(UNIT_LIBS)
# (the kit of soap/local.mk)
tests_unit_test_scenario_individual_SOURCES = tests/unit/test_scenario_individual.c $(SCENE) $(IDTOKEN_KIT)
tests_unit_test_scenario_individual_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_dialects
DIALECT_KIT = tests/unit/dialect_kit.c tests/unit/dialect_kit.h \
	tests/unit/dialect_front.c tests/unit/dialect_front.h
tests_unit_test_dialects_SOURCES = tests/unit/test_dialects.c $(DIALECT_KIT) $(SCENE)
tests_unit_test_dialects_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_dialects_tls
tests_unit_test_dialects_tls_SOURCES = tests/unit/test_dialects_tls.c tests/unit/tls_front.c \
	tests/unit/tls_front.h $(DIALECT_KIT) $(SCENE) $(OUT_FIXTURE)
tests_unit_test_dialects_tls_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_references
tests_unit_test_scenario_references_SOURCES = tests/unit/test_scenario_references.c tests/unit/soap_support.c tests/unit/soap_support.h $(LOCAL_KIT) $(SCENE)
tests_unit_test_scenario_references_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_discovery
tests_unit_test_scenario_discovery_SOURCES = tests/unit/test_scenario_discovery.c $(SCENE)
tests_unit_test_scenario_discovery_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_scenario_behind
BEHIND_KIT = tests/unit/behind_kit.c tests/unit/behind_kit.h $(LOCAL_KIT)
tests_unit_test_scenario_behind_SOURCES = tests/unit/test_scenario_behind.c $(BEHIND_KIT) $(SCENE)
tests_unit_test_scenario_behind_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_dialects_inbound
tests_unit_test_dialects_inbound_SOURCES = tests/unit/test_dialects_inbound.c $(DIALECT_KIT) $(SCENE)
tests_unit_test_dialects_inbound_LDADD = $(UNIT_LIBS)
