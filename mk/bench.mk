# `make bench-fs`: what commands on files cost, against the number of files and their size: page programs, erases, bytes
# and instructions (callgrind), as a table and as JSON in build/bench. Fails if a goal is missed.
.PHONY: bench-fs bench-gate
bench-fs: $(BUILD)/tests/bench/bench_fs
	@python3 -B tests/bench/bench_fs.py $< build/bench/fs

# `make bench-gate`: what the gate between the chips costs: instructions of calls and signatures against the cryptography that
# they cannot do without, page programs of VERIFY, and the time of a call with a process for each chip. The same way.
bench-gate: $(BUILD)/tests/bench/bench_gate $(BUILD)/tests/bench/bench_link
	@python3 -B tests/bench/bench_gate.py $^ build/bench/gate
