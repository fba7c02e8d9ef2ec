package commands_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// buckets are the buckets of one test on an S3 server, and their mirror.
type buckets struct {
	*bench
	client *s3.Client
	one    string
	two    string
}

func newBuckets(t *testing.T, elasticsearch string) *buckets {
	t.Helper()
	endpoint, key, secret := testenv.Required(t, "TEST_S3_ENDPOINT"), testenv.Required(t, "TEST_S3_ACCESS_KEY"), testenv.Required(t, "TEST_S3_SECRET_KEY")
	b := &buckets{bench: newBenchOf(t, elasticsearch), client: s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	})}
	b.one, b.two = "e2e-"+strings.ToLower(rand.Text()), "e2e-"+strings.ToLower(rand.Text())
	for _, name := range []string{b.one, b.two} {
		if _, err := b.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
	}
	b.configure(b.one + ", " + b.two)
	return b
}

func (b *buckets) configure(names string) {
	b.t.Helper()
	b.configureAt(testenv.Required(b.t, "TEST_S3_ENDPOINT"), names, "")
}

// configureAt reads the buckets at an address, with more keys for the connector.
func (b *buckets) configureAt(endpoint, names, more string) {
	b.t.Helper()
	b.writePlain("s3", fmt.Sprintf("buckets: [%s], endpoint_url: %q, aws_access_key_id: %q, aws_secret_access_key: %q, max_attempts: 0",
		names, endpoint, testenv.Required(b.t, "TEST_S3_ACCESS_KEY"), testenv.Required(b.t, "TEST_S3_SECRET_KEY")), more)
}

