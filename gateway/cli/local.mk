# gateway/cli: the program, and its subcommands in the library so that tests can call them.
libisthmus_a_SOURCES += \
	gateway/cli/answers.c gateway/cli/answers.h \
	gateway/cli/answers_write.c \
	gateway/cli/await.c gateway/cli/await.h \
	gateway/cli/audit_access.c gateway/cli/audit_access.h \
	gateway/cli/audit_disclosure.c gateway/cli/audit_disclosure.h \
	gateway/cli/audit_filter.c gateway/cli/audit_filter.h \
	gateway/cli/audit_choices.c gateway/cli/audit_choices.h \
	gateway/cli/audit_people.c gateway/cli/audit_people.h \
	gateway/cli/audit_look.c gateway/cli/audit_show.c \
	gateway/cli/audit_update.c gateway/cli/audit_update.h \
	gateway/cli/audit_search.c gateway/cli/audit_search.h \
	gateway/cli/audit_export.c gateway/cli/audit_export.h gateway/cli/audit_export_form.c \
	gateway/cli/audit_story.c gateway/cli/audit_story.h \
	gateway/cli/audit_walk.c gateway/cli/audit_walk.h \
	gateway/cli/csv.c gateway/cli/csv.h \
	gateway/cli/audit_text.c gateway/cli/audit_text.h \
	gateway/cli/audit_view.c gateway/cli/audit_view.h \
	gateway/cli/cli.c gateway/cli/cli.h \
	gateway/cli/client.c gateway/cli/client.h \
	gateway/cli/cmd_audit.c \
	gateway/cli/cmd_check.c \
	gateway/cli/cmd_decode.c gateway/cli/decode.h gateway/cli/decode_capture.c \
	gateway/cli/decode_judge.c gateway/cli/decode_tell.c \
	gateway/cli/cmd_discover.c \
	gateway/cli/cmd_gather.c \
	gateway/cli/cmd_import.c \
	gateway/cli/cmd_init.c gateway/cli/init.h gateway/cli/journal.c gateway/cli/journal.h gateway/cli/init_plan.c gateway/cli/init_text.c \
	gateway/cli/cmd_locate.c \
	gateway/cli/cmd_partners.c \
	gateway/cli/cmd_policy.c \
	gateway/cli/cmd_query.c \
	gateway/cli/cmd_retrieve.c \
	gateway/cli/cmd_send.c \
	gateway/cli/sent.c gateway/cli/sent.h \
	gateway/cli/submission.c gateway/cli/submission.h \
	gateway/cli/audit_judge.c gateway/cli/audit_judge.h \
	gateway/cli/audit_verify.c gateway/cli/audit_verify.h \
	gateway/cli/cmd_serve.c gateway/cli/serve.h gateway/cli/serve_admin.c gateway/cli/serve_later.c gateway/cli/serve_refusals.c gateway/cli/serve_reload.c \
	gateway/cli/serve_seal.c gateway/cli/serve_ship.c gateway/cli/serve_status.c \
	gateway/cli/serve_life.c gateway/cli/service.c gateway/cli/service.h \
	gateway/cli/expiry_log.c gateway/cli/expiry_log.h \
	gateway/cli/import.c gateway/cli/import.h \
	gateway/cli/import_files.c gateway/cli/import_files.h \
	gateway/cli/reach.c gateway/cli/reach.h \
	gateway/cli/sidecar.c gateway/cli/sidecar.h \
	gateway/cli/show_relaxed.c \
	gateway/cli/show_audit.c gateway/cli/show_sources.c \
	gateway/cli/show_style.c \
	gateway/cli/show_trust.c \
	gateway/cli/show.c gateway/cli/show.h

bin_PROGRAMS += gateway/isthmus
gateway_isthmus_SOURCES = gateway/cli/main.c
# First, so that its malloc is found before the C library's, by every library, too.
gateway_isthmus_LDADD = $(MIMALLOC_LIBS) $(ISTHMUS_LIBS)

