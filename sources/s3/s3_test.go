package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

var seeded = map[string]map[string]string{
	"one": {"a.txt": "a", "sub/b.txt": strings.Repeat("b", 100_000), "empty.txt": "", "für 😀.md": "c", "new\nline.txt": "d"},
	"two": {"e.txt": "e"},
}

func TestContract(t *testing.T) {
	f, values := newFake(t, seeded)
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasPrefix(r.URL.Path, "/denied"):
			refuse(w, 403, "AccessDenied")
		case strings.Contains(r.Header.Get("Authorization"), "Credential=wrong/"):
			refuse(w, 403, "InvalidAccessKeyId")
		default:
			return false
		}
		return true
	}
	sourcetest.Run(t, sourcetest.Config{
		Type:   Type,
		Values: func(*testing.T) map[string]any { return values },
		Broken: map[string]sourcetest.Broken{
			"key":       {Values: objectstest.With(values, map[string]any{"aws_access_key_id": "wrong"}), Kind: source.ErrAuth},
			"half":      {Values: objectstest.With(values, map[string]any{"aws_access_key_id": ""}), Kind: source.ErrConfig},
			"bucket":    {Values: objectstest.With(values, map[string]any{"buckets": "absent"}), Kind: source.ErrConfig},
			"rights":    {Values: objectstest.With(values, map[string]any{"buckets": "denied"}), Kind: source.ErrAuth},
			"endpoint":  {Values: objectstest.With(values, map[string]any{"endpoint_url": "minio:9000"}), Kind: source.ErrConfig},
			"name":      {Values: objectstest.With(values, map[string]any{"buckets": "a/b"}), Kind: source.ErrConfig},
			"no server": {Values: objectstest.With(values, map[string]any{"endpoint_url": "http://127.0.0.1:1"}), Kind: source.ErrUnreachable},
		},
		FailingPart: func(*testing.T) sourcetest.FailingPart {
			return sourcetest.FailingPart{Values: objectstest.With(values, map[string]any{"buckets": "one, denied"}), Scope: "denied", Kind: source.ErrAuth}
		},
		Loss: func(t *testing.T) sourcetest.Loss {
			f, values := newFake(t, map[string]map[string]string{"one": objectstest.Filled("x")})
			f.page = 3
			breaks, lost := f.BreakOffOnce("")
			return sourcetest.Loss{Values: objectstest.With(values, map[string]any{"max_attempts": 2}), Break: breaks, Lost: lost}
		},
		FailingContent: func(t *testing.T) sourcetest.FailingContent {
			f, values := newFake(t, seeded)
			return sourcetest.FailingContent{
				Values: values, ID: "29941712748745392b74c0599b47d295", Want: fs.ErrNotExist,
				Break: func() { f.Change(func() { delete(f.buckets["one"], "a.txt") }) },
			}
		},
	})
}

func TestDocument(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"bucket1": {"1.txt": "x", "folder/": "", "n": "y"}, "b": {"répört 1.pdf": "z"}})
	f.buckets["bucket1"]["n"].owner = ""
	docs, _ := read(t, opened(t, values, nil))
	doc := docs["1.txt"]
	got := objectstest.Shown(doc)
	want := map[string]string{
		"id": "70743168e14c18632702ee6e3e9b73fc", "_timestamp": "2024-05-06T12:00:00+00:00", "filename": "1.txt", "size_in_bytes": "1",
		"bucket": "bucket1", "owner": "null", "storage_class": "STANDARD", "etag": strings.Trim(etag("x"), `"`),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	other, folder := docs["répört 1.pdf"], docs["folder/"]
	if other.ID != "3891fd5b80f8d293d4befba2d8761d62" {
		t.Errorf("got the id %s", other.ID)
	}
	none := docs["n"]
	if folder.Content != nil || objectstest.Text(&none, "owner") != "" {
		t.Errorf("a folder has content %v; no owner is %q", folder.Content, objectstest.Text(&none, "owner"))
	}
	docs, _ = read(t, opened(t, objectstest.With(values, map[string]any{"extended_metadata": true}), nil))
	doc = docs["1.txt"]
	if objectstest.Text(&doc, "owner_id") != "id-me" || objectstest.Text(&doc, "content_url") != "s3://bucket1/1.txt" || objectstest.Text(&doc, "extension") != ".txt" {
		t.Errorf("extended: got %+v", doc.Fields)
	}
}

