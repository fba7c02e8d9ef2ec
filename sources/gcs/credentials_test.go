package gcs

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/auth"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// A redirect would take the token to where nothing was configured: it is an error.
func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked elsewhere with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	redirects := http.RedirectHandler(elsewhere.URL, http.StatusFound)
	tokens := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"t0ken","token_type":"Bearer","expires_in":3600}`))
	})
	for name, st := range map[string]*store{
		"with a key":         tokenStore(t, tokens, redirects),
		"without one":        suite.Client(t, map[string]any{"buckets": "b", "endpoint_url": redirected(t, redirects), "retry_count": 0}),
		"that gives a token": tokenStore(t, redirects, redirects),
	} {
		_, err := st.List(t.Context(), objects.Query{Bucket: "b"})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if failure := st.Failure(err); errors.Is(failure, source.ErrTemporary) {
			t.Errorf("%s: got %v, which may pass", name, failure)
		}
	}
}

func redirected(t *testing.T, to http.Handler) string {
	t.Helper()
	server := httptest.NewServer(to)
	t.Cleanup(server.Close)
	return server.URL + "/storage/v1/"
}

// silent never returns tokens.
type silent struct{}

func (silent) Token(ctx context.Context) (*auth.Token, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A service of tokens that accepts the request and never responds does not block the run. The error is temporary:
// in a container that has just started, the service may respond later.
func TestASilentServiceOfCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := bounded{silent{}}.Token(t.Context())
		if failure := (&store{}).Failure(err); !errors.Is(failure, source.ErrTemporary) || time.Since(began) > tokenPatience {
			t.Errorf("got %v after %s", failure, time.Since(began))
		}
	})
}
