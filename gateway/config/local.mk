# gateway/config: sources and unit tests (see Makefile.am).