// Keys are bytes: each is listed and read as it is, whatever a path would make of it.
func TestOddKeys(t *testing.T) {
	t.Parallel()
	keys := map[string]string{}
	for i, key := range []string{
		"/a.txt", "a//b.txt", "./c.txt", "d/../e.txt", "e.txt", `f\g.txt`, "h/.", strings.Repeat("ü", 512), "a\x04b.txt", "100%10 + x.txt",
		"a+b.txt", "a b.txt", "a%2Bb.txt", "é.txt", "e\u0301.txt", "q?#&=.txt", "tab\tand\nline.txt", "'\".txt", "~*!().txt", "..", "x//", "not\xffutf8.txt", "日本/😀.txt",
	} {
		keys[key] = fmt.Sprint("content ", i)
	}
	_, values := newFake(t, map[string]map[string]string{"b": keys})
	docs, failed := read(t, opened(t, values, nil))
	if len(docs) != len(keys) || len(failed) > 0 {
		t.Errorf("got %d documents, %v; want %d", len(docs), failed, len(keys))
	}
	ids := map[string]bool{}
	for key, want := range keys {
		doc := docs[key]
		if ids[doc.ID] = true; strings.HasSuffix(key, "/") {
			continue
		}
		if got, err := objectstest.Content(t, doc); got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", key, got, err, want)
		}
	}
	if len(ids) != len(keys) {
		t.Errorf("%d ids of %d keys", len(ids), len(keys))
	}
}

// A store that does not encode keys, and does not say so, has its percent signs left alone.
func TestKeysAreNotDecodedTwice(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a%2Bb": "x", "c+d": "y"}})
	f.raw = true
	docs, _ := read(t, opened(t, values, nil))
	for _, key := range []string{"a%2Bb", "c+d"} {
		if got, err := objectstest.Content(t, docs[key]); err != nil || got == "" {
			t.Errorf("%s: got %q, %v", key, got, err)
		}
	}
}

func TestArchivedObjectsAreTheirMetadata(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"cold.txt": "x", "back.txt": "y", "tiered.txt": "z"}})
	f.buckets["b"]["cold.txt"].class, f.buckets["b"]["back.txt"].class, f.buckets["b"]["tiered.txt"].class = "GLACIER", "GLACIER", "INTELLIGENT_TIERING"
	f.buckets["b"]["back.txt"].restored = true
	docs, _ := read(t, opened(t, values, nil))
	if docs["cold.txt"].Content != nil {
		t.Error("what is archived has content")
	}
	if got, err := objectstest.Content(t, docs["back.txt"]); got != "y" || err != nil {
		t.Errorf("restored: got %q, %v", got, err)
	}
	if _, err := objectstest.Content(t, docs["tiered.txt"]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("archived by its tier: got %v", err)
	}
}

