package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Pages that do not advance end by themselves, and fail the bucket: nothing of it is deleted.
func TestAListingThatDoesNotAdvanceFails(t *testing.T) {
	t.Parallel()
	pages := map[string]func(f *fake, q Query, n int) Page{
		"the same token again": func(f *fake, _ Query, n int) Page {
			return Page{Objects: []Object{f.object("b", fmt.Sprint(n))}, Next: "1"}
		},
		"the first page under new tokens": func(f *fake, _ Query, n int) Page {
			return Page{Objects: []Object{f.object("b", "k1"), f.object("b", "k2")}, Next: fmt.Sprint(n)}
		},
		"two pages in turns under new tokens": func(f *fake, _ Query, n int) Page {
			return Page{Objects: []Object{f.object("b", fmt.Sprint("k", n%2))}, Next: fmt.Sprint(n)}
		},
		"empty pages without end": func(_ *fake, _ Query, n int) Page { return Page{Next: fmt.Sprint(n)} },
	}
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			f := &fake{deaf: true}
			f.list = func(q Query) (Page, bool, error) {
				n++
				return page(f, q, n), true, nil
			}
			if _, errs, _ := read(t, newSource(t, f, "b")); !errors.Is(errs["b"], errEndless) {
				t.Errorf("got %v, want that the listing does not advance", errs)
			}
		})
	}
}

func TestEmptyPagesAreNotTheEnd(t *testing.T) {
	t.Parallel()
	f := &fake{}
	f.list = func(q Query) (Page, bool, error) {
		next := map[string]string{"": "1", "1": "2", "2": "3", "3": ""}[q.Token]
		page := Page{Next: next}
		if next == "" {
			page.Objects = []Object{f.object("b", "x"), f.object("b", "y")}
		}
		return page, true, nil
	}
	if got, errs, _ := read(t, newSource(t, f, "b")); len(errs) > 0 || !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("got %q, %v", got, errs)
	}
}

