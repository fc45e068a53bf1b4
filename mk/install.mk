# `make install PREFIX=/usr/local DESTDIR=`: headers, both chips' libraries with pkg-config files, twincard and twinctl.
# `make test-install` builds a firmware and each header by itself with nothing but what was installed.
VERSION := $(shell sed -n 's/^.define COS_VERSION *"\(.*\)"/\1/p' include/cos/config.h)
install_root = $(DESTDIR)$(PREFIX)
pc_files := $(BUILD)/cos-app.pc $(BUILD)/cos-secure.pc

# PREFIX may be another one at each call.
.PHONY: force-pc
$(BUILD)/cos-%.pc: force-pc
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$${prefix}/include' 'libdir=$${prefix}/lib' '' \
	    'Name: cos-$*' 'Description: TwinCOS, the $(if $(filter app,$*),application,security) chip' \
	    'Version: $(VERSION)' 'Cflags: -I$${includedir}' \
	    'Libs: -L$${libdir} -lcos-$* $(crypto_libs)' >$@

.PHONY: install test-install
install: $(app_lib) $(secure_lib) $(programs) $(pc_files)
	install -d $(install_root)/include/cos $(install_root)/lib/pkgconfig $(install_root)/bin
	install -m 644 include/cos/*.h $(install_root)/include/cos
	install -m 644 $(app_lib) $(secure_lib) $(install_root)/lib
	install -m 644 $(pc_files) $(install_root)/lib/pkgconfig
	install $(programs) $(install_root)/bin

test-install: all
	@CC='$(CC)' MAKE='$(MAKE)' BUILD='$(BUILD)' WARNINGS='$(warnings)' tests/install/run.sh