// inFront is a proxy in front of the server; answer answers instead of the server if it returns true.
func inFront(t *testing.T, answer func(http.ResponseWriter, *http.Request) bool) (address string) {
	t.Helper()
	to, err := url.Parse(testenv.Required(t, "TEST_S3_ENDPOINT"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // which is signed
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (b *buckets) put(bucket, key, data string) {
	b.t.Helper()
	if _, err := b.client.PutObject(b.t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte(data))}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *buckets) remove(bucket string, keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		if _, err := b.client.DeleteObject(b.t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *buckets) modified(bucket, key string) time.Time {
	b.t.Helper()
	out, err := b.client.HeadObject(b.t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		b.t.Fatal(err)
	}
	return aws.ToTime(out.LastModified)
}

// TestBucketsAreMirrored takes two buckets through their life.
func TestBucketsAreMirrored(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBuckets(t, elasticsearch)
		for i := range 20 {
			b.put(b.one, fmt.Sprintf("d/%02d.txt", i), "text")
			b.put(b.two, fmt.Sprintf("d/%02d.txt", i), "text")
		}
		b.must(1, "diff")
		if res := b.must(0, "sync"); res.Created != 40 {
			t.Fatalf("first: %+v", res)
		}
		if res := b.must(0, "sync"); res != (result{Kept: 40}) {
			t.Fatalf("second: %+v", res)
		}
		b.put(b.one, "d/00.txt", "another text")
		b.remove(b.two, "d/01.txt")
		if res := b.must(0, "sync"); res != (result{Kept: 38, Updated: 1, Deleted: 1}) {
			t.Fatalf("changed: %+v", res)
		}

		// An unreadable bucket keeps its documents; those of the other are deleted.
		b.configure(b.one + ", absent-" + b.two)
		b.remove(b.one, "d/02.txt")
		if res := b.must(3, "sync"); res.Deleted != 1 || res.Withheld != 19 {
			t.Fatalf("a bucket removed from the configuration, and a missing one: %+v", res)
		}
		b.configure(b.one + ", " + b.two)
		if res := b.must(0, "sync"); res != (result{Kept: 38}) {
			t.Fatalf("as before: %+v", res)
		}
		// The output has nothing that cron would mail: the library's own warnings are suppressed.
		b.put(b.one, "d/99.txt", "text")
		if o := b.run("sync", "--quiet"); o.code != 0 || o.stderr != "" {
			t.Errorf("quietly: exit code %d\n%s", o.code, o.stderr)
		}
	})
}

// TestAnObjectWrittenTwiceInASecond: times are in seconds, so a new object may have the time and the length of
// the old one.
func TestAnObjectWrittenTwiceInASecond(t *testing.T) {
	t.Parallel()
	b := newBuckets(t, "")
	for try := 0; ; try++ {
		if try == 20 {
			t.Skip("the machine is too slow to write twice and sync within a second")
		}
		b.put(b.one, "a.txt", "first")
		at := b.modified(b.one, "a.txt")
		b.must(0, "sync")
		b.put(b.one, "a.txt", "other")
		if !b.modified(b.one, "a.txt").Equal(at) {
			continue
		}
		if res := b.must(0, "sync"); res != (result{Updated: 1}) {
			t.Fatalf("second: %+v", res)
		}
		if res := b.must(0, "sync"); res != (result{Kept: 1}) {
			t.Fatalf("third: %+v", res)
		}
		return
	}
}

// TestWrongKeysOfABucket: nothing is written or deleted, and each error names its cause.
func TestWrongKeysOfABucket(t *testing.T) {
	t.Parallel()
	b := newBuckets(t, "")
	b.put(b.one, "a.txt", "text")
	b.must(0, "sync")
	endpoint, key, secret := testenv.Required(t, "TEST_S3_ENDPOINT"), testenv.Required(t, "TEST_S3_ACCESS_KEY"), testenv.Required(t, "TEST_S3_SECRET_KEY")
	errors := map[string]bool{}
	for name, values := range map[string][2]string{"secret": {key, b.secret}, "key": {"unknown", secret}} {
		b.writePlain("s3", fmt.Sprintf("buckets: [%s], endpoint_url: %q, aws_access_key_id: %q, aws_secret_access_key: %q, max_attempts: 0", b.one, endpoint, values[0], values[1]), "")
		o := b.run("sync")
		if o.code != 6 || strings.Contains(o.stderr, secret) {
			t.Errorf("%s: exit code %d\n%s", name, o.code, o.stderr)
		}
		errors[o.stderr] = true
	}
	if len(errors) != 2 {
		t.Errorf("both errors are the same:\n%v", errors)
	}
}

// TestRulesOfABucket: with a key that may list only some prefixes, the rules choose the documents, and deletes
// are decided for the bucket.
func TestRulesOfABucket(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBuckets(t, elasticsearch)
		for i := range 15 {
			b.put(b.one, fmt.Sprintf("team-a/%02d.txt", i), "text")
			b.put(b.one, fmt.Sprintf("team-b/%02d.txt", i), "text")
		}
		var refused atomic.Value // the prefixes that the key may not list
		refused.Store([]string(nil))
		endpoint := inFront(t, func(w http.ResponseWriter, r *http.Request) bool {
			prefix := r.URL.Query().Get("prefix")
			if !r.URL.Query().Has("list-type") || !slices.Contains(refused.Load().([]string), prefix) {
				return false
			}
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
			return true
		})
		rules := func(prefixes ...string) {
			list := ""
			for _, prefix := range prefixes {
				list += fmt.Sprintf("{bucket: %s, prefix: %q}, ", b.one, prefix)
			}
			b.configureAt(endpoint, b.one, "    advanced_rules: ["+list+"]\n")
		}

		b.configureAt(endpoint, b.one, "")
		if res := b.must(0, "sync"); res != (result{Created: 30}) {
			t.Fatalf("without rules: %+v", res)
		}

		// One prefix of two is refused: nothing in the bucket is deleted.
		b.remove(b.one, "team-a/00.txt", "team-b/00.txt")
		b.put(b.one, "team-a/new.txt", "text")
		rules("team-a/", "team-b/")
		refused.Store([]string{"", "team-b/"})
		if res := b.must(3, "sync"); res.Created != 1 || res.Deleted != 0 || res.Withheld == 0 {
			t.Fatalf("one prefix is refused: %+v", res)
		}
		refused.Store([]string{""}) // after a change of the rules each document is written again
		if res := b.must(0, "sync"); res != (result{Kept: 15, Updated: 14, Deleted: 2}) {
			t.Fatalf("both prefixes: %+v", res)
		}
		// Documents that no rule names any longer are deleted like others: many deletes are held back until they
		// are confirmed.
		rules("team-a/")
		if res := b.must(4, "sync"); res.Deleted != 0 || res.Withheld != 14 {
			t.Fatalf("a rule less: %+v", res)
		}
		if res := b.must(0, "sync", "--confirm-deletes", "14"); res != (result{Kept: 15, Deleted: 14}) {
			t.Fatalf("a rule less, confirmed: %+v", res)
		}
	})
}

