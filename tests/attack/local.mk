# tests/attack: the judge of the attack corpus (see Makefile.am). Built by `make`, so that it is there
# for the runner; never installed.
ATTACK_FILES = tests/attack/after.py tests/attack/appearance.py tests/attack/badcerts.py \
	tests/attack/catalogue.py tests/attack/classes_addressing.py tests/attack/classes_answers.py \
	tests/attack/classes_binding.py tests/attack/classes_crypto.py tests/attack/classes_dos.py \
	tests/attack/classes_http.py tests/attack/classes_mime.py tests/attack/classes_payload.py \
	tests/attack/classes_profiles.py tests/attack/classes_later.py tests/attack/classes_relaxed.py tests/attack/classes_replay.py \
	tests/attack/classes_responder.py tests/attack/classes_saml.py tests/attack/classes_tls.py \
	tests/attack/classes_wsw.py tests/attack/classes_xml.py tests/attack/classes_xsw.py \
	tests/attack/live.py tests/attack/live_kit.py tests/attack/messages.py tests/attack/naive.py \
	tests/attack/node.py tests/attack/oracle.py tests/attack/report.py tests/attack/responder.py \
	tests/attack/signing.py tests/attack/tlswire.py tests/attack/world.py
noinst_PROGRAMS += tests/attack/judge
tests_attack_judge_SOURCES = tests/attack/judge.c tests/attack/facts.c tests/attack/facts.h \
	tests/attack/answers.c tests/attack/answers.h tests/attack/memory.c tests/attack/memory.h \
	$(ENGINES)
tests_attack_judge_LDFLAGS = $(ENGINES_WRAPPED)
tests_attack_judge_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(srcdir)/tests
tests_attack_judge_LDADD = $(ISTHMUS_LIBS)
EXTRA_DIST += tests/attack/README.md tests/attack/run $(ATTACK_FILES)
