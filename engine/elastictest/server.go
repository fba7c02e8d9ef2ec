package elastictest

import (
	"context"
	"io"
	"net/http"
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

// Ask sends a request with a JSON body to a server and returns the answer's body. Any other answer than
// success fails the test.
func Ask(ctx context.Context, t testing.TB, method, url, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %d %s %v", method, url, res.StatusCode, raw, err)
	}
	return raw
}
