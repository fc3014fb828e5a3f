# What a developer does here, one line each: `make help`. CI runs the same targets (.ci/run).

TOOL    = go tool -modfile=tools/go.mod
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.DEFAULT_GOAL = help
.PHONY: help build console demo test race vet fmt lint generate sqlc-diff fuzz bench soak clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: console ## build the static binary bin/musterline
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/musterline ./cmd/musterline

demo: console ## show the product on sample data: no account, no network, no configuration
	@go run ./cmd/musterline demo

console: ## build the web console, which becomes part of the program (needs Node 20 or newer)
	@scripts/console.sh

test: vet ## check and test everything; finds or installs what the tests need
	@scripts/test.sh

race: ## the same tests, all of them under the race detector (needs gcc)
	@RACE=1 scripts/test.sh

vet: ## fast checks: formatting and go vet
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	go vet ./...

fmt: ## format the code
	$(TOOL) golangci-lint fmt

lint: ## run the linters of .golangci.yaml, and check that go.mod is tidy
	$(TOOL) golangci-lint run
	go mod tidy -diff
	@scripts/console.sh check

generate: ## write again what is generated: the queries of store
	$(TOOL) sqlc generate -f store/sqlc.yaml

sqlc-diff: ## check that what is generated is as its sources say
	$(TOOL) sqlc diff -f store/sqlc.yaml

fuzz: ## run each fuzz test for 20,000 tries; FUZZTIME=10m for longer
	@scripts/fuzz.sh

bench: ## print the figures: GitHub calls, time and memory, and those of others beside them
	@scripts/bench.sh

SOAK = -soak.worlds=10000 -soak.binary=100 -soak.families=100 -soak.kills=200 -soak.steps=200
soak: ## random worlds, kill -9, five years of an organization; prints the tally of docs/soak.md
	cd soak && CI=true go test -count=1 -timeout 3h -soak.print $(SOAK)

clean: ## remove what was built
	rm -rf bin coverage.out
