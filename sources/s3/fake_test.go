package s3

import (
	"crypto/md5" //nolint:gosec // ETags
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// fake speaks as much of S3 as the source asks for, without looking at signatures.
type fake struct {
	objectstest.Front

	buckets map[string]map[string]*stored
	page    int
	raw     bool // it does not encode keys, and does not say so
}

type stored struct {
	data         string
	class, owner string
	restored     bool
	modified     time.Time
}

var noon = time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)

func newFake(t *testing.T, buckets map[string]map[string]string) (*fake, map[string]any) {
	t.Helper()
	f := &fake{buckets: map[string]map[string]*stored{}, page: 1000}
	for name, objects := range buckets {
		f.buckets[name] = map[string]*stored{}
		for key, data := range objects {
			f.buckets[name][key] = &stored{data: data, modified: noon, class: "STANDARD", owner: "me"}
		}
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, map[string]any{
		"buckets": slices.Sorted(maps.Keys(buckets)), "endpoint_url": server.URL, "aws_access_key_id": "key", "aws_secret_access_key": "secret",
		"max_attempts": 0,
	}
}

func etag(data string) string {
	sum := md5.Sum([]byte(data)) //nolint:gosec // see the import
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>because</Message></Error>`, code)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.Answer(w, r, f.answer) }

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	key, _ = url.PathUnescape(key)
	objects, ok := f.buckets[bucket]
	switch {
	case bucket == "":
		f.listBuckets(w)
	case !ok:
		refuse(w, 404, "NoSuchBucket")
	case r.URL.Query().Get("list-type") == "2":
		f.list(w, r.URL.Query(), objects)
	case objects[key] == nil:
		refuse(w, 404, "NoSuchKey")
	default:
		f.get(w, r, objects[key])
	}
}

func (f *fake) listBuckets(w io.Writer) {
	_, _ = io.WriteString(w, "<ListAllMyBucketsResult><Buckets>")
	for _, name := range slices.Sorted(maps.Keys(f.buckets)) {
		_, _ = fmt.Fprintf(w, "<Bucket><Name>%s</Name></Bucket>", name)
	}
	_, _ = io.WriteString(w, "</Buckets></ListAllMyBucketsResult>")
}

func (f *fake) list(w io.Writer, q url.Values, objects map[string]*stored) {
	most, _ := strconv.Atoi(q.Get("max-keys"))
	most = min(most, f.page)
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	var b strings.Builder
	n, last := 0, ""
	truncated := false
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		if key <= after && after != "" || !strings.HasPrefix(key, q.Get("prefix")) {
			continue
		}
		if n == most {
			truncated = true
			break
		}
		n, last = n+1, key
		o := objects[key]
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>%s</ETag><Size>%d</Size><StorageClass>%s</StorageClass>",
			f.encoded(key), o.modified.Format(time.RFC3339), escaped(etag(o.data)), len(o.data), o.class)
		if o.restored {
			b.WriteString("<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2030-01-01T00:00:00Z</RestoreExpiryDate></RestoreStatus>")
		}
		if o.owner != "" {
			fmt.Fprintf(&b, "<Owner><ID>id-%s</ID></Owner>", o.owner)
		}
		b.WriteString("</Contents>")
	}
	encoding := "<EncodingType>url</EncodingType>"
	if f.raw {
		encoding = ""
	}
	next := ""
	if truncated {
		next = "<NextContinuationToken>" + escaped(last) + "</NextContinuationToken>"
	}
	_, _ = fmt.Fprintf(w, "<ListBucketResult>%s<IsTruncated>%t</IsTruncated>%s%s</ListBucketResult>", encoding, truncated, next, b.String())
}

func (f *fake) encoded(key string) string {
	if f.raw {
		return escaped(key)
	}
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func (f *fake) get(w http.ResponseWriter, r *http.Request, o *stored) {
	switch match := r.Header.Get("If-Match"); {
	case match != "" && match != etag(o.data):
		refuse(w, 412, "PreconditionFailed")
	case o.class == "GLACIER" && !o.restored, o.class == "INTELLIGENT_TIERING":
		refuse(w, 403, "InvalidObjectState")
	default:
		w.Header().Set("ETag", etag(o.data))
		from := 0
		if value, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			from, _ = strconv.Atoi(strings.TrimSuffix(value, "-"))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(o.data)-1, len(o.data)))
			w.WriteHeader(206)
		}
		_, _ = io.WriteString(w, o.data[from:])
	}
}

func opened(t *testing.T, raw map[string]any, rules any) source.Source {
	t.Helper()
	return objectstest.Open(t, &Type, raw, source.Env{AdvancedRules: rules})
}

// storeOf is the client that a source has.
func storeOf(t *testing.T, raw map[string]any) *store {
	t.Helper()
	return objectstest.Connect(t, &Type, raw, connect)
}

// read reads all: documents by their names, and errors by their scopes.
func read(t *testing.T, src source.Source) (docs map[string]document.Document, failed map[string]error) {
	t.Helper()
	r := objectstest.Read(t, src, nameField)
	return r.Docs, r.Failed
}
