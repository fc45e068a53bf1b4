# `make soak-contacts`: the long form of the transmission protocols on a faulty line; EXCHANGES=n: so many commands.
.PHONY: soak-contacts
soak-contacts: $(BUILD)/tests/unit/test_t1_faults $(BUILD)/tests/unit/test_t0_faults
	@SOAK=$(or $(EXCHANGES),5000000) TEST_TIMEOUT=86400 tests/run $^
