package ping

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answers is a service that answers by a function and keeps the requests.
type answers struct {
	mu   sync.Mutex
	got  []string // path, query without the id of the run, and body
	ids  map[string]bool
	with func(n int, r *http.Request) (int, error)
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	query := r.URL.Query()
	if a.ids == nil {
		a.ids = map[string]bool{}
	}
	a.ids[query.Get("rid")] = true
	query.Del("rid")
	a.got = append(a.got, strings.TrimSpace(r.Method+" "+r.URL.EscapedPath()+" "+query.Encode()+" "+string(body)))
	n := len(a.got)
	a.mu.Unlock()
	status := http.StatusOK
	if a.with != nil {
		var err error
		if status, err = a.with(n, r); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("OK"))}, nil
}

func newPing(t *testing.T, address string, to http.RoundTripper) *Ping {
	t.Helper()
	p, err := New(address, "elastic-ingest/test", to)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestARunIsReported: its start and its end have the same id.
func TestARunIsReported(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		address string
		code    int
		want    []string
	}{
		{"https://hc.example.com/token", 0, []string{"POST /token/start", "POST /token  done"}},
		{"https://hc.example.com/key/shop/?create=1", 3, []string{"POST /key/shop/start create=1", "POST /key/shop/3 create=1 done"}},
		{"https://hc.example.com/a%2Fb", 143, []string{"POST /a%2Fb/start", "POST /a%2Fb/143  done"}},
	} {
		to := &answers{}
		p := newPing(t, tt.address, to)
		p.Start(t.Context())
		if err := p.End(t.Context(), t.Context(), tt.code, "done"); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(tt.want, to.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.address, d)
		}
		for id := range to.ids {
			if len(to.ids) != 1 || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
				t.Errorf("ids %v", to.ids)
			}
		}
	}
}

// TestAReportTakesAFewSecondsAtMost, whatever the service does, and no error contains the address.
func TestAReportTakesAFewSecondsAtMost(t *testing.T) {
	t.Parallel()
	hang := func(_ int, r *http.Request) (int, error) {
		<-r.Context().Done()
		return 0, context.Cause(r.Context())
	}
	for name, tt := range map[string]struct {
		with func(int, *http.Request) (int, error)
		cut  bool
		most time.Duration
		err  string
	}{
		"answers": {most: 0},
		"hangs":   {hang, false, patience, "no response in time"},
		"hangs at first": {func(n int, r *http.Request) (int, error) {
			if n == 1 {
				return hang(n, r)
			}
			return 200, nil
		}, false, forStart, "no response in time"},
		"hangs, cut":        {hang, true, afterCut, "no response in time"},
		"is down":           {func(int, *http.Request) (int, error) { return 0, errors.New("connection refused") }, false, patience, "connection refused"},
		"fails":             {func(int, *http.Request) (int, error) { return 503, nil }, false, patience, "the server answered 503"},
		"is wrong":          {func(int, *http.Request) (int, error) { return 404, nil }, false, 0, "the server answered 404"},
		"fails, then works": {func(n int, _ *http.Request) (int, error) { return map[bool]int{true: 502, false: 200}[n == 1], nil }, false, time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPing(t, "https://user:secret@hc.example.com/token", &answers{with: tt.with})
				cut, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.cut {
					cancel()
				}
				began := time.Now()
				p.Start(t.Context())
				if took := time.Since(began); took != 0 {
					t.Errorf("the start of the run waits for %v", took)
				}
				err := p.End(t.Context(), cut, 0, "body")
				if took := time.Since(began); took > tt.most {
					t.Errorf("took %v", took)
				}
				if (err != nil) != (tt.err != "") || err != nil && !regexp.MustCompile(tt.err).MatchString(err.Error()) {
					t.Errorf("got %v, want %q", err, tt.err)
				}
				if err != nil && regexp.MustCompile("secret|token|hc.example").MatchString(err.Error()) {
					t.Errorf("the error contains the address: %v", err)
				}
			})
		})
	}
}

// TestAReasonIsGivenOnce, if the reports of the start and of the end fail alike.
func TestAReasonIsGivenOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		start, end int
		want       string
	}{
		{404, 404, "the server answered 404"},
		{404, 410, "the server answered 404\nthe server answered 410"},
		{404, 200, "the server answered 404"},
		{200, 404, "the server answered 404"},
	} {
		p := newPing(t, "https://hc.example.com/token", &answers{with: func(n int, _ *http.Request) (int, error) {
			return map[bool]int{true: tt.start, false: tt.end}[n == 1], nil
		}})
		p.Start(t.Context())
		if err := p.End(t.Context(), t.Context(), 0, ""); err == nil || err.Error() != tt.want {
			t.Errorf("%d, then %d: got %q, want %q", tt.start, tt.end, err, tt.want)
		}
	}
}

func TestALongBodyIsCut(t *testing.T) {
	t.Parallel()
	to := &answers{}
	p := newPing(t, "https://hc.example.com/token", to)
	if err := p.End(t.Context(), t.Context(), 0, strings.Repeat("é", mostBody)); err != nil {
		t.Fatal(err)
	}
	if n := len(to.got[0]); n > mostBody+20 || n < mostBody {
		t.Errorf("sent %d bytes", n)
	}
}

func TestOnlyHTTPAddressesArePinged(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"token", "ftp://hc.example.com/token", "https://", "https://%zz/token", "http://a\x00/token"} {
		if _, err := New(address, "", nil); err == nil || strings.Contains(err.Error(), "token") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if host := newPing(t, "https://user:secret@hc.example.com:8443/token", nil).Host(); host != "hc.example.com:8443" {
		t.Errorf("host %q", host)
	}
}
