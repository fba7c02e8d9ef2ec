package elastictest

import (
	"os"
	"strings"
	"testing"
)

// Server returns the address of the Elasticsearch that TEST_ELASTICSEARCH_URL names, without a slash
// at its end. Where there is none it skips the test; under CI=true, where it must be there, the test fails.
func Server(t testing.TB) string {
	t.Helper()
	const name = "TEST_ELASTICSEARCH_URL"
	url := strings.TrimRight(os.Getenv(name), "/")
	switch {
	case url == "" && os.Getenv("CI") == "true":
		t.Fatalf("%s is not set", name)
	case url == "":
		t.Skipf("%s is not set", name)
	}
	return url
}
