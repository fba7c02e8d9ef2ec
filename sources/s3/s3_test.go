package s3

import (
	"errors"
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

var seeded = objectstest.Seeded(map[string]string{"new\nline.txt": "d"})

func TestContract(t *testing.T) {
	suite.Contract(t, objectstest.Contract{
		Buckets: seeded,
		Broken: map[string]sourcetest.Broken{
			"key":  {Values: map[string]any{"aws_access_key_id": "wrong"}, Kind: source.ErrAuth},
			"half": {Values: map[string]any{"aws_access_key_id": ""}, Kind: source.ErrConfig},
			"name": {Values: map[string]any{"buckets": "a/b"}, Kind: source.ErrConfig},
		},
		WrongKey: func(r *http.Request) bool {
			return strings.Contains(r.Header.Get("Authorization"), "Credential=wrong/")
		},
		WrongKeyCode: "InvalidAccessKeyId",
		FailingContent: func(t *testing.T) sourcetest.FailingContent {
			f, values := newFake(t, seeded)
			return sourcetest.FailingContent{
				Values: values, ID: "29941712748745392b74c0599b47d295", Want: fs.ErrNotExist,
				Break: func() { f.Change(func() { delete(f.Buckets["one"], "a.txt") }) },
			}
		},
	})
}

func TestDocument(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"bucket1": {"1.txt": "x", "folder/": "", "n": "y"}, "b": {"répört 1.pdf": "z"}})
	f.Buckets["bucket1"]["n"].owner = ""
	docs, _ := suite.Read(t, suite.Open(t, values))
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
	docs, _ = suite.Read(t, suite.Open(t, objectstest.With(values, map[string]any{"extended_metadata": true})))
	doc = docs["1.txt"]
	if objectstest.Text(&doc, "owner_id") != "id-me" || objectstest.Text(&doc, "content_url") != "s3://bucket1/1.txt" || objectstest.Text(&doc, "extension") != ".txt" {
		t.Errorf("extended: got %+v", doc.Fields)
	}
}

// Keys are bytes: each is listed and read unchanged, whatever a path would make of it.
func TestOddKeys(t *testing.T) {
	t.Parallel()
	suite.OddKeys(t, "/a.txt", "e.txt", `f\g.txt`, "h/.", "a\x04b.txt", "100%10 + x.txt", "a+b.txt", "a b.txt", "a%2Bb.txt", "q?#&=.txt", "'\".txt", "~*!().txt",
		"..", "x//", "not\xffutf8.txt")
}

func TestAllBuckets(t *testing.T) {
	t.Parallel()
	suite.AllBuckets(t)
}

// The percent signs of a store that does not encode keys, and does not say so, are left alone.
func TestKeysAreNotDecodedTwice(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a%2Bb": "x", "c+d": "y"}})
	f.raw = true
	docs, _ := suite.Read(t, suite.Open(t, values))
	for _, key := range []string{"a%2Bb", "c+d"} {
		if got, err := objectstest.Content(t, docs[key]); err != nil || got == "" {
			t.Errorf("%s: got %q, %v", key, got, err)
		}
	}
}

func TestArchivedObjectsAreTheirMetadata(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"cold.txt": "x", "back.txt": "y", "tiered.txt": "z"}})
	f.Buckets["b"]["cold.txt"].class, f.Buckets["b"]["back.txt"].class, f.Buckets["b"]["tiered.txt"].class = "GLACIER", "GLACIER", "INTELLIGENT_TIERING"
	f.Buckets["b"]["back.txt"].restored = true
	docs, _ := suite.Read(t, suite.Open(t, values))
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
	docs, _ := suite.Read(t, suite.Open(t, values))
	f.Change(func() {
		f.Buckets["b"]["a.txt"].data = "other"
		delete(f.Buckets["b"], "b.txt")
	})
	if got, err := objectstest.Content(t, docs["a.txt"]); !errors.Is(err, objects.ErrReplaced) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("replaced: got %q, %v", got, err)
	}
	if got, err := objectstest.Content(t, docs["b.txt"]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: got %q, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	suite.Refusals(t, []objectstest.Refusal{
		{Status: 403, Code: "AccessDenied", Hint: "s3:ListBucket", Kind: source.ErrAuth},
		{Status: 403, Code: "InvalidAccessKeyId", Hint: "does not know", Kind: source.ErrAuth},
		{Status: 403, Code: "SignatureDoesNotMatch", Hint: "proxy", Kind: source.ErrAuth},
		{Status: 403, Code: "RequestTimeTooSkewed", Hint: "clock", Kind: source.ErrAuth},
		{Status: 400, Code: "ExpiredToken", Hint: "temporary keys", Kind: source.ErrAuth},
		{Status: 301, Code: "PermanentRedirect", Hint: "another region", Kind: source.ErrConfig},
		{Status: 400, Code: "AuthorizationHeaderMalformed", Hint: "another region", Kind: source.ErrConfig},
		{Status: 404, Code: "NoSuchBucket", Hint: "remove the bucket", Kind: source.ErrConfig},
		{Status: 403, Code: "", Hint: "s3:ListBucket", Kind: source.ErrAuth},
	})
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
	src := sourcetest.Open(t, &Type, values, source.Env{AdvancedRules: []any{map[string]any{"bucket": "b", "prefix": "team-a/"}}})
	if err := src.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	suite.ReadAll(t, src, 1)
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
			if _, failed := suite.Read(t, suite.Open(t, values)); failed["b"] == nil {
				t.Error("the bucket is taken for complete")
			}
		})
	}
}

// Nothing is sent to other stores that only AWS knows.
func TestOtherStoresGetNoHeadersOfAWS(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a.txt": "x"}})
	docs, _ := suite.Read(t, suite.Open(t, values))
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
	paying, _ := suite.Read(t, suite.Open(t, objectstest.With(values, map[string]any{"request_payer": true})))
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

func TestAResponseThatIsNotAListingFails(t *testing.T) {
	t.Parallel()
	suite.ResponseThatIsNoListing(t)
}

// The engine retries what a busy store refuses, not what will never be answered otherwise.
func TestKindsOfRefusals(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{"SlowDown": 503, "ServiceUnavailable": 503, "InternalError": 500, "RequestTimeout": 400, "TooManyRequests": 429, "": 502} {
		suite.KindsOfRefusals(t, objectstest.Refusal{Status: status, Code: code, Kind: source.ErrTemporary})
	}
	suite.KindsOfRefusals(t, objectstest.Refusal{Status: 200, Code: "SlowDown", Kind: source.ErrTemporary},
		objectstest.Refusal{Status: 501, Code: "NotImplemented"}, objectstest.Refusal{Status: 400, Code: "InvalidArgument"})
}

func TestPagesThatBreakOff(t *testing.T) {
	t.Parallel()
	suite.PagesThatBreakOff(t, "<ListBucketResult><Contents><Key>a</Key></Contents>", "<ListBucketResult></ListBucketResult>")
}

// Only the response to the last attempt counts.
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
	page, err := suite.Client(t, objectstest.With(values, map[string]any{"max_attempts": 2})).List(t.Context(), objects.Query{Bucket: "b"})
	if err != nil || len(page.Objects) != 1 || n != 2 {
		t.Errorf("got %d objects, %v by %d requests", len(page.Objects), err, n)
	}
}
