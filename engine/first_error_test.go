package engine_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

// untilCut answers the searches after the first only when their context ends, with its cause, like the standard
// library's transport.
type untilCut struct {
	http.RoundTripper
	searches int // of one run, which are sequential
}

func (u *untilCut) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_search") {
		if u.searches++; u.searches > 1 {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}
	}
	return u.RoundTripper.RoundTrip(r)
}

// TestTheErrorOfTheWriterIsTheErrorOfTheRun: it also cancels the scan for deletes, and that error must not hide
// the first one.
func TestTheErrorOfTheWriterIsTheErrorOfTheRun(t *testing.T) {
	t.Parallel()
	h := newSynced(t, map[string]int{"a": 30})
	h.source.Parts["a"] = append(numbered("a", "a", 25), numbered("a", "new", 25)...)
	h.store = &untilCut{RoundTripper: h.store}
	h.rules = []fault.Rule{{Path: "_bulk", Answer: noPrivilege}}
	res, err := h.run(t.Context())
	code := commands.ExitCode(commands.Mode{}, nil, commands.Outcome{Result: res, Err: err})
	if !errors.Is(err, elastic.ErrAuth) || errors.Is(err, elastic.ErrUnreachable) || code != commands.ExitAuth || strings.Contains(err.Error(), "scan") {
		t.Errorf("exit code %d: %v", code, err)
	}
}