func TestContentIsOfTheVersionThatWasListed(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a.txt": "first", "b.txt": "first"}})
	docs, _ := read(t, opened(t, values, nil))
	f.Change(func() {
		f.buckets["b"]["a.txt"].data = "other"
		delete(f.buckets["b"], "b.txt")
	})
	if got, err := objectstest.Content(t, docs["a.txt"]); !errors.Is(err, objects.ErrReplaced) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("replaced: got %q, %v", got, err)
	}
	if got, err := objectstest.Content(t, docs["b.txt"]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: got %q, %v", got, err)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status     int
		code, hint string
		kind       error
	}{
		{403, "AccessDenied", "s3:ListBucket", source.ErrAuth},
		{403, "InvalidAccessKeyId", "does not know", source.ErrAuth},
		{403, "SignatureDoesNotMatch", "proxy", source.ErrAuth},
		{403, "RequestTimeTooSkewed", "clock", source.ErrAuth},
		{400, "ExpiredToken", "temporary keys", source.ErrAuth},
		{301, "PermanentRedirect", "another region", source.ErrConfig},
		{400, "AuthorizationHeaderMalformed", "another region", source.ErrConfig},
		{404, "NoSuchBucket", "remove the bucket", source.ErrConfig},
		{403, "", "s3:ListBucket", source.ErrAuth},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, " ", tt.code), func(t *testing.T) {
			t.Parallel()
			f, values := newFake(t, map[string]map[string]string{"b": {}})
			f.Before = func(w http.ResponseWriter, _ *http.Request) bool {
				if tt.code == "" {
					w.WriteHeader(tt.status) // as a proxy does
					return true
				}
				refuse(w, tt.status, tt.code)
				return true
			}
			err := opened(t, values, nil).Ping(t.Context())
			if !errors.Is(err, tt.kind) || !strings.Contains(source.Hint(err), tt.hint) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, hint %q", err, source.Hint(err))
			}
		})
	}
}

// A key that may list only its own prefix is enough for rules that name it.
func TestLeastRights(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"team-a/x.txt": "x", "team-b/y.txt": "y"}})
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && r.URL.Query().Get("prefix") == "team-a/" || strings.HasPrefix(r.URL.Path, "/b/team-a/") {
			return false
		}
		refuse(w, 403, "AccessDenied")
		return true
	}
	src := opened(t, values, []any{map[string]any{"bucket": "b", "prefix": "team-a/"}})
	if err := src.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if docs, failed := read(t, src); len(docs) != 1 || len(failed) > 0 {
		t.Errorf("got %d documents, %v", len(docs), failed)
	}
}

// More that follows without a token is no end.
func TestAPageWithoutATokenFails(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"no token":       "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>",
		"an empty token": "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken><Contents><Key>a</Key></Contents></ListBucketResult>",
		"of version 1":   "<ListBucketResult><IsTruncated>true</IsTruncated><NextMarker>a</NextMarker><Contents><Key>a</Key></Contents></ListBucketResult>",
		"repeated":       "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>a</Key></Contents></ListBucketResult>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, values := newFake(t, map[string]map[string]string{"b": {}})
			f.Before = func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = w.Write([]byte(answer))
				return true
			}
			if _, failed := read(t, opened(t, values, nil)); failed["b"] == nil {
				t.Error("the bucket is taken for complete")
			}
		})
	}
}

// Nothing is sent to other stores that only AWS knows.
func TestOtherStoresAreAskedPlainly(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a.txt": "x"}})
	docs, _ := read(t, opened(t, values, nil))
	if _, err := objectstest.Content(t, docs["a.txt"]); err != nil {
		t.Error(err)
	}
	for _, r := range f.Requests() {
		for _, name := range []string{"X-Amz-Optional-Object-Attributes", "X-Amz-Request-Payer", "Accept-Encoding"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s %s has %s", r.Method, r.URL, name)
			}
		}
		if strings.Contains(r.Header.Get("Authorization"), "accept-encoding") {
			t.Errorf("%s %s signs what proxies change", r.Method, r.URL)
		}
	}
	paying, _ := read(t, opened(t, objectstest.With(values, map[string]any{"request_payer": true}), nil))
	if _, err := objectstest.Content(t, paying["a.txt"]); err != nil {
		t.Error(err)
	}
	asked := f.Requests()
	if got := asked[len(asked)-1].Header.Get("X-Amz-Request-Payer"); got != "requester" {
		t.Errorf("who pays: got %q", got)
	}
}

