# soap: sources and unit tests (see Makefile.am).
# ---- documents ----
libisthmus_a_SOURCES += \
	soap/ccda.c soap/ccda.h soap/ccda_parts.h \
	soap/ccda_author.c \
	soap/ccda_codes.c \
	soap/ccda_details.c \
	soap/ccda_person.c \
	soap/ccda_xml.c

check_PROGRAMS += tests/unit/test_ccda
tests_unit_test_ccda_LDADD = $(UNIT_LIBS)

# ---- messages and proof ----
libisthmus_a_SOURCES += \
	soap/answer.c \
	soap/c14n.c soap/c14n.h \
	soap/content_type.c \
	soap/dsig.c soap/dsig.h \
	soap/explain.c soap/explain.h soap/explain_parts.h \
	soap/explain_assertion.c soap/explain_checks.c soap/explain_payload.c \
	soap/explain_signatures.c soap/explain_token.c \
	soap/idtoken.c soap/idtoken.h soap/idtoken_compare.c \
	soap/jws.c soap/jws.h \
	soap/keyinfo.c soap/keyinfo.h \
	soap/message.c soap/message.h soap/message_internal.h soap/message_memory.c \
	soap/inline_documents.c soap/inline_documents.h \
	soap/mime.c soap/mime.h soap/mime_source.c soap/mime_source.h \
	soap/namespaces.h \
	soap/prescan.c soap/prescan.h \
	soap/profile.c soap/profile.h \
	soap/saml.c soap/saml_keep.c soap/saml_names.h \
	soap/saml_attributes.c soap/saml_attributes.h \
	soap/saml_write.c soap/saml_write.h soap/saml_write_attributes.c \
	soap/samlauthz.c soap/samlconfirm.c \
	soap/samlname.c soap/samlname.h \
	soap/samlrules.c soap/samlrules.h \
	soap/security.c soap/security.h soap/security_parts.h soap/security_write.c \
	soap/sign.c soap/sign.h \
	soap/sigrules.c soap/sigrules.h \
	soap/sigvalue.c soap/sigvalue.h \
	soap/sigverify.c soap/sigverify.h \
	soap/tokenref.c soap/tokenref.h \
	soap/transaction.c \
	soap/view.h \
	soap/xml.c soap/xml.h soap/xml_memory.c soap/xml_memory.h soap/xml_pieces.c soap/xml_pieces.h soap/xmlout.c soap/xmlwalk.c

SOAP_KIT = tests/unit/soap_kit.c tests/unit/soap_kit.h
SOAP_EXPECT = tests/unit/soap_expect.c tests/unit/soap_expect.h $(SOAP_KIT)
SAML_COMPARE = tests/unit/saml_compare.c tests/unit/saml_compare.h
SOAP_SECURITY_TESTS = tests/unit/test_jdk tests/unit/test_message tests/unit/test_mime \
	tests/unit/test_mutation tests/unit/test_prescan tests/unit/test_saml \
	tests/unit/test_sigkeys tests/unit/test_sigrules tests/unit/test_sigverify tests/unit/test_wrapping \
	tests/unit/test_answer_check tests/unit/test_relaxed tests/unit/test_saml_attributes \
	tests/unit/test_samlname tests/unit/test_samlrules tests/unit/test_sign tests/unit/test_tokenref \
	tests/unit/test_c14n tests/unit/test_profile tests/unit/test_xml_memory
