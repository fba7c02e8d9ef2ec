package s3

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// large is the size of the object of [giant], of which a connection gives no more than breaks.
const (
	large  = 5 << 30
	breaks = large - 512<<20
)

// giant is a store with one object of 5 GiB.
type giant struct{ ranges []string }

func (g *giant) RoundTrip(r *http.Request) (*http.Response, error) {
	res := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	if r.URL.Query().Has("list-type") {
		res.Body = io.NopCloser(strings.NewReader(fmt.Sprintf("<ListBucketResult><Contents><Key>big.txt</Key><Size>%d</Size><ETag>x</ETag></Contents></ListBucketResult>", int64(large))))
		return res, nil
	}
	asked := r.Header.Get("Range")
	g.ranges = append(g.ranges, asked)
	left := int64(large)
	if from, ok := strings.CutPrefix(asked, "bytes="); ok {
		n, err := strconv.ParseInt(strings.TrimSuffix(from, "-"), 10, 64)
		if err != nil {
			return nil, err
		}
		res.StatusCode = http.StatusPartialContent
		left -= n
	}
	res.ContentLength = left
	if left > breaks {
		res.Body = io.NopCloser(io.MultiReader(io.LimitReader(zeros{}, breaks), broken{io.ErrUnexpectedEOF}))
	} else {
		res.Body = io.NopCloser(io.LimitReader(zeros{}, left))
	}
	return res, nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil } // whatever p held

// An object of 5 GiB is listed like any other, is not opened unless its content is asked for, and is then read
// as a stream that resumes beyond 4 GiB.
func TestAnObjectOfFiveGiB(t *testing.T) {
	t.Parallel()
	st := suite.Client(t, map[string]any{
		"buckets": "b", "endpoint_url": "http://store.example", "aws_access_key_id": "key", "aws_secret_access_key": "secret", "max_attempts": 0,
	})
	g := &giant{}
	st.http.Transport = g
	names, err := objects.ParseNames("buckets", []string{"b"})
	if err != nil {
		t.Fatal(err)
	}
	docs, failed := suite.Read(t, objects.New(objects.Config{Store: st, Noun: "bucket", Names: names, Env: source.Env{}}))
	doc := docs["big.txt"]
	if len(failed) > 0 || doc.Content == nil || doc.Content.Size != large || objectstest.Text(&doc, "size_in_bytes") != strconv.FormatInt(large, 10) || len(g.ranges) > 0 {
		t.Fatalf("got %+v, %v; opened %d times", doc, failed, len(g.ranges))
	}
	r, err := doc.Content.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 1<<20))
	if err != nil || n != large {
		t.Errorf("got %d bytes, %v", n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if want := fmt.Sprintf("bytes=%d-", int64(breaks)); len(g.ranges) != 2 || g.ranges[1] != want {
		t.Errorf("asked for %q, want %s", g.ranges, want)
	}
}

// A byte that is flipped on its way is seen by the checksum that the object was stored with.
func TestAFlippedByteFailsTheContent(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a.txt": "hello", "b.txt": "hello"}})
	sum := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte("hello"))))
	f.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("list-type") {
			return false
		}
		w.Header().Set("X-Amz-Checksum-Crc32", sum)
		text := "hello"
		if strings.HasSuffix(r.URL.Path, "a.txt") {
			text = "hellp"
		}
		_, _ = io.WriteString(w, text)
		return true
	}
	docs, _ := suite.Read(t, suite.Open(t, values))
	if got, err := objectstest.Content(t, docs["a.txt"]); err == nil {
		t.Errorf("got %q, and no error", got)
	}
	if got, err := objectstest.Content(t, docs["b.txt"]); got != "hello" || err != nil {
		t.Errorf("unharmed: got %q, %v", got, err)
	}
}
