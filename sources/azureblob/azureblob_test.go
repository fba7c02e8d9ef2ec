package azureblob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

var seeded = objectstest.Seeded(nil)

func TestContract(t *testing.T) {
	suite.Contract(t, objectstest.Contract{
		Buckets: seeded,
		Broken: map[string]sourcetest.Broken{
			"account": {Values: map[string]any{"account_name": "wrong"}, Kind: source.ErrAuth},
			"key":     {Values: map[string]any{"account_key": "not base64"}, Kind: source.ErrConfig},
		},
		WrongKey:     func(r *http.Request) bool { return strings.Contains(r.Header.Get("Authorization"), "SharedKey wrong:") },
		WrongKeyCode: "AuthenticationFailed",
		FailingContent: func(t *testing.T) sourcetest.FailingContent {
			f, values := newFake(t, seeded)
			return sourcetest.FailingContent{
				Values: values, ID: "one/a.txt", Want: objects.ErrReplaced,
				Break: func() { f.Change(func() { f.Buckets["one"]["a.txt"].etag = `"0x2"` }) },
			}
		},
	})
}

func TestDocument(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"c": {"a/b.pdf": "x", "bare": "yy"}})
	f.Buckets["c"]["a/b.pdf"].properties += "<Content-Type>application/pdf</Content-Type><LeaseDuration>Infinite</LeaseDuration>"
	f.Buckets["c"]["a/b.pdf"].metadata = `<z>it's "so"</z><a>it's</a><m>plain</m>`
	f.Buckets["c"]["bare"].properties = ""
	docs, _ := suite.Read(t, suite.Open(t, values))
	for name, want := range map[string]map[string]string{
		"a/b.pdf": {
			"created at": "2022-04-21T12:00:00+00:00", "content type": "application/pdf", "metadata": `{'a': "it's", 'm': 'plain', 'z': 'it\'s "so"'}`,
			"leasedata": "{'status': 'unlocked', 'state': 'available', 'duration': 'infinite'}", "tier": "Hot", "size": "1",
		},
		"bare": {
			"created at": "null", "content type": "null", "metadata": "{}", "leasedata": "{'status': None, 'state': None, 'duration': None}",
			"tier": "null", "size": "2",
		},
	} {
		doc := docs[name]
		got := objectstest.Shown(doc)
		want["id"], want["_timestamp"], want["container metadata"] = "c/"+name, "2022-04-21T12:12:30+00:00", "{'Of': 'c'}"
		want["title"], want["container"], want["etag"] = name, "c", "0x1"
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got:\n%s", name, d)
		}
	}
}

func TestOddNames(t *testing.T) {
	t.Parallel()
	suite.OddKeys(t, "\r.txt", "x/", "..", "not XML \x04 100%2B+.txt", "a b", "q?#&=.txt", "'\".txt")
}

func TestArchivedBlobsAreTheirMetadata(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"c": {"cold": "x", "coming": "y", "hot": "z", "late": "w"}})
	f.Buckets["c"]["cold"].properties = "<AccessTier>Archive</AccessTier>"
	f.Buckets["c"]["coming"].properties = "<AccessTier>Hot</AccessTier><ArchiveStatus>rehydrate-pending-to-hot</ArchiveStatus>"
	docs, _ := suite.Read(t, suite.Open(t, values))
	if docs["cold"].Content != nil || docs["coming"].Content != nil || docs["hot"].Content == nil {
		t.Error("what is archived has content, or what is not has none")
	}
	f.Change(func() {
		f.Before = func(w http.ResponseWriter, _ *http.Request) bool { refuse(w, 409, "BlobArchived"); return true }
	})
	if _, err := objectstest.Content(t, docs["late"]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("archived since: got %v", err)
	}
}