tests_unit_test_xml_memory_LDADD = $(UNIT_LIBS)
# Each signature that reaches the arithmetic is computed by both engines (tests/unit/engines.h).
ENGINES = tests/unit/engines.c tests/unit/engines.h
ENGINES_WRAPPED = $(AM_LDFLAGS) -Wl,--wrap=dsig_verify
check_PROGRAMS += $(SOAP_SECURITY_TESTS)
tests_unit_test_c14n_SOURCES = tests/unit/test_c14n.c $(SOAP_KIT)
tests_unit_test_c14n_LDADD = $(UNIT_LIBS)
tests_unit_test_profile_SOURCES = tests/unit/test_profile.c $(ENGINES) $(SOAP_EXPECT)
tests_unit_test_profile_LDADD = $(UNIT_LIBS)
tests_unit_test_profile_LDFLAGS = $(ENGINES_WRAPPED)
check_PROGRAMS += tests/unit/test_large_message
tests_unit_test_large_message_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_large_signed
tests_unit_test_large_signed_SOURCES = tests/unit/test_large_signed.c $(SOAP_KIT)
tests_unit_test_large_signed_LDADD = $(UNIT_LIBS)
tests_unit_test_message_LDADD = $(UNIT_LIBS)
tests_unit_test_mime_LDADD = $(UNIT_LIBS)
tests_unit_test_prescan_LDADD = $(UNIT_LIBS)
tests_unit_test_jdk_SOURCES = tests/unit/test_jdk.c $(ENGINES) $(SOAP_KIT)
tests_unit_test_jdk_LDFLAGS = $(ENGINES_WRAPPED)
tests_unit_test_jdk_LDADD = $(UNIT_LIBS)
tests_unit_test_mutation_SOURCES = tests/unit/test_mutation.c $(SAML_COMPARE) $(SOAP_KIT)
tests_unit_test_mutation_LDADD = $(UNIT_LIBS)
tests_unit_test_saml_SOURCES = tests/unit/test_saml.c $(SOAP_EXPECT)
tests_unit_test_saml_LDADD = $(UNIT_LIBS)
tests_unit_test_sigkeys_SOURCES = tests/unit/test_sigkeys.c $(SOAP_EXPECT)
tests_unit_test_sigkeys_LDADD = $(UNIT_LIBS)
tests_unit_test_sigverify_SOURCES = tests/unit/test_sigverify.c $(SOAP_EXPECT)
tests_unit_test_sigverify_LDADD = $(UNIT_LIBS)
tests_unit_test_answer_check_SOURCES = tests/unit/test_answer_check.c $(SOAP_KIT)
tests_unit_test_answer_check_LDADD = $(UNIT_LIBS)
tests_unit_test_relaxed_SOURCES = tests/unit/test_relaxed.c $(SOAP_EXPECT)
tests_unit_test_relaxed_LDADD = $(UNIT_LIBS)
tests_unit_test_saml_attributes_SOURCES = tests/unit/test_saml_attributes.c $(SOAP_EXPECT)
tests_unit_test_saml_attributes_LDADD = $(UNIT_LIBS)
tests_unit_test_sigrules_SOURCES = tests/unit/test_sigrules.c $(SOAP_EXPECT)
tests_unit_test_sigrules_LDADD = $(UNIT_LIBS)
tests_unit_test_samlrules_SOURCES = tests/unit/test_samlrules.c $(SOAP_EXPECT)
tests_unit_test_samlrules_LDADD = $(UNIT_LIBS)
tests_unit_test_samlname_LDADD = $(UNIT_LIBS)
tests_unit_test_sign_SOURCES = tests/unit/test_sign.c $(SOAP_KIT)
tests_unit_test_sign_LDADD = $(UNIT_LIBS)
tests_unit_test_tokenref_SOURCES = tests/unit/test_tokenref.c $(SOAP_EXPECT)
tests_unit_test_tokenref_LDADD = $(UNIT_LIBS)
tests_unit_test_wrapping_SOURCES = tests/unit/test_wrapping.c $(SOAP_EXPECT)
tests_unit_test_wrapping_LDADD = $(UNIT_LIBS)
JWT_KIT = tests/unit/jwt_kit.c tests/unit/jwt_kit.h
IDTOKEN_KIT = tests/unit/idtoken_kit.c tests/unit/idtoken_kit.h $(JWT_KIT)
check_PROGRAMS += tests/unit/test_idtoken tests/unit/test_idtoken_compare tests/unit/test_jws
tests_unit_test_idtoken_SOURCES = tests/unit/test_idtoken.c $(IDTOKEN_KIT)
tests_unit_test_idtoken_LDADD = $(UNIT_LIBS)
tests_unit_test_idtoken_compare_SOURCES = tests/unit/test_idtoken_compare.c $(IDTOKEN_KIT)
tests_unit_test_idtoken_compare_LDADD = $(UNIT_LIBS)
tests_unit_test_jws_SOURCES = tests/unit/test_jws.c $(JWT_KIT)
tests_unit_test_jws_LDADD = $(UNIT_LIBS)
EXTRA_DIST += soap/README.md tests/interop/Jdk.java