// After a temporary error the same page is requested again, not the first one.
func TestABusyStoreIsRetried(t *testing.T) {
	t.Parallel()
	failures := 0
	f := &fake{deaf: true, keys: map[string][]string{"b": numbered("%03d", 100)}}
	f.list = func(q Query) (Page, bool, error) {
		if q.Token == "059" && failures < 2 {
			failures++
			return Page{}, true, &source.Error{Kind: source.ErrTemporary, Err: errors.New("slow down")}
		}
		return Page{}, false, nil
	}
	got, errs, _ := read(t, newSource(t, f, "b"))
	if len(errs) > 0 || len(got) != 100 || len(f.queries()) != 12 {
		t.Errorf("got %d keys, %v by %d requests; want 100 by 12", len(got), errs, len(f.queries()))
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	f := &fake{list: func(Query) (Page, bool, error) {
		return Page{}, true, &source.Error{Kind: source.ErrTemporary, Err: errors.New("slow down")}
	}}
	s := newSource(t, f, "b")
	if err := s.Ping(t.Context()); !errors.Is(err, source.ErrTemporary) || len(f.queries()) != attempts {
		t.Errorf("got %v after %d requests; want one that may pass after %d", err, len(f.queries()), attempts)
	}
}

func TestOneBucketThatFailsIsAlone(t *testing.T) {
	t.Parallel()
	f := &fake{keys: map[string][]string{"a": {"1"}, "c": {"3"}}}
	s := newSource(t, f, "a", "b", "c")
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	got, errs, _ := read(t, s)
	if !slices.Equal(got, []string{"1", "3"}) || len(errs) != 1 || !errors.Is(errs["b"], source.ErrAuth) {
		t.Errorf("got %q, %v", got, errs)
	}
	if err := newSource(t, f, "x", "y").Ping(t.Context()); !errors.Is(err, source.ErrAuth) {
		t.Errorf("ping of buckets that all fail: got %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	keys := map[string][]string{"logs-1": {"a"}, "logs-2": {"b"}, "other": {"c"}, ".hidden": {"d"}}
	tests := []struct {
		names []string
		want  []string // scopes, in their order
	}{
		{[]string{"other", "logs-1", "other"}, []string{"other", "logs-1"}},
		{[]string{"*"}, []string{".hidden", "logs-1", "logs-2", "other"}},
		{[]string{"*", "absent"}, []string{".hidden", "logs-1", "logs-2", "other"}},
		{[]string{"logs-*"}, []string{"logs-1", "logs-2"}},
		{[]string{"logs-2", "logs-?"}, []string{"logs-2", "logs-1"}},
		{[]string{"absent"}, []string{"absent"}},
		{[]string{"none-*"}, nil},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.names, " "), func(t *testing.T) {
			t.Parallel()
			var got []string
			for p, err := range newSource(t, &fake{keys: keys}, tt.names...).Parts(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, p.Scope())
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
	for _, wrong := range []string{"a[b", "a/b", "/a"} {
		if _, err := ParseNames("buckets", []string{wrong}); !errors.Is(err, source.ErrConfig) {
			t.Errorf("%s: got %v", wrong, err)
		}
	}
}

func rulesOf(t *testing.T, raw ...any) []Rule {
	t.Helper()
	rules, err := ParseRules(raw)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// Rules that overlap name each object once, and only what they name is asked for.
func TestRules(t *testing.T) {
	t.Parallel()
	f := &fake{keys: map[string][]string{
		"a": {"folder1/x.TXT", "folder1/y.pdf", "folder10/z.txt", "other.txt", "sub/.txt"}, "b": {"n.csv"}, "c": {"never"},
	}}
	s := newSource(t, f)
	s.Rules = rulesOf(t,
		map[string]any{"bucket": "a", "prefix": "folder1", "extension": []any{".TXT"}},
		map[string]any{"bucket": "a", "prefix": "folder1/", "extension": []any{"pdf"}},
		map[string]any{"bucket": "a", "prefix": "sub/", "extension": []any{"txt"}},
		map[string]any{"bucket": "b"},
	)
	got, errs, _ := read(t, s)
	if d := cmp.Diff([]string{"folder1/x.TXT", "folder1/y.pdf", "folder10/z.txt", "n.csv"}, got); d != "" || len(errs) > 0 {
		t.Errorf("%v, -want +got:\n%s", errs, d)
	}
	for _, q := range f.queries() {
		if q.Bucket == "a" && q.Prefix != "folder1" && q.Prefix != "sub/" {
			t.Errorf("asked for %+v", q)
		}
	}
}

func TestInvalidRules(t *testing.T) {
	t.Parallel()
	for _, none := range []any{nil, []any{}, map[string]any{}} {
		if rules, err := ParseRules(none); err != nil || rules != nil {
			t.Errorf("%v: got %v, %v", none, rules, err)
		}
	}
	for _, wrong := range []any{
		"x",
		map[string]any{"bucket": "a"},
		[]any{1},
		[]any{map[string]any{}},
		[]any{map[string]any{"bucket": ""}},
		[]any{map[string]any{"bucket": "a", "folder": "x"}},
		[]any{map[string]any{"bucket": "a", "extension": "txt"}},
		[]any{map[string]any{"bucket": "a", "extension": []any{1}}},
		[]any{map[string]any{"bucket": "a", "prefix": 1}},
	} {
		if _, err := ParseRules(wrong); !errors.Is(err, source.ErrConfig) {
			t.Errorf("%v: got %v", wrong, err)
		}
	}
}

func TestExtension(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		".gitignore": "", "..txt": "", "...": "", "dir/.txt": "", "a.": ".", "a.tar.gz": ".gz", "x/.env.local": ".local",
		"dir.d/file": "", "x.txt/": "", `a\b.txt`: ".txt", "x.txt\u0020": ".txt ", "": "",
	} {
		if got := Extension(key); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}

// broken is a body that ends too early.
type broken struct {
	io.Reader
	err error
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		err = b.err
	}
	return n, err
}

func (broken) Close() error { return nil }

func contentOf(t *testing.T, f *fake) (string, error) {
	t.Helper()
	f.keys = map[string][]string{"b": {"a.txt"}}
	for p := range newSource(t, f, "b").Parts(t.Context()) {
		for doc, err := range p.Documents(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			r, err := doc.Content.Open(t.Context())
			if err != nil {
				return "", err
			}
			b, err := io.ReadAll(r)
			return string(b), errors.Join(err, r.Close())
		}
	}
	t.Fatal("no document")
	return "", nil
}

// A broken connection is not the end of a content: it resumes at the byte where it broke.
func TestContentResumesWhereItBroke(t *testing.T) {
	t.Parallel()
	const text = "0123456789"
	for _, how := range []error{io.ErrUnexpectedEOF, io.EOF, errors.New("reset")} {
		var offsets []int64
		got, err := contentOf(t, &fake{open: func(offset int64) (io.ReadCloser, error) {
			offsets = append(offsets, offset)
			end := min(offset+4, int64(len(text)))
			if end == int64(len(text)) {
				return io.NopCloser(strings.NewReader(text[offset:])), nil
			}
			return broken{bytes.NewReader([]byte(text[offset:end])), how}, nil
		}})
		if got != text || err != nil || !slices.Equal(offsets, []int64{0, 4, 8}) {
			t.Errorf("%v: got %q, %v from %v", how, got, err, offsets)
		}
	}
}

func TestContentThatFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		open func(offset int64) (io.ReadCloser, error)
		want error
	}{
		{"gone", func(int64) (io.ReadCloser, error) { return nil, ErrGone }, fs.ErrNotExist},
		{"replaced", func(int64) (io.ReadCloser, error) { return nil, ErrReplaced }, ErrReplaced},
		{"refused", func(int64) (io.ReadCloser, error) { return nil, errDenied }, source.ErrAuth},
		{"breaks without a byte", func(int64) (io.ReadCloser, error) {
			return broken{strings.NewReader(""), io.ErrUnexpectedEOF}, nil
		}, io.ErrUnexpectedEOF},
		{"replaced on its way", func(offset int64) (io.ReadCloser, error) {
			if offset > 0 {
				return nil, ErrReplaced
			}
			return broken{strings.NewReader("0123"), io.ErrUnexpectedEOF}, nil
		}, ErrReplaced},
		{"does not keep its sum", func(offset int64) (io.ReadCloser, error) {
			if offset > 0 {
				return nil, errors.New("asked beyond the end")
			}
			return broken{strings.NewReader("0123456789"), errDenied}, nil
		}, errDenied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := contentOf(t, &fake{open: tt.open}); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// The error of a replaced object contains its replacement, which is read on condition of its own version.
func TestAReplacedObjectIsFoundAgain(t *testing.T) {
	t.Parallel()
	f := &fake{keys: map[string][]string{"b": {"a.txt", "a.txt.bak"}}}
	f.open = func(int64) (io.ReadCloser, error) { return nil, ErrReplaced }
	for p := range newSource(t, f, "b").Parts(t.Context()) {
		for doc, err := range p.Documents(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			_, err = doc.Content.Open(t.Context())
			now, ok := errors.AsType[*document.Replaced](err)
			if !ok || now.Document.ID != doc.ID || now.Document.Content == nil {
				t.Errorf("%s: got %v", doc.ID, err)
			}
		}
		f.keys["b"] = nil
	}
	if _, err := contentOf(t, &fake{open: f.open, list: func(q Query) (Page, bool, error) {
		return Page{}, q.Prefix != "", nil // it is gone when it is looked for
	}}); !errors.Is(err, ErrReplaced) {
		t.Errorf("gone by then: got %v", err)
	}
}

// An error about a request has the address without its query, which may hold a signature.
func TestFailuresShowNoSecret(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("list: %w", &url.Error{Op: "Get", URL: "https://u:pw@x.example/c?sig=SECRET%3D", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}})
	failure := Unanswered(err)
	if text := failure.Error(); strings.Contains(text, "SECRET") || strings.Contains(text, "pw") || !strings.Contains(text, "https://x.example/c") {
		t.Errorf("got %s", text)
	}
	if !errors.Is(failure, source.ErrUnreachable) {
		t.Errorf("got the kind of %v", failure.Kind)
	}
}

func TestCancelEndsEverything(t *testing.T) {
	t.Parallel()
	f := &fake{keys: map[string][]string{"b": numbered("%03d", 100)}}
	s := newSource(t, f, "b")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.Parts(over) {
		if err == nil {
			continue
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Error("the list of parts ends without an error")
}