func TestDirectoriesAreSkipped(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"c": {"dir": "", "dir/a": "x"}})
	f.Buckets["c"]["dir"].metadata = "<Hdi_isfolder>true</Hdi_isfolder>"
	suite.ReadAll(t, suite.Open(t, values), 1)
	suite.ReadAll(t, suite.Open(t, objectstest.With(values, map[string]any{"skip_directories": false})), 2)
}

// An empty page with a marker is not the last one.
func TestEmptyPagesAreNotTheEnd(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"c": {"a": "x", "b": "y"}})
	pages := map[string]string{"": "1", "1": "2", "2": "3"}
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		next, empty := pages[r.URL.Query().Get("marker")]
		if r.URL.Query().Get("comp") != "list" || !empty {
			if empty || r.URL.Query().Get("marker") != "3" {
				return false
			}
			f.list(w, nil, []string{"a", "b"}, "Blobs", func(name string) string { return listed(name, f.Buckets["c"][name]) })
			return true
		}
		_, _ = fmt.Fprintf(w, "<EnumerationResults><Blobs /><NextMarker>%s</NextMarker></EnumerationResults>", next)
		return true
	}
	suite.ReadAll(t, suite.Open(t, values), 2)
}

func TestAContainerIsSplitWhereTheServiceSeeks(t *testing.T) {
	t.Parallel()
	blobs := map[string]string{}
	for i := range 500 {
		blobs[fmt.Sprintf("blob-%05d", i)] = "x"
	}
	for name, deaf := range map[string]bool{"the service": false, "an emulator": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, values := newFake(t, map[string]map[string]string{"c": blobs})
			f.Page, f.deaf = 10, deaf
			src := suite.Open(t, values)
			suite.ReadAll(t, src, len(blobs))
			if parts := len(sourcetest.Read(t, src.Parts(t.Context())).Parts); (parts == 1) != deaf {
				t.Errorf("got %d parts", parts)
			}
		})
	}
}

func TestAllContainers(t *testing.T) {
	t.Parallel()
	suite.AllBuckets(t)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	suite.Refusals(t, []objectstest.Refusal{
		{Status: 403, Code: "AuthenticationFailed", Hint: "account_key", Kind: source.ErrAuth},
		{Status: 403, Code: "KeyBasedAuthenticationNotPermitted", Hint: "accepts no keys", Kind: source.ErrAuth},
		{Status: 403, Code: "AuthorizationPermissionMismatch", Hint: "Data Reader", Kind: source.ErrAuth},
		{Status: 404, Code: "ContainerNotFound", Hint: "including its case", Kind: source.ErrConfig},
		{Status: 403, Code: "SomethingNew", Hint: "Data Reader", Kind: source.ErrAuth},
	})
}

