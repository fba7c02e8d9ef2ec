package extract

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

func TestAppendBase64(t *testing.T) {
	t.Parallel()
	big := string(bytes.Repeat([]byte{0, 0xff, 'a'}, 3*piece/3+1)) // several pieces and a rest
	for _, tt := range []struct {
		rule, name, data string
		limit            int64
		skipped          Skipped
	}{
		{"bytes are sent as they are", "a.pdf", "%PDF-1.7\x00\xff", 100, ""},
		{"text, too", "a.txt", "für\n", 100, ""},
		{"whatever the letter case", "A.DOCX", "PK\x03\x04", 100, ""},
		{"one byte", "a.pdf", "a", 100, ""},
		{"two bytes", "a.pdf", "ab", 100, ""},
		{"exactly a piece", "a.pdf", strings.Repeat("x", piece), 1 << 20, ""},
		{"more than a piece", "a.pdf", big, 1 << 20, ""},
		{"exactly the limit", "a.pdf", strings.Repeat("x", 100), 100, ""},
		{"one more", "a.pdf", strings.Repeat("x", 101), 100, TooLarge},
		{"nothing", "a.pdf", "", 100, Empty},
		{"an unsupported format", "a.bin", "a", 100, NotText},
		{"no extension", "pdf", "a", 100, NotText},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, skipped, err := AppendBase64(t.Context(), []byte("before"), content(tt.name, tt.data), tt.limit)
			if err != nil || skipped != tt.skipped || !bytes.HasPrefix(got, []byte("before")) {
				t.Fatalf("%q, %q, %v", got, skipped, err)
			}
			if skipped != "" {
				if string(got) != "before" {
					t.Fatalf("%q", got)
				}
				return
			}
			var text string
			if err := json.Unmarshal(got[len("before"):], &text); err != nil {
				t.Fatal(err)
			}
			if raw, err := base64.StdEncoding.DecodeString(text); err != nil || string(raw) != tt.data {
				t.Fatalf("%v, %d bytes of %d", err, len(raw), len(tt.data))
			}
		})
	}
}

// TestAppendBase64Fails: nothing of what was read before is left.
func TestAppendBase64Fails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	opens := func(r io.Reader, err error) *document.Content {
		return &document.Content{Name: "a.pdf", Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
			if err != nil {
				return nil, err
			}
			return io.NopCloser(r), nil
		}}
	}
	long := strings.Repeat("x", 2*piece)
	for name, tt := range map[string]struct {
		c       *document.Content
		want    error
		skipped Skipped
	}{
		"gone since it was listed":      {opens(nil, fs.ErrNotExist), fs.ErrNotExist, ""},
		"broken in the middle":          {opens(io.MultiReader(strings.NewReader(long), iotest.ErrReader(broken)), nil), broken, ""},
		"grown beyond the limit":        {opens(strings.NewReader(long+long), nil), nil, TooLarge},
		"empty although listed":         {&document.Content{Name: "a.pdf", Size: 9, Open: content("", "").Open}, nil, Empty},
		"an unexpected end is an error": {opens(iotest.ErrReader(io.ErrUnexpectedEOF), nil), io.ErrUnexpectedEOF, ""},
	} {
		got, skipped, err := AppendBase64(t.Context(), []byte("before"), tt.c, 3*piece)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || skipped != tt.skipped || string(got) != "before" {
			t.Errorf("%s: %q, %q, %v", name, got, skipped, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(broken)
	if _, _, err := AppendBase64(ctx, nil, content("a.pdf", "x"), 10); !errors.Is(err, broken) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestAppendBase64InOddPieces: a reader that gives a byte at a time changes nothing.
func TestAppendBase64InOddPieces(t *testing.T) {
	t.Parallel()
	data := strings.Repeat("0123456789", 100)
	c := &document.Content{Name: "a.pdf", Size: 1000, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(iotest.OneByteReader(strings.NewReader(data))), nil
	}}
	got, _, err := AppendBase64(t.Context(), nil, c, 1000)
	if err != nil || string(got) != `"`+base64.StdEncoding.EncodeToString([]byte(data))+`"` {
		t.Fatalf("%v", err)
	}
}
