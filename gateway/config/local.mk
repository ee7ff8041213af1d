# gateway/config: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/config/config.c gateway/config/config.h \
	gateway/config/config_address.c \
	gateway/config/config_agreements.c \
	gateway/config/config_asserts.c \
	gateway/config/config_expiry.c gateway/config/config_expiry.h \
	gateway/config/config_changes.c gateway/config/config_changes.h \
	gateway/config/config_claims.c \
	gateway/config/config_assertions.c \
	gateway/config/config_credentials.c \
	gateway/config/config_files.c \
	gateway/config/config_journal.c \
	gateway/config/config_idtokens.c \
	gateway/config/config_limits.c \
	gateway/config/config_listen.c \
	gateway/config/config_outbound.c \
	gateway/config/config_partner.c \
	gateway/config/config_tls.c \
	gateway/config/config_writes.c \
	gateway/config/profiles.c gateway/config/profiles.h \
	gateway/config/profiles_apply.c \
	gateway/config/config_ocsp.c \
	gateway/config/config_reader.h \
	gateway/config/config_recipients.c \
	gateway/config/config_repositories.c \
	gateway/config/config_replies.c \
	gateway/config/config_schema.c \
	gateway/config/config_source.h \
	gateway/config/config_source_gateway.c gateway/config/config_source_supplier.c \
	gateway/config/config_source_xds.c \
	gateway/config/config_seal.c \
	gateway/config/config_sources.c \
	gateway/config/config_spool.c \
	gateway/config/config_systems.c \
	gateway/config/config_value.c
EXTRA_DIST += gateway/config/README.md

# The shipped partner profiles: compiled in, and installed to be read.
profilesdir = $(pkgdatadir)/profiles
PROFILES = gateway/config/profiles/anonymous-organization.yaml \
	gateway/config/profiles/asker-as-sender.yaml \
	gateway/config/profiles/bearer.yaml \
	gateway/config/profiles/community-error-location.yaml \
	gateway/config/profiles/date-range-required.yaml \
	gateway/config/profiles/default-namespace.yaml \
	gateway/config/profiles/delegated-requests.yaml \
	gateway/config/profiles/documents-per-retrieve.yaml \
	gateway/config/profiles/empty-answers.yaml \
	gateway/config/profiles/hub-as-receiver.yaml \
	gateway/config/profiles/lean-assertions.yaml \
	gateway/config/profiles/legacy-tls.yaml \
	gateway/config/profiles/loose-packages.yaml \
	gateway/config/profiles/one-document-per-retrieve.yaml \
	gateway/config/profiles/own-oid-as-sender.yaml \
	gateway/config/profiles/pinned-server.yaml \
	gateway/config/profiles/plain-soap-retrieve.yaml \
	gateway/config/profiles/prefixed-namespace.yaml \
	gateway/config/profiles/private-network.yaml \
	gateway/config/profiles/second-attempt.yaml \
	gateway/config/profiles/service-range-required.yaml \
	gateway/config/profiles/sha1-until.yaml \
	gateway/config/profiles/sha512.yaml \
	gateway/config/profiles/shared-timestamp.yaml \
	gateway/config/profiles/slow-answers.yaml \
	gateway/config/profiles/soap12-faults.yaml \
	gateway/config/profiles/urn-prefix.yaml \
	gateway/config/profiles/xspa-2010.yaml
dist_profiles_DATA = $(PROFILES)
EXTRA_DIST += gateway/config/profiles.sh
nodist_libisthmus_a_SOURCES = gateway/config/profiles_made.c
CLEANFILES += gateway/config/profiles_made.c
gateway/config/profiles_made.c: $(PROFILES) gateway/config/profiles.sh
	$(AM_V_GEN)$(MKDIR_P) gateway/config && \
	(cd $(srcdir) && sh gateway/config/profiles.sh $(PROFILES)) >$@.new && mv $@.new $@

check_PROGRAMS += tests/unit/test_config tests/unit/test_config_mistakes tests/unit/test_partner_mistakes
CONFIG_WORLD = tests/unit/config_world.c tests/unit/config_world.h
tests_unit_test_config_SOURCES = tests/unit/test_config.c $(CONFIG_WORLD)
tests_unit_test_config_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_config_changes
tests_unit_test_config_changes_SOURCES = tests/unit/test_config_changes.c $(CONFIG_WORLD)
tests_unit_test_config_changes_LDADD = $(UNIT_LIBS)
tests_unit_test_config_mistakes_SOURCES = tests/unit/test_config_mistakes.c $(CONFIG_WORLD)
tests_unit_test_config_mistakes_LDADD = $(UNIT_LIBS)
tests_unit_test_partner_mistakes_SOURCES = tests/unit/test_partner_mistakes.c $(CONFIG_WORLD)
tests_unit_test_partner_mistakes_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_config_trust
tests_unit_test_config_trust_SOURCES = tests/unit/test_config_trust.c $(CONFIG_WORLD)
tests_unit_test_config_trust_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_config_systems
tests_unit_test_config_systems_SOURCES = tests/unit/test_config_systems.c $(CONFIG_WORLD)
tests_unit_test_config_systems_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_config_sources
tests_unit_test_config_sources_SOURCES = tests/unit/test_config_sources.c $(CONFIG_WORLD)
tests_unit_test_config_sources_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_partner_profiles
tests_unit_test_partner_profiles_SOURCES = tests/unit/test_partner_profiles.c $(CONFIG_WORLD)
tests_unit_test_partner_profiles_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_config_repositories
tests_unit_test_config_repositories_SOURCES = tests/unit/test_config_repositories.c $(CONFIG_WORLD)
tests_unit_test_config_repositories_LDADD = $(UNIT_LIBS)
