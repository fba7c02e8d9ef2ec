# The commands of this project, one line each; `make help` lists them. Longer sequences are scripts:
# testdata/services/with, testdata/yardstick/bench, .ci/golangci-lint.

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X github.com/elastic-ingest/elastic-ingest/commands/internal/program.Version=$(VERSION)
PACKAGES := ./... ./testdata/yardstick
FUZZTIME := 30s
# The Google Cloud Storage client would link gRPC, which we do not use: 14 MB less without it.
export GOFLAGS += -tags=disable_grpc_modules
# Finds a package that hangs; Go's default of 10 minutes is too short for a slow machine.
TEST     := go test -timeout 1h
ALONE    := unset CI "$${!TEST_@}"; # without servers: tests that need one are skipped

.DEFAULT_GOAL := all
unit race fuzz bench cover: SHELL := bash # building and running need only sh
.PHONY: all run test servers unit install race fuzz bench lint vet golden cover build package-files snapshot clean help

all: lint unit build

run: build ## run the program in debug mode with config.yml: diff, sync, and a diff without differences
	bin/elastic-ingest --debug diff --exit-zero && bin/elastic-ingest --debug sync && bin/elastic-ingest diff

test: ## everything, with real servers (see docs/testing.md): lint, other systems, races, all tests
	testdata/services/with --during-start 'make -k lint vet race' make servers

servers: ## the tests with the servers in TEST_… variables, and the engine's again on Elasticsearch 9 and 8
	$(TEST) -count=1 $(PACKAGES)
	$(TEST) -count=1 ./engine -run Killed -kills 50
	[ -z "$$TEST_ELASTICSEARCH_URL" ] || $(TEST) -count=1 ./engine -destination "$$TEST_ELASTICSEARCH_URL" -kills 50
	[ -z "$$TEST_ELASTICSEARCH_8_URL" ] || $(TEST) -count=1 ./engine -destination "$$TEST_ELASTICSEARCH_8_URL" -kills 10 -skip WithIDsInAFile

unit: ## the tests that need no server
	$(ALONE) $(TEST) $(PACKAGES)

install: build ## put the program at bin/elastic-ingest

race: ## the tests that need no server, with the race detector
	$(ALONE) CGO_ENABLED=1 $(TEST) -race $(PACKAGES)

fuzz: ## every fuzz target for FUZZTIME (30s)
	@set -o pipefail; grep -rH --include='*_test.go' '^func Fuzz' . | sed -E 's|/[^/]*:func ([A-Za-z0-9_]+).*| \1|' | while read -r dir name; do \
	  echo "$$dir $$name" && go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$dir" </dev/null || exit 1; done

bench: build ## Go benchmarks, then PostgreSQL to Elasticsearch compared with a plain bulk load
	$(ALONE) $(TEST) -run '^$$' -bench . -benchmem ./...
	testdata/services/with testdata/yardstick/bench

lint: ## golangci-lint with .golangci.yml, and formatting
	.ci/golangci-lint run $(PACKAGES)

vet: ## compile and vet for Windows, macOS and a 32-bit system
	for system in windows/amd64 darwin/arm64 linux/386; do GOOS=$${system%/*} GOARCH=$${system#*/} go vet $(PACKAGES) || exit 1; done

golden: ## rewrite the golden files; review the difference
	$(TEST) $$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"|/engine/golden"' . | xargs -r dirname | sort -u) -update

cover: ## coverage of the tests that need no server
	$(ALONE) $(TEST) -coverprofile=coverage.out ./... && go tool cover -func=coverage.out | tail -n 1

build: ## the static program, bin/elastic-ingest
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/elastic-ingest .

package-files: build ## the man page and the completions, for packages
	.ci/package/files

snapshot: ## packages and archives in dist, checked; without signatures, images and SBOM, which the release adds
	TAP_TOKEN=none .ci/goreleaser release --snapshot --clean --skip=sign,sbom,docker
	.ci/package/check

clean: ## remove what the targets above have created
	rm -rf bin dist coverage.out

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
