# `make size`: bytes of code, RAM and stack on small chips, the layering table and the rules of the core, from the
# object files of two cross compilers (docs/size.md). TOP=15 names the largest functions.
.PHONY: size
size:
	@python3 -B tools/size/size.py $(if $(TOP),--top $(TOP)) build/size -- $(warnings)
