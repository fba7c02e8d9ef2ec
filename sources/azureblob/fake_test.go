package azureblob

import (
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

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// fake speaks as much of Azure's protocol as the source asks for, without looking at signatures.
type fake struct {
	objectstest.Front

	containers map[string]map[string]*stored
	page       int
	deaf       bool // it ignores where a listing is to start
}

type stored struct {
	data, etag string
	properties string // XML; "" for the usual ones
	metadata   string // XML
}

const usual = "<Creation-Time>Thu, 21 Apr 2022 12:00:00 GMT</Creation-Time><AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"

// secret is a key that no account has.
const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="

func newFake(t *testing.T, containers map[string]map[string]string) (*fake, map[string]any) {
	t.Helper()
	f := &fake{containers: map[string]map[string]*stored{}, page: 5000}
	for name, blobs := range containers {
		f.containers[name] = map[string]*stored{}
		for blob, data := range blobs {
			f.containers[name][blob] = &stored{data: data, etag: `"0x1"`, properties: usual}
		}
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, map[string]any{
		"account_name": "account", "account_key": secret, "blob_endpoint": server.URL, "retry_count": 0,
		"containers": slices.Sorted(maps.Keys(containers)),
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("X-Ms-Error-Code", code)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>because\nand more</Message></Error>", code)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.Answer(w, r, f.answer) }

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	container, blob, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	blob, _ = url.PathUnescape(blob)
	q := r.URL.Query()
	blobs, ok := f.containers[container]
	switch {
	case container == "" && q.Get("comp") == "list":
		f.list(w, q, slices.Sorted(maps.Keys(f.containers)), "Containers", func(name string) string {
			return "<Container><Name>" + name + "</Name><Metadata><of>" + name + "</of></Metadata></Container>"
		})
	case !ok:
		refuse(w, 404, "ContainerNotFound")
	case q.Get("comp") == "list":
		f.list(w, q, slices.Sorted(maps.Keys(blobs)), "Blobs", func(name string) string { return listed(name, blobs[name]) })
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
	shown := "<Name>" + escaped(name) + "</Name>"
	if strings.ContainsRune(name, 4) {
		shown = `<Name Encoded="true">` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20") + "</Name>"
	}
	return fmt.Sprintf("<Blob>%s<Properties><Last-Modified>Thu, 21 Apr 2022 12:12:30 GMT</Last-Modified><Etag>%s</Etag>"+
		"<Content-Length>%d</Content-Length>%s</Properties><Metadata>%s</Metadata></Blob>", shown, b.etag, len(b.data), b.properties, b.metadata)
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func (f *fake) list(w io.Writer, q url.Values, names []string, element string, item func(string) string) {
	most, _ := strconv.Atoi(q.Get("maxresults"))
	if most == 0 || most > f.page {
		most = f.page
	}
	from, next, n := q.Get("startFrom"), "", 0
	if f.deaf {
		from = ""
	}
	var b strings.Builder
	for _, name := range names {
		if name < from || !strings.HasPrefix(name, q.Get("prefix")) || q.Get("marker") != "" && name < q.Get("marker") {
			continue
		}
		if n == most {
			next = name
			break
		}
		n++
		b.WriteString(item(name))
	}
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><%s>%s</%s><NextMarker>%s</NextMarker></EnumerationResults>`,
		element, b.String(), element, escaped(next))
}

func (f *fake) get(w http.ResponseWriter, r *http.Request, b *stored) {
	if match := r.Header.Get("If-Match"); match != "" && match != b.etag {
		refuse(w, 412, "ConditionNotMet")
		return
	}
	w.Header().Set("ETag", b.etag)
	from := 0
	if value, ok := strings.CutPrefix(r.Header.Get("X-Ms-Range"), "bytes="); ok {
		from, _ = strconv.Atoi(strings.TrimSuffix(value, "-"))
		w.WriteHeader(206)
	}
	_, _ = io.WriteString(w, b.data[from:])
}

func opened(t *testing.T, raw map[string]any) source.Source {
	t.Helper()
	return objectstest.Open(t, &Type, raw, source.Env{})
}

// storeOf is the client that a source has.
func storeOf(t *testing.T, raw map[string]any) *store {
	t.Helper()
	return objectstest.Connect(t, &Type, raw, connect)
}

// read reads all: documents by their names, and errors by their scopes.
func read(t *testing.T, src source.Source) (docs map[string]document.Document, failed map[string]error, parts int) {
	t.Helper()
	r := objectstest.Read(t, src, titleField)
	return r.Docs, r.Failed, r.Parts
}
