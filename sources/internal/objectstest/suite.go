package objectstest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// Store is a kind of store, of which the shared cases are methods. C is its client, F a simulated store, which embeds
// [Fake].
type Store[C objects.Store, F interface{ Listener() *Front }] struct {
	Type    *source.Type
	Connect func(context.Context, field.Values) (C, error)
	Name    string // the field with the key of an object
	// Buckets, Endpoint and Retries are options: the buckets to read, the address, and how often a request is repeated.
	Buckets, Endpoint, Retries string
	// Fake starts a simulated store with some buckets. values is the configuration that reads them without repeating
	// requests.
	Fake func(t testing.TB, buckets map[string]map[string]string) (f F, values map[string]any)
	// Refuse refuses a request with a status and one of the store's codes. "" is a response without a body, as a proxy
	// sends it.
	Refuse func(w http.ResponseWriter, status int, code string)
	Denied string // the code for a right that is missing, with status 403
}

// start starts a simulated store.
func (s *Store[C, F]) start(t testing.TB, buckets map[string]map[string]string) (*Front, map[string]any) {
	t.Helper()
	f, values := s.Fake(t, buckets)
	return f.Listener(), values
}

// Open opens a source and closes it when the test ends.
func (s *Store[C, F]) Open(t testing.TB, values map[string]any) source.Source {
	t.Helper()
	return sourcetest.Open(t, s.Type, values, source.Env{})
}

// Client is the client that a source has. It is closed when the test ends.
func (s *Store[C, F]) Client(t testing.TB, values map[string]any) C {
	t.Helper()
	v, err := field.Parse(s.Type.Fields, values)
	if err != nil {
		t.Fatal(err)
	}
	client, err := s.Connect(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Read reads all parts: documents by their keys, and errors by their scopes, "" for the list of parts. A key that comes twice fails the test.
func (s *Store[C, F]) Read(t testing.TB, src source.Source) (docs map[string]document.Document, failed map[string]error) {
	t.Helper()
	r := sourcetest.Read(t, src.Parts(t.Context()))
	docs = map[string]document.Document{}
	for _, doc := range r.Docs {
		key := Text(&doc, s.Name)
		if _, twice := docs[key]; twice {
			t.Errorf("%q was read twice", key)
		}
		docs[key] = doc
	}
	if r.Err != nil {
		r.Failed[""] = r.Err
	}
	return docs, r.Failed
}

// ReadAll reads so many documents, without any error.
func (s *Store[C, F]) ReadAll(t testing.TB, src source.Source, want int) map[string]document.Document {
	t.Helper()
	docs, failed := s.Read(t, src)
	if len(docs) != want || len(failed) > 0 {
		t.Errorf("got %d documents, %v; want %d", len(docs), failed, want)
	}
	return docs
}

// Seeded are buckets for [Store.Contract] and [Store.ContractOnAServer]; more are further objects of the first one.
func Seeded(more map[string]string) map[string]map[string]string {
	one := map[string]string{"a.txt": "a", "sub/b.txt": strings.Repeat("b", 100_000), "empty.txt": "", "für 😀.md": "c"}
	maps.Copy(one, more)
	return map[string]map[string]string{"one": one, "two": {"e.txt": "e"}}
}

// Contract is what only one store can contribute to the contract.
type Contract struct {
	Buckets map[string]map[string]string // see [Seeded]
	// Broken are the options by which further configurations differ that are refused.
	Broken map[string]sourcetest.Broken
	// WrongKey, if not nil, reports whether a request has the wrong credentials of Broken, which the store refuses with
	// WrongKeyCode.
	WrongKey     func(*http.Request) bool
	WrongKeyCode string
	// FailingContent changes an object after it was listed.
	FailingContent func(*testing.T) sourcetest.FailingContent
}

// Contract runs the contract of sources on a simulated store.
func (s *Store[C, F]) Contract(t *testing.T, c Contract) {
	f, values := s.start(t, c.Buckets)
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/denied") {
			s.Refuse(w, http.StatusForbidden, s.Denied)
			return true
		}
		wrong := c.WrongKey != nil && c.WrongKey(r)
		if wrong {
			s.Refuse(w, http.StatusForbidden, c.WrongKeyCode)
		}
		return wrong
	}
	broken := map[string]sourcetest.Broken{
		"bucket":    {Values: map[string]any{s.Buckets: "absent"}, Kind: source.ErrConfig},
		"rights":    {Values: map[string]any{s.Buckets: "denied"}, Kind: source.ErrAuth},
		"endpoint":  {Values: map[string]any{s.Endpoint: "host:1"}, Kind: source.ErrConfig},
		"no server": {Values: map[string]any{s.Endpoint: "http://127.0.0.1:1/"}, Kind: source.ErrUnreachable},
	}
	maps.Copy(broken, c.Broken)
	sourcetest.Run(t, sourcetest.Config{
		Type:   *s.Type,
		Values: func(*testing.T) map[string]any { return values },
		Broken: completed(values, broken),
		FailingPart: func(*testing.T) sourcetest.FailingPart {
			return sourcetest.FailingPart{Values: With(values, map[string]any{s.Buckets: "one, denied"}), Scope: "denied", Kind: source.ErrAuth}
		},
		Loss: func(t *testing.T) sourcetest.Loss {
			f, values := s.start(t, map[string]map[string]string{"one": Filled("x")})
			f.Page = 3
			breaks, lost := f.BreakOffOnce("")
			return sourcetest.Loss{Values: With(values, map[string]any{s.Retries: 2}), Break: breaks, Lost: lost}
		},
		FailingContent: c.FailingContent,
	})
}