// A shared access signature is taken in the forms in which people paste it, sent, and never shown.
func TestSharedAccessSignatures(t *testing.T) {
	t.Parallel()
	const token = "sv=2022&st=2024-01-01T00:00:00Z&se=2024-02-01T00:00:00Z&sig=SECRETSECRET%3D"
	f, values := newFake(t, map[string]map[string]string{"c": {"a.txt": "x"}})
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("sig") != "SECRETSECRET=" || r.Header.Get("Authorization") != "" {
			refuse(w, 403, "AuthenticationFailed")
			return true
		}
		return false
	}
	values["account_key"] = ""
	endpoint := values["blob_endpoint"].(string)
	for name, more := range map[string]map[string]any{
		"plain": {"sas_token": token}, "with a question mark": {"sas_token": "?" + token},
		"as an address": {"sas_token": endpoint + "/?" + token}, "in the endpoint": {"blob_endpoint": endpoint + "/?" + token},
	} {
		src := suite.Open(t, objectstest.With(values, more))
		docs, failed := suite.Read(t, src)
		if len(docs) != 1 || len(failed) > 0 {
			t.Errorf("%s: got %d documents, %v", name, len(docs), failed)
			continue
		}
		if got, err := objectstest.Content(t, docs["a.txt"]); got != "x" || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for name, more := range map[string]map[string]any{
		"another one": {"sas_token": strings.Replace(token, "SECRETSECRET", "SECRETOTHER", 1)},
		"no server":   {"sas_token": token, "blob_endpoint": "http://127.0.0.1:1"},
		"no host":     {"sas_token": token, "blob_endpoint": "http://absent.invalid"},
		"no TLS":      {"sas_token": token, "blob_endpoint": strings.Replace(endpoint, "http:", "https:", 1)},
	} {
		err := suite.Open(t, objectstest.With(values, more)).Ping(t.Context())
		if err == nil || strings.Contains(err.Error()+source.Hint(err), "SECRET") {
			t.Errorf("%s: got %v", name, err)
		}
		if name == "another one" && !strings.Contains(err.Error(), "to 2024-02-01T00:00:00Z") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// How many connections there may be is bounded as it is for other connectors.
func TestConcurrentDownloads(t *testing.T) {
	t.Parallel()
	for given, want := range map[any]int{0: 0, 101: 0, "": 100, 7: 7} {
		v, err := field.Parse(Type.Fields, map[string]any{"account_name": "a", "containers": "c", "account_key": secret, "concurrent_downloads": given})
		if (err != nil) != (want == 0) {
			t.Errorf("%v: got %v", given, err)
		}
		if err != nil {
			continue
		}
		st, err := connect(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if got := st.transport.MaxConnsPerHost; got != want {
			t.Errorf("%v: got %d, want %d", given, got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "''", "a": "'a'", "it's": `"it's"`, `it's "x"`: `'it\'s "x"'`, `"x"`: `'"x"'`, "a\nb\tc\r\\": `'a\nb\tc\r\\'`,
		"\x01\u00a0\u200b\U000e0001é日": `'\x01\xa0\u200b\U000e0001é日'`,
	} {
		if got := quoted(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// pagesAreReadHere: the pages of a server are not the library's.
func pagesAreReadHere(t *testing.T, values map[string]any, name string) {
	st := suite.Client(t, values)
	ctx, here := withListing(t.Context())
	_, err := st.client.NewContainerClient(name).NewListBlobsFlatPager(nil).NextPage(ctx)
	if err != nil || here.page == nil || len(here.page.blobs) == 0 {
		t.Errorf("got %+v, %v", here.page, err)
	}
}

// signatures: those that do not hold end with their times, and one without the right to list with that.
func signatures(t *testing.T, values map[string]any, c *container.Client, name string) {
	now := time.Now().UTC()
	for _, tt := range []struct {
		name     string
		from, to time.Time
		rights   sas.ContainerPermissions
		says     string // "" where it holds
	}{
		{"good", now.Add(-time.Hour), now.Add(time.Hour), sas.ContainerPermissions{Read: true, List: true}, ""},
		{"expired", now.Add(-2 * time.Hour), now.Add(-time.Hour), sas.ContainerPermissions{Read: true, List: true}, "the signature is valid from"},
		{"not yet valid", now.Add(time.Hour), now.Add(2 * time.Hour), sas.ContainerPermissions{Read: true, List: true}, "the signature is valid from"},
		{"without the right to list", now.Add(-time.Hour), now.Add(time.Hour), sas.ContainerPermissions{Read: true}, "Authorization"},
	} {
		address, err := c.GetSASURL(tt.rights, tt.to, &container.GetSASURLOptions{StartTime: &tt.from})
		if err != nil {
			t.Fatal(err)
		}
		err = suite.Open(t, objectstest.With(values, map[string]any{"account_key": "", "sas_token": address, "containers": name})).Ping(t.Context())
		if tt.says == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		_, query, _ := strings.Cut(address, "sig=")
		signature, _, _ := strings.Cut(query, "&")
		if !errors.Is(err, source.ErrAuth) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), signature) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// TestContractOnAServer runs on the emulator that TEST_AZURE_ENDPOINT names.
func TestContractOnAServer(t *testing.T) {
	endpoint := testenv.Required(t, "TEST_AZURE_ENDPOINT")
	account, key := testenv.Required(t, "TEST_AZURE_ACCOUNT"), testenv.Required(t, "TEST_AZURE_KEY")
	credential, err := service.NewSharedKeyCredential(account, key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := service.NewClientWithSharedKeyCredential(endpoint, credential, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, blobs := range seeded {
		name := "test-" + strings.ToLower(rand.Text())
		names = append(names, name)
		if _, err := client.CreateContainer(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = client.DeleteContainer(t.Context(), name, nil) })
		for blob, data := range blobs {
			if _, err := client.NewContainerClient(name).NewBlockBlobClient(blob).UploadBuffer(t.Context(), []byte(data), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	values := map[string]any{"account_name": account, "account_key": key, "blob_endpoint": endpoint, "retry_count": 0}
	t.Run("PagesAreReadHere", func(t *testing.T) {
		pagesAreReadHere(t, objectstest.With(values, map[string]any{"containers": names}), names[0])
	})
	t.Run("Signatures", func(t *testing.T) { signatures(t, values, client.NewContainerClient(names[0]), names[0]) })
	suite.ContractOnAServer(t, names, values, map[string]sourcetest.Broken{
		"key": {Values: map[string]any{"account_key": secret}, Kind: source.ErrAuth},
	})
}

func TestAResponseThatIsNotAListingFails(t *testing.T) {
	t.Parallel()
	suite.ResponseThatIsNoListing(t)
}

// A redirect would take a signature to where nothing was configured: it is an error.
func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked elsewhere for %s", r.URL) }))
	t.Cleanup(elsewhere.Close)
	f, values := newFake(t, map[string]map[string]string{"c": {"a": "x"}})
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		return true
	}
	if err := suite.Open(t, values).Ping(t.Context()); !errors.Is(err, source.ErrConfig) {
		t.Errorf("got %v", err)
	}
}

// A page of the list of containers without any, but with a marker, is not the last one either.
func TestEmptyPagesOfContainersAreNotTheEnd(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"a": {"1": "x"}, "b": {"2": "x"}})
	next := map[string]string{"": "1", "1": "2", "2": ""}
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/" {
			return false
		}
		containers, marker := "", next[r.URL.Query().Get("marker")]
		if marker == "" {
			containers = "<Container><Name>a</Name></Container><Container><Name>b</Name></Container>"
		}
		_, _ = fmt.Fprintf(w, "<EnumerationResults><Containers>%s</Containers><NextMarker>%s</NextMarker></EnumerationResults>", containers, marker)
		return true
	}
	suite.ReadAll(t, suite.Open(t, objectstest.With(values, map[string]any{"containers": "*"})), 2)
}

// silent never returns tokens.
type silent struct{}

func (silent) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	<-ctx.Done()
	return azcore.AccessToken{}, ctx.Err()
}

// A service of identities that accepts the request and never responds does not block the run.
func TestASilentServiceOfCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := (&bounded{silent{}}).GetToken(t.Context(), policy.TokenRequestOptions{})
		if failure := (&store{}).Failure(err); !errors.Is(failure, source.ErrAuth) || time.Since(began) > tokenPatience {
			t.Errorf("got %v after %s", failure, time.Since(began))
		}
	})
}

func TestKindsOfRefusals(t *testing.T) {
	t.Parallel()
	suite.KindsOfRefusals(t, objectstest.Refusal{Status: 503, Code: "ServerBusy", Kind: source.ErrTemporary},
		objectstest.Refusal{Status: 429, Code: "TooManyRequests", Kind: source.ErrTemporary})
}

func TestPagesThatBreakOff(t *testing.T) {
	t.Parallel()
	suite.PagesThatBreakOff(t, "<EnumerationResults><Blobs><Blob><Name>a</Name></Blob>", "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>")
}
