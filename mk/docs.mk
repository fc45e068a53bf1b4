# `make docs` writes the pages that are made from tables in the sources; `make docs-check` fails if a page in docs/ is
# not what the tables say.
gendocs := $(BUILD)/gendocs
doc_pages := commands gate

$(gendocs): tools/docs/gendocs.c src/app_domain/commands.def $(wildcard include/cos/*.h)
	@mkdir -p $(@D)
	$(CC) -std=c11 $(warnings) -Iinclude -Isrc -o $@ $<

.PHONY: docs docs-check
docs: $(gendocs)
	@for page in $(doc_pages); do $(gendocs) $$page >docs/$$page.md || exit 1; done

docs-check: $(gendocs)
	@mkdir -p build/docs
	@for page in $(doc_pages); do \
	    $(gendocs) $$page >build/docs/$$page.md || exit 1; \
	    diff -u docs/$$page.md build/docs/$$page.md || { echo "docs: docs/$$page.md is stale: run make docs"; exit 1; }; \
	done
	@echo 'docs: $(words $(doc_pages)) pages are what the tables say'
