# gateway/store: sources and unit tests (see Makefile.am).
