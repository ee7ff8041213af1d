# gateway/out: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/out/engine.c \
	gateway/out/out.h \
	gateway/out/parts.h \
	gateway/out/peer_check.c \
	gateway/out/pool.c \
	gateway/out/transfer.c