// TestALoginPageIsNotAnEmptyBucket: the answer of a proxy instead of the store deletes nothing.
func TestALoginPageIsNotAnEmptyBucket(t *testing.T) {
	t.Parallel()
	b := newBuckets(t, "")
	var loggedOut atomic.Bool
	b.configureAt(inFront(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !loggedOut.Load() || !strings.Contains(r.URL.Path, b.one) {
			return false
		}
		_, _ = io.WriteString(w, "<html><body>Log in</body></html>")
		return true
	}), b.one+", "+b.two, "")
	b.put(b.one, "a.txt", "text")
	b.put(b.two, "b.txt", "text")
	b.must(0, "sync")
	loggedOut.Store(true)
	if res := b.must(3, "sync"); res.Deleted != 0 || res.Withheld != 1 {
		t.Errorf("got %+v", res)
	}
}

// TestAnObjectBeyondTheLimitIsNotOpened: of an object of 5 GiB only the metadata is read, and no byte of its
// content.
func TestAnObjectBeyondTheLimitIsNotOpened(t *testing.T) {
	t.Parallel()
	b := newBuckets(t, "")
	b.put(b.one, "small.txt", "text")
	b.configureAt(inFront(t, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/big.txt"):
			t.Errorf("asked for %s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusInternalServerError)
		case r.URL.Query().Has("list-type"):
			_, _ = fmt.Fprintf(w, "<ListBucketResult><Contents><Key>big.txt</Key><LastModified>2024-05-06T12:00:00Z</LastModified><ETag>x</ETag><Size>%d</Size></Contents></ListBucketResult>", int64(5<<30))
		default:
			return false
		}
		return true
	}), b.one, "")
	if res := b.must(0, "sync"); res != (result{Created: 1}) {
		t.Fatalf("first: %+v", res)
	}
	if res := b.must(0, "sync"); res != (result{Kept: 1}) {
		t.Errorf("second: %+v", res)
	}
	for _, doc := range b.documents() {
		if string(doc["size_in_bytes"]) != "5368709120" || doc["body"] != nil {
			t.Errorf("got %s", doc)
		}
	}
}

// TestAnOverwrittenObjectOfGoogle: it becomes another document, and the old one is deleted in the same run.
func TestAnOverwrittenObjectOfGoogle(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBenchOf(t, elasticsearch)
		bucket := emptyGoogleBucket(t)
		b.writePlain("google_cloud_storage", fmt.Sprintf("buckets: [%s], endpoint_url: %q", bucket, testenv.Required(t, "TEST_GCS_ENDPOINT")), "")
		put := func(name, text string) {
			postToGoogle(t, strings.Replace(testenv.Required(t, "TEST_GCS_ENDPOINT"), "/storage/", "/upload/storage/", 1)+"b/"+bucket+"/o?uploadType=media&name="+name, "text/plain", text)
		}
		put("a.txt", "first")
		put("b.txt", "stays")
		if res := b.must(0, "sync"); res != (result{Created: 2}) {
			t.Fatalf("first: %+v", res)
		}
		put("a.txt", "second")
		if res := b.must(0, "sync"); res != (result{Created: 1, Deleted: 1, Kept: 1}) {
			t.Fatalf("written over: %+v", res)
		}
		if res := b.must(0, "sync"); res != (result{Kept: 2}) {
			t.Errorf("third: %+v", res)
		}
	})
}
