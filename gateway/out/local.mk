# gateway/out: sources and unit tests (see Makefile.am).
