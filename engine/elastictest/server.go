package elastictest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// Variables of the environment that hold the address of an Elasticsearch.
const (
	newest   = "TEST_ELASTICSEARCH_URL"   // of version 9
	previous = "TEST_ELASTICSEARCH_8_URL" // of version 8
)

// Servers runs a test on every major version of Elasticsearch that is supported, as parallel subtests.
// Without the address of one its subtest is handled as by [Server].
func Servers(t *testing.T, f func(t *testing.T, url string)) {
	t.Helper()
	t.Run("elasticsearch", func(t *testing.T) { t.Parallel(); f(t, address(t, newest)) })
	t.Run("elasticsearch-8", func(t *testing.T) { t.Parallel(); f(t, address(t, previous)) })
}

// Server returns the address of the newest Elasticsearch, without a slash at its end, for tests that need
// only one. Without such a server it skips the test; under CI=true, where there must be one, the test fails.
func Server(t testing.TB) string {
	t.Helper()
	return address(t, newest)
}

// address returns the value of a variable without a slash at its end.
func address(t testing.TB, name string) string {
	t.Helper()
	return strings.TrimRight(testenv.Required(t, name), "/")
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

// Hit is a document in the answer to a search.
type Hit struct {
	ID      string          `json:"_id"`
	Source  json.RawMessage `json:"_source"`
	Matched []string        `json:"matched_queries"`
}

// Hits are the documents in the answer to a search.
func Hits(answer []byte) ([]Hit, error) {
	var found struct {
		Hits *struct {
			Hits []Hit `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(answer, &found); err != nil || found.Hits == nil {
		return nil, fmt.Errorf("not the answer to a search: %s", answer)
	}
	return found.Hits.Hits, nil
}
