# `make bench-fs`: what commands on files cost, against the number of files and their size: page programs, erases, bytes
# and instructions (callgrind), as a table and as JSON in build/bench. Fails if a goal is missed.
.PHONY: bench-fs
bench-fs: $(BUILD)/tests/bench/bench_fs
	@python3 -B tests/bench/bench_fs.py $< build/bench/fs