# ---- codecs ----
libisthmus_a_SOURCES += \
	soap/envelope.c soap/envelope.h soap/envelope_parts.h \
	soap/fault.c \
	soap/mtom.c \
	soap/regrep.h soap/regrep_gsoap.c soap/regrep_gsoap_write.c \
	soap/regrep_io.c soap/regrep_io.h \
	soap/regrep_object.c soap/regrep_object.h \
	soap/regrep_payload.c soap/regrep_payload.h \
	soap/xca.h soap/xca_answer.c soap/xca_response.h soap/xdr.c soap/xdr.h \
	soap/rim_author.h soap/rim_from.c soap/rim_layout.c soap/rim_record.h soap/rim_register.c soap/rim_register.h \
	soap/rim_to.c \
	soap/xca_objects.c soap/xca_objects.h soap/xca_objects_write.c \
	soap/xca_pieces.c \
	soap/xca_query.c soap/xca_retrieve.c \
	soap/xca_value.c soap/xca_value.h \
	soap/xop.c soap/xop.h \
	soap/hl7.h soap/hl7_ack.c \
	soap/mcci.c soap/mcci.h \
	soap/pdq.c soap/pdq.h \
	soap/pix.c soap/pix.h soap/pix_answer.c soap/pix_parts.h \
	soap/plq.c soap/plq.h \
	soap/xcpd.h soap/xcpd_parts.h \
	soap/xcpd_answer_read.c soap/xcpd_answer_write.c \
	soap/xcpd_person_read.c soap/xcpd_person_write.c \
	soap/xcpd_query_read.c soap/xcpd_query_write.c \
	soap/xcpd_read_parts.c soap/xcpd_read_wrapper.c \
	soap/passed.c soap/passed.h \
	soap/xcpd_ttl.c \
	soap/xcpd_write_parts.c soap/xcpd_write_wrapper.c
EXTRA_DIST += soap/regrep.gsoap.h soap/CODECS.md

# What soapcpp2 makes of regrep.gsoap.h: in the build folder, never in the tar ball. It makes all
# files at once, so they depend on one stamp that is older than they (safe under make -j). They are
# compiled apart, without our warnings, with gSOAP's own flags (AM_CPPFLAGS has them: struct soap
# depends on them).
REGREP_MADE = soap/generated/regrepC.c soap/generated/regrepH.h soap/generated/regrepStub.h \
	soap/generated/regrep.nsmap
REGREP_STAMP = soap/generated/regrep.stamp
$(REGREP_STAMP): $(srcdir)/soap/regrep.gsoap.h
	$(AM_V_GEN)$(MKDIR_P) soap/generated && rm -f $(REGREP_MADE) $@ && touch $@.new && \
	if $(SOAPCPP2) -c -0 -CS -w -x -L -p regrep -d soap/generated $(srcdir)/soap/regrep.gsoap.h \
		>soap/generated/soapcpp2.log 2>&1; then mv $@.new $@; \
	else cat soap/generated/soapcpp2.log; exit 1; fi
# The empty recipe makes make look at the files' times again.
$(REGREP_MADE): $(REGREP_STAMP)
	@:
soap/regrep_gsoap.$(OBJEXT) soap/regrep_gsoap_write.$(OBJEXT): $(REGREP_STAMP)

noinst_LIBRARIES += libregrep.a
nodist_libregrep_a_SOURCES = soap/generated/regrepC.c
libregrep_a_CFLAGS = -O2 -g -fstack-protector-strong -fPIE -pthread $(SANITIZE_CFLAGS) -w
ISTHMUS_GENERATED += libregrep.a
BUILT_SOURCES += $(REGREP_STAMP)
CLEANFILES += $(REGREP_MADE) $(REGREP_STAMP) $(REGREP_STAMP).new soap/generated/soapcpp2.log

CODEC_TESTS = tests/unit/test_envelope tests/unit/test_xcpd tests/unit/test_xcpd_read \
	tests/unit/test_xcpd_query tests/unit/test_xcpd_answer tests/unit/test_mcci \
	tests/unit/test_pdq tests/unit/test_pix tests/unit/test_plq \
	tests/unit/test_regrep tests/unit/test_xca tests/unit/test_xca_answer \
	tests/unit/test_xca_retrieve tests/unit/test_codec_torture tests/unit/test_xca_pieces \
	tests/unit/test_xdr tests/unit/test_passthrough