// ContractOnAServer runs the contract on buckets of a real server, which values reads. broken are the options by which
// further configurations differ that are refused.
func (s *Store[C, F]) ContractOnAServer(t *testing.T, buckets []string, values map[string]any, broken map[string]sourcetest.Broken) {
	const absent = "absent-bucket"
	values = With(values, map[string]any{s.Buckets: buckets})
	all := map[string]sourcetest.Broken{"bucket": {Values: map[string]any{s.Buckets: absent}, Kind: source.ErrConfig}}
	maps.Copy(all, broken)
	sourcetest.Run(t, sourcetest.Config{
		Type:   *s.Type,
		Values: func(*testing.T) map[string]any { return values },
		Broken: completed(values, all),
		FailingPart: func(*testing.T) sourcetest.FailingPart {
			more := append([]string{absent}, buckets...)
			return sourcetest.FailingPart{Values: With(values, map[string]any{s.Buckets: more}), Scope: absent, Kind: source.ErrConfig}
		},
		NoFailingContent: "TestContract has it", NoLoss: "TestContract has it",
	})
}

func completed(values map[string]any, broken map[string]sourcetest.Broken) map[string]sourcetest.Broken {
	all := map[string]sourcetest.Broken{}
	for mistake, b := range broken {
		b.Values = With(values, b.Values)
		all[mistake] = b
	}
	return all
}

// OddKeys checks that objects with these keys, among others, are listed, each with an id of its own, and read.
func (s *Store[C, F]) OddKeys(t *testing.T, keys ...string) {
	data := map[string]string{}
	for _, key := range append(keys,
		"a//b.txt", "./c.txt", "d/../e.txt", "a+b", "100%.txt", "é.txt", "e\u0301.txt", "tab\tand\nline.txt", "日本/😀.txt", strings.Repeat("ü", 512),
	) {
		data[key] = "content of " + key
	}
	f, values := s.start(t, map[string]map[string]string{"b": data})
	f.Page = 3
	docs := s.ReadAll(t, s.Open(t, values), len(data))
	ids := map[string]bool{}
	for key, want := range data {
		ids[docs[key].ID] = true
		if strings.HasSuffix(key, "/") {
			continue // a folder
		}
		if got, err := Content(t, docs[key]); got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", key, got, err, want)
		}
	}
	if len(ids) != len(data) {
		t.Errorf("%d ids of %d keys", len(ids), len(data))
	}
}

