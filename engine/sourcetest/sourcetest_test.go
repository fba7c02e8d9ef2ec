package sourcetest

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"os"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcecheck"
)

// leaky is a source with one part of two documents. It calls leak when it is read.
type leaky struct {
	source.Ending
	leak func()
}

func (l *leaky) Validate(context.Context) error { return nil }

func (l *leaky) Ping(context.Context) error { return nil }

func (l *leaky) Close() error { return nil }

func (l *leaky) Parts(context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) { yield(l, nil) }
}

func (l *leaky) Scope() string { return "a" }

func (l *leaky) Name() string { return "a" }

func (l *leaky) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		l.leak()
		for _, id := range []string{"1", "2"} {
			if !yield(document.Document{ID: id}, nil) {
				return
			}
		}
		l.End()
	}
}

// Not parallel, because goroutines and files of the process are counted.
func TestLeaksAreFound(t *testing.T) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	var files []*os.File // kept, because a finalizer could close them
	t.Cleanup(func() {
		for _, f := range files {
			_ = f.Close()
		}
	})
	for _, tt := range []struct {
		name  string
		leak  func()
		found bool
	}{
		{"nothing", func() {}, false},
		{"a goroutine", func() { go func() { <-stop }() }, true}, // ends with the test
		{"a file", func() {
			if f, err := os.Open(os.DevNull); err == nil {
				files = append(files, f)
			}
		}, openFiles().files > 0},
	} {
		s := &sourcecheck.Source{Type: source.Type{Open: func(context.Context, field.Values, source.Env) (source.Source, error) {
			return &leaky{leak: tt.leak}, nil
		}}}
		ran := 0
		for _, c := range cases(nil) {
			if c.name != sourcecheck.EarlyBreakReleases && c.name != noGoroutineLeft {
				continue
			}
			ran++
			f, found := errors.AsType[*sourcecheck.Failure](c.check(t.Context(), s))
			if found != tt.found || found && f.Case != c.name {
				t.Errorf("%s: %s: got %v", tt.name, c.name, f)
			}
		}
		if ran != 2 {
			t.Errorf("%d cases count leaks, want 2", ran)
		}
	}
}

// TestFunctionsOfTheConfigReachTheirCases: a missing function stays missing.
func TestFunctionsOfTheConfigReachTheirCases(t *testing.T) {
	t.Parallel()
	none := (&Config{Values: func(*testing.T) map[string]any { return nil }}).source(t)
	if none.FailingPart != nil || none.FailingContent != nil || none.Loss != nil || none.Changing != nil || none.HiddenPart != nil || none.NothingChosen != nil {
		t.Errorf("a function appeared: %+v", none)
	}
	s := (&Config{
		Values:         func(*testing.T) map[string]any { return map[string]any{"n": 1} },
		FailingPart:    func(*testing.T) FailingPart { return FailingPart{Scope: "p"} },
		FailingContent: func(*testing.T) FailingContent { return FailingContent{ID: "c"} },
		Loss:           func(*testing.T) Loss { return Loss{Lost: func() int { return 7 }} },
		Changing:       func(*testing.T) Changing { return Changing{Values: map[string]any{"n": 2}} },
		HiddenPart:     func(*testing.T) HiddenPart { return HiddenPart{Scope: "h"} },
		NothingChosen:  func(*testing.T) NothingChosen { return NothingChosen{Values: map[string]any{"n": 3}} },
		NoFailingPart:  "no part", NoFailingContent: "no failure", NoContent: "no content", NoLoss: "no loss", NoChanges: "no changes",
	}).source(t)
	if s.Values["n"] != 1 || s.FailingPart().Scope != "p" || s.FailingContent().ID != "c" || s.Loss().Lost() != 7 ||
		s.Changing().Values["n"] != 2 || s.HiddenPart().Scope != "h" || s.NothingChosen().Values["n"] != 3 {
		t.Error("a function does not reach its case")
	}
	if s.NoFailingPart != "no part" || s.NoFailingContent != "no failure" || s.NoContent != "no content" || s.NoLoss != "no loss" || s.NoChanges != "no changes" {
		t.Errorf("reasons differ: %+v", s)
	}
}

// TestARelayBreaksOneConnection: the connection whose bytes reach the limit breaks; those before and after it are
// complete.
func TestARelayBreaksOneConnection(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	server, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	go func() { // ends when the listener is closed
		for conn, err := server.Accept(); err == nil; conn, err = server.Accept() {
			_, _ = conn.Write(make([]byte, 1000))
			_ = conn.Close()
		}
	}()
	r := NewRelay(t, server.Addr().String())
	read := func() int {
		var d net.Dialer
		conn, err := d.DialContext(t.Context(), "tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		data, _ := io.ReadAll(conn) // a break may be an error or an end
		return len(data)
	}
	for i, want := range []int{1000, 1000, 500, 1000} {
		if i == 1 {
			r.BreakAfter(1500)
		}
		if got := read(); got != want {
			t.Errorf("connection %d: %d bytes came, want %d", i, got, want)
		}
	}
	if r.Lost() != 1 || r.Port() == 0 {
		t.Errorf("lost %d connections", r.Lost())
	}
}

// TestFilesReleasedGivesUp: a context that ends stops the suite rather than the complete test binary.
func TestFilesReleasedGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if openFiles().files > 0 && filesReleased(ctx, open{}) == nil {
		t.Error("files are open, but filesReleased reports none")
	}
}
