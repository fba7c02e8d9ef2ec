package elastic

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// serve answers every request with a status and a body, and remembers the last header.
func serve(t *testing.T, status int, body string, header map[string]string) (url string, last func() http.Header) {
	t.Helper()
	seen := make(chan http.Header, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		w.Header().Set("Content-Type", compatibleJSON)
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL, func() http.Header { return <-seen }
}

var elasticHeader = map[string]string{"X-Elastic-Product": "Elasticsearch"}

func newClient(t *testing.T, c Config) *Client {
	t.Helper()
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	client.probe = patience
	return client
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	url, last := serve(t, 200, `{"version":{"number":"9.5.3","build_flavor":"default"}}`, elasticHeader)
	for _, tc := range []struct {
		name string
		c    Config
		want string
	}{
		{"none", Config{}, ""},
		{"basic", Config{Username: "u", Password: "p:w"}, "Basic " + base64.StdEncoding.EncodeToString([]byte("u:p:w"))},
		{"API key as Kibana shows it", Config{APIKey: "aWQ6a2V5"}, "APIKey aWQ6a2V5"},
		{"API key as id and key", Config{APIKey: "id:key"}, "APIKey aWQ6a2V5"},
		{"bearer token", Config{BearerToken: "tok"}, "Bearer tok"},
	} {
		tc.c.URL, tc.c.UserAgent, tc.c.Headers = url, "elastic-ingest/test", map[string]string{"X-Extra": "yes"}
		info, err := newClient(t, tc.c).Ping(t.Context())
		if err != nil || info.Version != "9.5.3" || info.Flavor != "default" {
			t.Errorf("%s: %+v, %v", tc.name, info, err)
		}
		h := last()
		got := []string{h.Get("Authorization"), h.Get("User-Agent"), h.Get("X-Extra"), h.Get("Accept")}
		if d := cmp.Diff([]string{tc.want, "elastic-ingest/test", "yes", compatibleJSON}, got); d != "" {
			t.Errorf("%s:\n%s", tc.name, d)
		}
	}
}

func TestOtherServersThanElasticsearchAreRefused(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, 200, `<html>hello</html>`, nil)
	_, err := newClient(t, Config{URL: url}).Ping(t.Context())
	if !errors.Is(err, ErrConfig) || Hint(err) == "" {
		t.Errorf("%v, hint %q", err, Hint(err))
	}
}

func TestErrorsHaveKinds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		kind   error
		say    string
	}{
		{"wrong password", 401, `{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}`, ErrAuth, "unable to authenticate"},
		{"no privilege", 403, `{"error":{"type":"security_exception","reason":"action is unauthorized"},"status":403}`, ErrAuth, "unauthorized"},
		{"absent", 404, `{"error":{"type":"index_not_found_exception","reason":"no such index"},"status":404}`, ErrNotFound, "no such index"},
		{"busy", 429, `{"error":{"type":"circuit_breaking_exception","reason":"too much"},"status":429}`, ErrTemporary, "too much"},
		{"a proxy's page", 502, `<html>bad gateway</html>`, ErrTemporary, "Bad Gateway"},
		{"a text", 503, `{"error":"no master","status":503}`, ErrTemporary, "no master"},
	} {
		url, _ := serve(t, tc.status, tc.body, elasticHeader)
		_, err := newClient(t, Config{URL: url}).Ping(t.Context())
		if !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.say) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	_, err := newClient(t, Config{URL: "http://127.0.0.1:1"}).Ping(t.Context())
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("no server: %v", err)
	}
}

func TestAwaitDoesNotWaitForAWrongPassword(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, 401, `{"error":{"type":"security_exception","reason":"no"},"status":401}`, elasticHeader)
	_, err := newClient(t, Config{URL: url}).Await(t.Context(), retry.Policy{First: time.Hour, Max: time.Hour, Patience: time.Hour}, func(error) {
		t.Error("another attempt")
	})
	if !errors.Is(err, ErrAuth) {
		t.Error(err)
	}
}

func TestCloudID(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return "my-deployment:" + base64.StdEncoding.EncodeToString([]byte(s)) }
	for id, want := range map[string]string{
		encode("eu-west-1.aws.example.com$abc$def"): "https://abc.eu-west-1.aws.example.com:443",
		encode("example.com:9243$abc$"):             "https://abc.example.com:9243",
		encode("example.com"):                       "",
		"my-deployment:###":                         "",
		"nothing":                                   "",
	} {
		got, err := cloudAddress(id)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", id, got, err, want)
		}
	}
}