# Units for systemd; the service names where the program is installed.
systemdsystemunitdir = $(prefix)/lib/systemd/system
dist_systemdsystemunit_DATA = gateway/isthmus.socket gateway/isthmus-local.socket gateway/isthmus-admin.socket
nodist_systemdsystemunit_DATA = gateway/isthmus.service
sysusersdir = $(prefix)/lib/sysusers.d
EXTRA_DIST += gateway/isthmus.service.in gateway/isthmus.sysusers
CLEANFILES += gateway/isthmus.service
gateway/isthmus.service: gateway/isthmus.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) gateway && \
	sed -e 's|[@]bindir[@]|$(bindir)|g' -e 's|[@]docdir[@]|$(docdir)|g' $(srcdir)/gateway/isthmus.service.in >$@.new && mv $@.new $@
install-data-local:
	$(MKDIR_P) "$(DESTDIR)$(sysusersdir)"
	$(INSTALL_DATA) $(srcdir)/gateway/isthmus.sysusers "$(DESTDIR)$(sysusersdir)/isthmus.conf"
uninstall-local:
	rm -f "$(DESTDIR)$(sysusersdir)/isthmus.conf"

check_PROGRAMS += tests/unit/test_init
CLI_KIT = tests/unit/cli_kit.c tests/unit/cli_kit.h
tests_unit_test_init_SOURCES = tests/unit/test_init.c $(CLI_KIT)
tests_unit_test_init_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_cmd_partners
tests_unit_test_cmd_partners_SOURCES = tests/unit/test_cmd_partners.c $(CLI_KIT) \
	tests/unit/config_world.c tests/unit/config_world.h
tests_unit_test_cmd_partners_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_cmd_policy
tests_unit_test_cmd_policy_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_audit_view tests/unit/test_audit_search tests/unit/test_audit_access
tests_unit_test_audit_access_SOURCES = tests/unit/test_audit_access.c $(JOURNAL_KIT)
tests_unit_test_audit_access_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_audit_export
tests_unit_test_audit_export_SOURCES = tests/unit/test_audit_export.c $(JOURNAL_KIT)
tests_unit_test_audit_export_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_audit_people
tests_unit_test_audit_people_SOURCES = tests/unit/test_audit_people.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_audit_people_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_audit_use
tests_unit_test_audit_use_SOURCES = tests/unit/test_audit_use.c $(JOURNAL_KIT)
tests_unit_test_audit_use_LDADD = $(UNIT_LIBS)
tests_unit_test_audit_search_SOURCES = tests/unit/test_audit_search.c $(JOURNAL_KIT)
tests_unit_test_audit_search_LDADD = $(UNIT_LIBS)
tests_unit_test_audit_view_SOURCES = tests/unit/test_audit_view.c $(JOURNAL_KIT)
tests_unit_test_audit_view_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_import tests/unit/test_sidecar
tests_unit_test_import_SOURCES = tests/unit/test_import.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h
tests_unit_test_import_LDADD = $(UNIT_LIBS)
tests_unit_test_sidecar_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_answers
tests_unit_test_answers_SOURCES = tests/unit/test_answers.c $(SCENE)
tests_unit_test_answers_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_decode tests/unit/test_decode_hostile
DECODE_KIT = tests/unit/decode_kit.c tests/unit/decode_kit.h $(SCENE)
tests_unit_test_decode_SOURCES = tests/unit/test_decode.c tests/unit/soap_support.c \
	tests/unit/soap_support.h $(DECODE_KIT)
tests_unit_test_decode_hostile_SOURCES = tests/unit/test_decode_hostile.c $(DECODE_KIT)
tests_unit_test_decode_hostile_LDADD = $(UNIT_LIBS)
tests_unit_test_decode_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_service tests/unit/test_liveness
tests_unit_test_service_LDADD = $(UNIT_LIBS)
tests_unit_test_liveness_SOURCES = tests/unit/test_liveness.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h $(JOURNAL_KIT)
tests_unit_test_liveness_LDADD = $(UNIT_LIBS)
