# One place for every command; each sets up what it needs by itself. Plain `make` prints this list.
.DEFAULT_GOAL := help
.PHONY: help demo demo-soak test conformance transports interop lint bench generate simulate fuzz hostile package install clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build everything and run the main job in all languages on the embedded broker
	tests/scripts/demo.sh

demo-soak: ## run each demo N=200 times in a row, idle and with every core loaded
	tests/scripts/demo-soak.sh $(or $(N),200)

test: ## all tests: Rust, simulation, loom, C, Python, Node, mosquitto, demos
	tests/scripts/test.sh $(ONLY)

conformance: ## every statement of the standards that binds a client, with its tests and their results
	tests/scripts/statements.sh

transports: ## the behaviour suite over every transport: TLS, WebSocket, Unix sockets, proxies, bad certificates; in all languages
	tests/scripts/broker.sh mosquitto-websocket || echo "skipped: WebSocket on mosquitto"
	tests/scripts/conformance.sh --scenario transport

interop: ## real brokers one after the other, as a table of broker and scenario: BROKERS="nats aedes" LANGUAGES=all SCENARIO=will TAP=yes
	LANGUAGES="$(LANGUAGES)" SCENARIO="$(SCENARIO)" TAP="$(TAP)" tests/scripts/interop.sh $(BROKERS)

lint: ## formatting, clippy, types of Python and Node, generated files, tidiness
	tests/scripts/lint.sh

bench: ## instructions and system calls per message (release build)
	tests/scripts/bench.sh

generate: ## print the generated files anew from their tables and sources
	env -u CI cargo test -q --workspace --test generated
	cargo build -q --workspace --lib
	LEVERET_RECORD_ABI=1 cargo test -q --workspace --test c_abi

simulate: ## run the simulation: SEED=… replays one, COUNT=… runs as many
	tests/scripts/simulate.sh $(if $(SEED),--seed $(SEED),--count $(or $(COUNT),2000))

fuzz: ## coverage-guided fuzzing of TARGET=decoder, engine or broker for SECONDS=…
	tests/scripts/fuzz.sh $(or $(TARGET),engine) $(or $(SECONDS),60)

hostile: ## COUNT=… mutated byte streams of brokers against live clients, drawn from SEED=…
	LEVERET_HOSTILE_COUNT=$(or $(COUNT),100000) LEVERET_HOSTILE_SEED=$(or $(SEED),1) cargo test -q --workspace --test hostile -- --nocapture

package: ## wheel, Node packages, C library and crates, in target/package
	tests/scripts/package.sh

install: ## headers and libraries for C and C++, below DESTDIR in PREFIX=/usr/local; TESTING=no without the test broker
	PREFIX="$(or $(PREFIX),/usr/local)" DESTDIR="$(DESTDIR)" TESTING="$(or $(TESTING),yes)" tests/scripts/install.sh

clean: ## remove everything that was built
	cargo clean
	rm -rf bindings-python/python/leveret/*.so bindings-node/*.node bindings-node/node_modules examples/node_modules