// AllBuckets checks that * reads all buckets, whose list has several pages.
func (s *Store[C, F]) AllBuckets(t *testing.T) {
	f, values := s.start(t, map[string]map[string]string{"a": {"1": "x"}, "b": {"2": "x"}, "c": {"3": "x"}})
	f.Page = 1
	s.ReadAll(t, s.Open(t, With(values, map[string]any{s.Buckets: "*"})), 3)
}

// listing lists the first page of a bucket, to which before responds.
func (s *Store[C, F]) listing(t *testing.T, before func(http.ResponseWriter, *http.Request) bool) *source.Error {
	t.Helper()
	f, values := s.start(t, map[string]map[string]string{"b": {"a": "x"}})
	f.Before = before
	client := s.Client(t, values)
	if _, err := client.List(t.Context(), objects.Query{Bucket: "b"}); err != nil {
		return client.Failure(err)
	}
	return nil
}

// ResponseThatIsNoListing checks that a response of another kind with status 200, such as the login page of a proxy, is
// not taken for an empty bucket.
func (s *Store[C, F]) ResponseThatIsNoListing(t *testing.T) {
	for name, response := range map[string]string{
		"nothing": "", "blanks": " \n", "a page": "<html><head><title>Log in</title></head><body><p>Who are you?</p></body></html>",
		"an unclosed page": "<!DOCTYPE html><html><body><br>Log in", "text": "OK", "XML of another kind": `<?xml version="1.0"?><Result><Contents/></Result>`,
		"an error": "<Error><Code>AccessDenied</Code></Error>",
	} {
		failure := s.listing(t, func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte(response))
			return true
		})
		if failure == nil {
			t.Errorf("%s: the bucket is considered empty", name)
		}
	}
}

// Refusal is a response that refuses a request, and the error that it causes.
type Refusal struct {
	Status     int
	Code, Hint string // Hint is a part of the error's hint
	Kind       error  // nil for none
}

// KindsOfRefusals checks the kinds of the errors when a listing is refused.
func (s *Store[C, F]) KindsOfRefusals(t *testing.T, refusals ...Refusal) {
	for _, r := range refusals {
		failure := s.listing(t, func(w http.ResponseWriter, _ *http.Request) bool { s.Refuse(w, r.Status, r.Code); return true })
		if failure == nil || failure.Kind != r.Kind { //nolint:errorlint // a kind is compared
			t.Errorf("%d %s: got %v, want the kind %v", r.Status, r.Code, failure, r.Kind)
		}
	}
}

// Refusals checks the kinds and the hints of the errors of a source. An error is one line, and contains no secret.
func (s *Store[C, F]) Refusals(t *testing.T, refusals []Refusal) {
	for _, r := range refusals {
		t.Run(fmt.Sprint(r.Status, " ", r.Code), func(t *testing.T) {
			t.Parallel()
			f, values := s.start(t, map[string]map[string]string{"b": {}})
			f.Before = func(w http.ResponseWriter, _ *http.Request) bool { s.Refuse(w, r.Status, r.Code); return true }
			err := s.Open(t, values).Ping(t.Context())
			if !errors.Is(err, r.Kind) || !strings.Contains(source.Hint(err), r.Hint) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, hint %q", err, source.Hint(err))
			}
		})
	}
}

// PagesThatBreakOff checks that the beginning of a page is not taken for a page, no matter how complete it looks, and is
// requested again.
func (s *Store[C, F]) PagesThatBreakOff(t *testing.T, pages ...string) {
	for _, page := range append(pages, "") {
		if failure := s.listing(t, BreaksOff(page)); failure == nil || !errors.Is(failure, source.ErrTemporary) {
			t.Errorf("%q: got %v", page, failure)
		}
	}
}