check_PROGRAMS += $(CODEC_TESTS)
CODEC_SUPPORT = tests/unit/soap_support.c tests/unit/soap_support.h
tests_unit_test_envelope_SOURCES = tests/unit/test_envelope.c $(CODEC_SUPPORT)
tests_unit_test_envelope_LDADD = $(UNIT_LIBS)
tests_unit_test_xcpd_SOURCES = tests/unit/test_xcpd.c $(KEPT_PAYLOADS) $(CODEC_SUPPORT)
tests_unit_test_xcpd_LDADD = $(UNIT_LIBS)
tests_unit_test_xcpd_read_SOURCES = tests/unit/test_xcpd_read.c $(CODEC_SUPPORT)
tests_unit_test_xcpd_read_LDADD = $(UNIT_LIBS)
tests_unit_test_xcpd_query_SOURCES = tests/unit/test_xcpd_query.c $(CODEC_SUPPORT)
tests_unit_test_xcpd_query_LDADD = $(UNIT_LIBS)
tests_unit_test_xcpd_answer_SOURCES = tests/unit/test_xcpd_answer.c $(CODEC_SUPPORT)
tests_unit_test_xcpd_answer_LDADD = $(UNIT_LIBS)
tests_unit_test_mcci_SOURCES = tests/unit/test_mcci.c $(CODEC_SUPPORT)
tests_unit_test_mcci_LDADD = $(UNIT_LIBS)
tests_unit_test_pdq_SOURCES = tests/unit/test_pdq.c $(CODEC_SUPPORT) $(KEPT_PAYLOADS)
tests_unit_test_pdq_LDADD = $(UNIT_LIBS)
tests_unit_test_pix_SOURCES = tests/unit/test_pix.c $(CODEC_SUPPORT) $(KEPT_PAYLOADS)
tests_unit_test_pix_LDADD = $(UNIT_LIBS)
tests_unit_test_plq_SOURCES = tests/unit/test_plq.c $(CODEC_SUPPORT) $(KEPT_PAYLOADS)
tests_unit_test_plq_LDADD = $(UNIT_LIBS)
tests_unit_test_regrep_SOURCES = tests/unit/test_regrep.c tests/unit/regrep_dump.c \
	tests/unit/regrep_dump.h $(CODEC_SUPPORT)
tests_unit_test_regrep_LDADD = $(UNIT_LIBS)
ANSWER_DUMP = tests/unit/answer_dump.c tests/unit/answer_dump.h
tests_unit_test_xca_pieces_SOURCES = tests/unit/test_xca_pieces.c $(ANSWER_DUMP) $(CODEC_SUPPORT)
tests_unit_test_xca_pieces_LDADD = $(UNIT_LIBS)
tests_unit_test_passthrough_SOURCES = tests/unit/test_passthrough.c $(ANSWER_DUMP) $(CODEC_SUPPORT)
tests_unit_test_passthrough_LDADD = $(UNIT_LIBS)
tests_unit_test_xdr_SOURCES = tests/unit/test_xdr.c $(KEPT_PAYLOADS) $(ANSWER_DUMP) $(CODEC_SUPPORT)
tests_unit_test_xdr_LDADD = $(UNIT_LIBS)
tests_unit_test_xca_SOURCES = tests/unit/test_xca.c $(KEPT_PAYLOADS) $(CODEC_SUPPORT)
tests_unit_test_xca_LDADD = $(UNIT_LIBS)
tests_unit_test_xca_answer_SOURCES = tests/unit/test_xca_answer.c $(KEPT_PAYLOADS) $(CODEC_SUPPORT)
tests_unit_test_xca_answer_LDADD = $(UNIT_LIBS)
tests_unit_test_xca_retrieve_SOURCES = tests/unit/test_xca_retrieve.c $(KEPT_PAYLOADS) $(CODEC_SUPPORT)
tests_unit_test_xca_retrieve_LDADD = $(UNIT_LIBS)
tests_unit_test_codec_torture_SOURCES = tests/unit/test_codec_torture.c $(CODEC_SUPPORT)
tests_unit_test_codec_torture_LDADD = $(UNIT_LIBS)
