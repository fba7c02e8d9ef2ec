package s3

import (
	"crypto/md5" //nolint:gosec // ETags
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// fake speaks as much of S3 as the source asks for, without looking at signatures.
type fake struct {
	objectstest.Fake[stored]

	raw bool // it does not encode keys, and does not say so
}

type stored struct {
	data         string
	class, owner string
	restored     bool
	modified     time.Time
}

var noon = time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)

func newFake(t testing.TB, buckets map[string]map[string]string) (*fake, map[string]any) {
	t.Helper()
	f := &fake{}
	address := f.Start(t, f.answer, buckets, func(data string) *stored {
		return &stored{data: data, modified: noon, class: "STANDARD", owner: "me"}
	})
	return f, map[string]any{
		"buckets": f.Names(), "endpoint_url": address, "aws_access_key_id": "key", "aws_secret_access_key": "secret", "max_attempts": 0,
	}
}

// suite is S3 for the cases that all object stores share.
var suite = objectstest.Store[*store, *fake]{
	Type: &Type, Connect: connect, Name: nameField, Buckets: fieldBuckets, Endpoint: fieldEndpoint, Retries: fieldAttempts,
	Fake: newFake, Refuse: refuse, Denied: "AccessDenied",
}

func etag(data string) string {
	sum := md5.Sum([]byte(data)) //nolint:gosec // see the import
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	if code != "" {
		_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>because</Message></Error>`, code)
	}
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	key, _ = url.PathUnescape(key)
	objects, ok := f.Buckets[bucket]
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
	for _, name := range f.Names() {
		_, _ = fmt.Fprintf(w, "<Bucket><Name>%s</Name></Bucket>", name)
	}
	_, _ = io.WriteString(w, "</Buckets></ListAllMyBucketsResult>")
}

func (f *fake) list(w io.Writer, q url.Values, objects map[string]*stored) {
	token, _ := url.QueryUnescape(q.Get("continuation-token")) // a key, in characters that XML has
	after := max(q.Get("start-after"), token)
	page, more := f.InPage(objectstest.Keys(objects), q.Get("max-keys"), func(key string) bool {
		return (key > after || after == "") && strings.HasPrefix(key, q.Get("prefix"))
	})
	var b strings.Builder
	for _, key := range page {
		o := objects[key]
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>%s</ETag><Size>%d</Size><StorageClass>%s</StorageClass>",
			f.encoded(key), o.modified.Format(time.RFC3339), objectstest.Escaped(etag(o.data)), len(o.data), o.class)
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
	if more != "" {
		next = "<NextContinuationToken>" + url.QueryEscape(page[len(page)-1]) + "</NextContinuationToken>"
	}
	_, _ = fmt.Fprintf(w, "<ListBucketResult>%s<IsTruncated>%t</IsTruncated>%s%s</ListBucketResult>", encoding, more != "", next, b.String())
}

func (f *fake) encoded(key string) string {
	if f.raw {
		return objectstest.Escaped(key)
	}
	return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/")
}

func (f *fake) get(w http.ResponseWriter, r *http.Request, o *stored) {
	switch match := r.Header.Get("If-Match"); {
	case match != "" && match != etag(o.data):
		refuse(w, 412, "PreconditionFailed")
	case o.class == "GLACIER" && !o.restored, o.class == "INTELLIGENT_TIERING":
		refuse(w, 403, "InvalidObjectState")
	default:
		w.Header().Set("ETag", etag(o.data))
		objectstest.WriteFrom(w, r.Header.Get("Range"), o.data)
	}
}