func TestEndpoints(t *testing.T) {
	for _, tt := range []struct {
		name, configured, want string
		env                    map[string]string
	}{
		{"none", "", "", nil},
		{"configured", "https://minio.example.com", "https://minio.example.com", map[string]string{"AWS_ENDPOINT_URL": "http://x"}},
		{"of AWS", "https://s3.eu-central-1.amazonaws.com", "", nil},
		{"of the environment", "", "http://h:1", map[string]string{"AWS_ENDPOINT_URL": "http://h:1"}},
		{"with a port", "", "http://h:9000", map[string]string{"AWS_ENDPOINT_URL": "http://h", "AWS_PORT": "9000"}},
		{"of S3 alone", "", "http://s3", map[string]string{"AWS_ENDPOINT_URL": "http://h", "AWS_ENDPOINT_URL_S3": "http://s3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PORT"} {
				t.Setenv(name, tt.env[name])
			}
			v, err := field.Parse(Type.Fields, map[string]any{"buckets": "b", "endpoint_url": tt.configured})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := endpointOf(v); got != tt.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// An answer that is no listing, such as the page of a proxy's login, is not taken for an empty bucket.
func TestAResponseThatIsNotAListingFails(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a": "x"}})
	src := opened(t, values, nil)
	objectstest.NoListingFails(t, &f.Front, func() error {
		_, failed := read(t, src)
		return failed["b"]
	})
}

// What a busy store answers may pass, so that the engine asks again; what it is on its way to say may not.
func TestWhatMayPass(t *testing.T) {
	t.Parallel()
	for answer, want := range map[struct {
		status int
		code   string
	}]error{
		{503, "SlowDown"}: source.ErrTemporary, {503, "ServiceUnavailable"}: source.ErrTemporary, {500, "InternalError"}: source.ErrTemporary,
		{400, "RequestTimeout"}: source.ErrTemporary, {429, "TooManyRequests"}: source.ErrTemporary, {502, ""}: source.ErrTemporary,
		{200, "SlowDown"}: source.ErrTemporary, {501, "NotImplemented"}: nil, {400, "InvalidArgument"}: nil,
	} {
		f, values := newFake(t, map[string]map[string]string{"b": {}})
		f.Before = func(w http.ResponseWriter, _ *http.Request) bool { refuse(w, answer.status, answer.code); return true }
		st := storeOf(t, values)
		_, err := st.List(t.Context(), objects.Query{Bucket: "b"})
		if err == nil {
			t.Errorf("%v: no error", answer)
			continue
		}
		if got := st.Failure(err).Kind; got != want { //nolint:errorlint // a kind is compared
			t.Errorf("%v: got %v of the kind %v", answer, err, got)
		}
	}
}

// A page that breaks off is no page, however whole what came of it looks, and is asked for again.
func TestAPageThatBreaksOffMayPass(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"", "<ListBucketResult><Contents><Key>a</Key></Contents>", "<ListBucketResult></ListBucketResult>"} {
		f, values := newFake(t, map[string]map[string]string{"b": {}})
		f.Before = objectstest.BreaksOff(page)
		st := storeOf(t, values)
		_, err := st.List(t.Context(), objects.Query{Bucket: "b"})
		if err == nil || !errors.Is(st.Failure(err), source.ErrTemporary) {
			t.Errorf("%q: got %v", page, err)
		}
	}
}

// What the last attempt answered counts, whatever was answered before.
func TestTheLastAttemptCounts(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a": "x"}})
	n := 0
	f.Before = func(w http.ResponseWriter, _ *http.Request) bool {
		if n++; n == 1 {
			refuse(w, http.StatusOK, "InternalError") // which the library takes for 500
			return true
		}
		return false
	}
	page, err := storeOf(t, objectstest.With(values, map[string]any{"max_attempts": 2})).List(t.Context(), objects.Query{Bucket: "b"})
	if err != nil || len(page.Objects) != 1 || n != 2 {
		t.Errorf("got %d objects, %v by %d requests", len(page.Objects), err, n)
	}
}
