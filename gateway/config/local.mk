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
	gateway/config/config_idtokens.c \
	gateway/config/config_limits.c \
	gateway/config/config_listen.c \
	gateway/config/config_outbound.c \
	gateway/config/config_partner.c \
	gateway/config/config_ocsp.c \
	gateway/config/config_reader.h \
	gateway/config/config_recipients.c \
	gateway/config/config_replies.c \
	gateway/config/config_schema.c \
	gateway/config/config_source.h \
	gateway/config/config_source_gateway.c gateway/config/config_source_supplier.c \
	gateway/config/config_source_xds.c \
	gateway/config/config_sources.c \
	gateway/config/config_spool.c \
	gateway/config/config_systems.c \
	gateway/config/config_value.c
EXTRA_DIST += gateway/config/README.md

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
