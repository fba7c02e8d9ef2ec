package gcs

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/storage"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/option"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

var seeded = objectstest.Seeded(map[string]string{"x/": ""})

func TestContract(t *testing.T) {
	suite.Contract(t, objectstest.Contract{
		Buckets: seeded,
		Broken: map[string]sourcetest.Broken{
			"key": {Values: map[string]any{"endpoint_url": "", "service_account_credentials": "{}"}, Kind: source.ErrConfig},
		},
		FailingContent: func(t *testing.T) sourcetest.FailingContent {
			f, values := newFake(t, seeded)
			return sourcetest.FailingContent{
				Values: values, ID: "one/a.txt/1700000000000001", Want: fs.ErrNotExist,
				Break: func() { f.Change(func() { f.Buckets["one"]["a.txt"].generation++ }) },
			}
		},
	})
}

func TestDocument(t *testing.T) {
	t.Parallel()
	name := `répört 100% #1 'x'.PDF`
	f, values := newFake(t, map[string]map[string]string{"b": {name: "x", "plain": "yy"}})
	f.Buckets["b"][name].more = map[string]any{
		"contentType": "application/pdf", "contentLanguage": "de", "componentCount": 3, "metadata": map[string]string{"k": "v", "a": "b"},
	}
	docs, _ := suite.Read(t, suite.Open(t, values))
	for object, more := range map[string]map[string]string{
		name: {
			"size": "1", "type": "application/pdf", "content_language": "de", "component_count": "3", "metadata": `{"a":"b","k":"v"}`,
			"url": "https://console.cloud.google.com/storage/browser/_details/b/r%C3%A9p%C3%B6rt%20100%25%20%231%20'x'.PDF;tab=live_object?project=project",
		},
		"plain": {
			"size": "2", "type": "null", "content_language": "null", "component_count": "null", "metadata": "null",
			"url": "https://console.cloud.google.com/storage/browser/_details/b/plain;tab=live_object?project=project",
		},
	} {
		doc := docs[object]
		got := objectstest.Shown(doc)
		want := map[string]string{
			"id": "b/" + object + "/1700000000000001", "_timestamp": "2024-01-02T03:04:06.000Z", "created_at": "2024-01-02T03:04:05.678Z",
			"last_updated": "2024-01-02T03:04:06.000Z", "content_encoding": "null", "name": object, "storage_class": "STANDARD",
			"version": "1700000000000001", "bucket_name": "b",
		}
		maps.Copy(want, more)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got:\n%s", object, d)
		}
	}
}

func TestOddNames(t *testing.T) {
	t.Parallel()
	suite.OddKeys(t, "\r\x04.txt", "a/b c/é.txt", "#?.txt", "/f.txt")
}

// Decompressed content has an unknown size, so the limit counts the bytes that arrive.
func TestCompressedObjectsHaveNoSize(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a.txt": "x"}})
	f.Buckets["b"]["a.txt"].more = map[string]any{"contentEncoding": "gzip"}
	docs, _ := suite.Read(t, suite.Open(t, values))
	doc := docs["a.txt"]
	if doc.Content.Size != -1 || objectstest.Text(&doc, "size") != "1" {
		t.Errorf("got the sizes %d and %s", doc.Content.Size, objectstest.Text(&doc, "size"))
	}
}

// An account that may list and read objects, and nothing else, is enough for buckets that are named.
func TestLeastRights(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a.txt": "x"}})
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/storage/v1/b/b/o") && !r.URL.Query().Has("userProject") {
			return false
		}
		refuse(w, 403, "forbidden", "serviceusage.services.use, storage.buckets.list")
		return true
	}
	src := suite.Open(t, values)
	if err := src.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	suite.ReadAll(t, src, 1)
	err := suite.Open(t, objectstest.With(values, map[string]any{"buckets": "*"})).Ping(t.Context())
	if !errors.Is(err, source.ErrAuth) || !strings.Contains(err.Error(), "storage.buckets.list") || !strings.Contains(source.Hint(err), "buckets:") {
		t.Errorf("got %v, hint %q", err, source.Hint(err))
	}
}

// A request names the project that pays only where a bucket requires it.
func TestRequesterPays(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"free": {"a.txt": "x"}, "paid": {"b.txt": "y"}})
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		paid, payer := strings.Contains(r.URL.Path, "/b/paid/"), r.URL.Query().Get("userProject")
		switch {
		case paid && payer != "project":
			refuse(w, 400, "required", "Bucket is a requester pays bucket but no user project provided.")
			return true
		case !paid && payer != "":
			t.Errorf("a bucket that asks for nothing is asked with %s", payer)
		}
		return false
	}
	docs := suite.ReadAll(t, suite.Open(t, values), 2)
	if got, err := objectstest.Content(t, docs["b.txt"]); got != "y" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_, failed := suite.Read(t, suite.Open(t, objectstest.With(values, map[string]any{"project_id": ""})))
	if len(failed) != 1 || !strings.Contains(source.Hint(failed["paid"]), "project_id") {
		t.Errorf("without a project: got %v", failed)
	}
}

func TestAllBucketsOfTheProject(t *testing.T) {
	t.Parallel()
	suite.AllBuckets(t)
	_, values := newFake(t, map[string]map[string]string{"a": {}})
	_, failed := suite.Read(t, suite.Open(t, objectstest.With(values, map[string]any{"buckets": "*", "project_id": ""})))
	if !errors.Is(failed[""], source.ErrConfig) {
		t.Errorf("without a project: got %v", failed)
	}
}

