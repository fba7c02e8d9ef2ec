package azureblob

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// fake speaks as much of Azure's protocol as the source asks for, without looking at signatures. A bucket is a container.
type fake struct {
	objectstest.Fake[stored]

	deaf bool // it ignores where a listing is to start
}

type stored struct {
	data, etag string
	properties string // XML; "" for the usual ones
	metadata   string // XML
}

const usual = "<Creation-Time>Thu, 21 Apr 2022 12:00:00 GMT</Creation-Time><AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"

// secret is a key that no account has.
const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="

func newFake(t testing.TB, containers map[string]map[string]string) (*fake, map[string]any) {
	t.Helper()
	f := &fake{}
	address := f.Start(t, f.answer, containers, func(data string) *stored { return &stored{data: data, etag: `"0x1"`, properties: usual} })
	return f, map[string]any{"account_name": "account", "account_key": secret, "blob_endpoint": address, "retry_count": 0, "containers": f.Names()}
}

// suite is Azure's storage for the cases that all object stores share.
var suite = objectstest.Store[*store, *fake]{
	Type: &Type, Connect: connect, Name: titleField, Buckets: fieldContainers, Endpoint: fieldEndpoint, Retries: fieldRetries,
	Fake: newFake, Refuse: refuse, Denied: "AuthorizationPermissionMismatch",
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("X-Ms-Error-Code", code)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>because\nand more</Message></Error>", code)
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	container, blob, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	blob, _ = url.PathUnescape(blob)
	q := r.URL.Query()
	blobs, ok := f.Buckets[container]
	switch {
	case container == "" && q.Get("comp") == "list":
		f.list(w, q, f.Names(), "Containers", func(name string) string {
			return "<Container><Name>" + name + "</Name><Metadata><of>" + name + "</of></Metadata></Container>"
		})
	case !ok:
		refuse(w, 404, "ContainerNotFound")
	case q.Get("comp") == "list":
		f.list(w, q, objectstest.Keys(blobs), "Blobs", func(name string) string { return listed(name, blobs[name]) })
	case q.Get("restype") == "container":
		w.Header().Set("X-Ms-Meta-Of", container)
	case blobs[blob] == nil:
		refuse(w, 404, "BlobNotFound")
	default:
		f.get(w, r, blobs[blob])
	}
}

// listed is a blob in a page. A name that is no XML is encoded, as the service does it.
func listed(name string, b *stored) string {
	shown := "<Name>" + objectstest.Escaped(name) + "</Name>"
	if strings.ContainsRune(name, 4) {
		shown = `<Name Encoded="true">` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20") + "</Name>"
	}
	return fmt.Sprintf("<Blob>%s<Properties><Last-Modified>Thu, 21 Apr 2022 12:12:30 GMT</Last-Modified><Etag>%s</Etag>"+
		"<Content-Length>%d</Content-Length>%s</Properties><Metadata>%s</Metadata></Blob>", shown, b.etag, len(b.data), b.properties, b.metadata)
}

func (f *fake) list(w io.Writer, q url.Values, names []string, element string, item func(string) string) {
	from, marker := q.Get("startFrom"), q.Get("marker")
	if f.deaf {
		from = ""
	}
	page, next := f.InPage(names, q.Get("maxresults"), func(name string) bool {
		return name >= from && strings.HasPrefix(name, q.Get("prefix")) && (marker == "" || name >= marker)
	})
	var b strings.Builder
	for _, name := range page {
		b.WriteString(item(name))
	}
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><%s>%s</%s><NextMarker>%s</NextMarker></EnumerationResults>`,
		element, b.String(), element, objectstest.Escaped(next))
}

func (f *fake) get(w http.ResponseWriter, r *http.Request, b *stored) {
	if match := r.Header.Get("If-Match"); match != "" && match != b.etag {
		refuse(w, 412, "ConditionNotMet")
		return
	}
	w.Header().Set("ETag", b.etag)
	objectstest.WriteFrom(w, r.Header.Get("X-Ms-Range"), b.data)
}