// key is the key file of a service account that gets its tokens at an address.
func key(t *testing.T, tokens string) map[string]any {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"type": "service_account", "project_id": "of-the-key", "private_key_id": "1", "client_email": "a@b.example", "token_uri": tokens,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// People paste a key in several forms; what is wrong with one is said without quoting it.
func TestServiceAccounts(t *testing.T) {
	t.Parallel()
	good := key(t, "https://tokens.example")
	lines := good["private_key"].(string)
	forms := map[string]string{
		"unchanged":            asJSON(t, good),
		"escaped":              asJSON(t, asJSON(t, good)),
		"its key on one line":  asJSON(t, objectstest.With(good, map[string]any{"private_key": strings.ReplaceAll(strings.TrimSpace(lines), "\n", " ")})),
		"backslashes for ends": asJSON(t, objectstest.With(good, map[string]any{"private_key": strings.ReplaceAll(lines, "\n", `\n`)})),
	}
	for name, form := range forms {
		a, err := parseAccount(form)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.project != "of-the-key" {
			t.Errorf("%s: got the project %q", name, a.project)
		}
		if _, err := find(a, http.DefaultClient); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, form := range map[string]string{
		"an unknown key": asJSON(t, objectstest.With(good, map[string]any{"foo": 1})), "another type": asJSON(t, objectstest.With(good, map[string]any{"type": "external_account"})),
		"no key": asJSON(t, objectstest.With(good, map[string]any{"private_key": ""})), "no JSON": "SECRET", "a list": `["SECRET"]`,
		"a broken key": asJSON(t, objectstest.With(good, map[string]any{"private_key": "SECRET"})),
	} {
		a, err := parseAccount(form)
		if err == nil {
			_, err = find(a, http.DefaultClient)
		}
		if !errors.Is(err, source.ErrConfig) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: got %v", name, err)
		}
		if name == "an unknown key" && !strings.Contains(err.Error(), `"foo"`) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// tokenStore is a store whose account gets its tokens from a server of the test.
func tokenStore(t *testing.T, tokens, answers http.Handler) *store {
	t.Helper()
	at, store := httptest.NewServer(tokens), httptest.NewServer(answers)
	t.Cleanup(at.Close)
	t.Cleanup(store.Close)
	a, err := parseAccount(asJSON(t, key(t, at.URL)))
	if err != nil {
		t.Fatal(err)
	}
	st := newStore()
	t.Cleanup(func() { _ = st.Close() })
	c, err := find(a, &http.Client{CheckRedirect: objects.NoRedirect})
	if err != nil {
		t.Fatal(err)
	}
	options, err := withCredentials(c, st.transport)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.connect(t.Context(), append(options, option.WithEndpoint(store.URL+"/storage/v1/")), 0); err != nil {
		t.Fatal(err)
	}
	return st
}

func TestTokens(t *testing.T) {
	t.Parallel()
	f, _ := newFake(t, map[string]map[string]string{"b": {"a.txt": "x"}})
	for name, tt := range map[string]struct {
		status int
		kind   error
	}{
		"given": {200, nil}, "refused": {400, source.ErrAuth}, "busy": {503, source.ErrTemporary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := tokenStore(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(`{"access_token":"t0ken","token_type":"Bearer","expires_in":3600}`))
			}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer t0ken" {
					t.Errorf("asked with %q", r.Header.Get("Authorization"))
				}
				f.ServeHTTP(w, r)
			}))
			page, err := st.List(t.Context(), objects.Query{Bucket: "b"})
			if tt.kind == nil && (err != nil || len(page.Objects) != 1) {
				t.Errorf("got %d objects, %v", len(page.Objects), err)
			}
			if tt.kind != nil && !errors.Is(st.Failure(err), tt.kind) {
				t.Errorf("got %v of the kind %v", err, st.Failure(err).Kind)
			}
		})
	}
}

// TestContractOnAServer runs on the stand-in that TEST_GCS_ENDPOINT names.
func TestContractOnAServer(t *testing.T) {
	endpoint := testenv.Required(t, "TEST_GCS_ENDPOINT")
	client, err := storage.NewClient(t.Context(), option.WithEndpoint(endpoint), option.WithoutAuthentication(), storage.WithJSONReads())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	var names []string
	for _, files := range seeded {
		name := "test-" + strings.ToLower(rand.Text())
		names = append(names, name)
		if err := client.Bucket(name).Create(t.Context(), "project", nil); err != nil {
			t.Fatal(err)
		}
		for key, data := range files {
			w := client.Bucket(name).Object(key).NewWriter(t.Context())
			if _, err := w.Write([]byte(data)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	suite.ContractOnAServer(t, names, map[string]any{"endpoint_url": endpoint, "project_id": "project"}, nil)
}

func TestAResponseThatIsNotAListingFails(t *testing.T) {
	t.Parallel()
	suite.ResponseThatIsNoListing(t)
}

func TestKindsOfRefusals(t *testing.T) {
	t.Parallel()
	suite.KindsOfRefusals(t, objectstest.Refusal{Status: 503, Code: "backendError", Kind: source.ErrTemporary},
		objectstest.Refusal{Status: 429, Code: "rateLimitExceeded", Kind: source.ErrTemporary})
}

func TestPagesThatBreakOff(t *testing.T) {
	t.Parallel()
	suite.PagesThatBreakOff(t, `{"items":[`, `{"items":[]}`)
}
