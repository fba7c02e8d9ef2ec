package extract

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

func content(name, data string) *document.Content {
	return &document.Content{Name: name, Size: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(data)), nil
	}}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule, name, data string
		want             string
		skipped          Skipped
	}{
		{"text is unchanged", "a.txt", " a\r\n\tb \n", " a\r\n\tb \n", ""},
		{"so does JSON", "a.json", `{"a": [1.50, "<b>"]}`, `{"a": [1.50, "<b>"]}`, ""},
		{"and CSV", "a.csv", "a,b\n\"1\",2\n", "a,b\n\"1\",2\n", ""},
		{"and XML", "a.xml", "<a><b>1</b></a>", "<a><b>1</b></a>", ""},
		{"the extension may be in capitals", "A.MD", "# a", "# a", ""},
		{"the last extension counts", "a.txt.pdf", "a", "", NotText},
		{"no extension, no text", "README", "a", "", NotText},
		{"a dot at the beginning starts no extension", ".txt", "a", "", NotText},
		{"a folder's dot starts no extension", "a.txt/b", "a", "", NotText},
		{"a dot at the end is an extension of its own", "a.", "a", "", NotText},
		{"a space is part of the extension", "a.txt ", "a", "", NotText},
		{"an empty file has no text", "a.txt", "", "", Empty},
		{"nor has one of white space", "a.txt", " \n\t", "", Empty},
		{"nor has a page without text", "a.html", "<p><script>x</script></p>", "", Empty},
		{"a NUL is not text", "a.txt", "a\x00b", "", Binary},
		{"a file of the limit is read", "a.txt", strings.Repeat("a", 100), strings.Repeat("a", 100), ""},
		{"a larger one is not", "a.txt", strings.Repeat("a", 101), "", TooLarge},
		{"UTF-8 stays", "a.txt", "für 本 😀", "für 本 😀", ""},
		{"a mark of UTF-8 goes", "a.txt", "\xef\xbb\xbfa", "a", ""},
		{"UTF-16 with a mark, little end first", "a.txt", "\xff\xfef\x00\xfc\x00r\x00", "für", ""},
		{"UTF-16 with a mark, big end first", "a.txt", "\xfe\xff\x00f\x00\xfc\x00r", "für", ""},
		{"UTF-16 without a mark looks like binary", "a.txt", "f\x00\xfc\x00r\x00", "", Binary},
		{"what is not UTF-8 is Windows-1252", "a.txt", "f\xfcr 5 \x80", "für 5 €", ""},
		{"a few wrong bytes do not make UTF-8 something else", "a.txt", "für über nötig \xff", "für über nötig \ufffd", ""},
		{"a replacement character is not a wrong byte", "a.txt", "\ufffd\ufffd", "\ufffd\ufffd", ""},
		{"a page says its character set", "a.html", `<meta charset="iso-8859-2"><p>` + "\xb1", "ą", ""},
		{"also in the older way", "a.html", `<META http-equiv=Content-Type content="text/html; Charset=KOI8-R"><p>` + "\xc1", "а", ""},
		{"a page that says UTF-16 in ASCII is UTF-8", "a.html", `<meta charset=utf-16>für`, "für", ""},
		{"an unknown character set is ignored", "a.html", `<meta charset=nonsense>für`, "für", ""},
		{"a page that says nothing is looked at", "a.html", "<p>f\xfcr", "für", ""},
		{"what is said in text counts for nothing", "a.txt", "<meta charset=koi8-r>f\xfcr", "<meta charset=koi8-r>für", ""},
		{"XML says its character set", "a.xml", `<?xml version="1.0" encoding="ISO-8859-2"?><a>` + "\xb1", `<?xml version="1.0" encoding="ISO-8859-2"?><a>` + "ą", ""},
		{"XML that says wrong is UTF-8 all the same", "a.xml", `<?xml version="1.0" encoding="ISO-8859-1"?><a>ü`, `<?xml version="1.0" encoding="ISO-8859-1"?><a>ü`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, skipped, err := Text(t.Context(), content(tt.name, tt.data), 100)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want || skipped != tt.skipped {
				t.Errorf("got %q, %q; want %q, %q", got, skipped, tt.want, tt.skipped)
			}
		})
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	tests := []struct{ rule, page, want string }{
		{"the title stands first", "<html><body>b<head><title> The\n title </title></head>", "The title\nb"},
		{"a page without title is its text", "<p>a", "a"},
		{"a page without text is its title", "<title>a</title>", "a"},
		{"the first title counts", "<title>a</title><title>b</title>c", "a\nc"},
		{"blocks stand on lines", "<h1>a</h1><p>b<p>c<ul><li>d<li>e</ul>f<br>g", "a\nb\nc\nd\ne\nf\ng"},
		{"inline elements do not break words", "a<b>b</b><i>c</i> d", "abc d"},
		{"cells are apart", "<table><tr><td>a<td>b<tr><th>c<th>d</table>", "a b\nc d"},
		{"white space is one space", "<p>  a \n\t b&nbsp;&#32;c  </p>  \n <p>d", "a b c\nd"},
		{"pre keeps its lines", "<pre>a\n  b\n\n c</pre>d\ne", "a\nb\nc\nd e"},
		{"entities are characters", "&lt;p&gt; &amp;amp; &uuml; &#x1F600; &nosuch;", "<p> &amp; ü 😀 &nosuch;"},
		{"scripts are hidden", "a<script>if (a<b) '</p>'</script>b", "ab"},
		{"so are styles", "<style>p{color:red}</style>a", "a"},
		{"and what only scriptless browsers show", "<noscript><p>no</p></noscript>a", "a"},
		{"and frames", "<iframe>no</iframe>a", "a"},
		{"and comments", "a<!-- no > -->b", "ab"},
		{"and templates, also nested", "a<template>no<template>no</template>no</template>b", "ab"},
		{"a script that closes itself does not", "a<script/>no</script>b", "ab"},
		{"a script without an end hides the rest", "a<script>no<p>no", "a"},
		{"a stray end hides nothing", "a</template></svg></pre></script>b", "a\nb"},
		{"the title of a drawing is not that of the page", "<svg><title>no</title><text>a</text></svg><title>t</title>", "t\na"},
		{"an empty title in a drawing swallows nothing", "<svg><title/><text>a</text></svg>b", "ab"},
		{"attributes are not text", `<img alt="no" src=x>a<input value=no>b`, "a b"},
		{"a text area is text", "<textarea><b>a</b></textarea>", "<b>a</b>"},
		{"what is no tag is text", "1 < 2 and 3 > 2 <% x %>", "1 < 2 and 3 > 2 <% x %>"},
		{"a tag that is cut off is none", "a<p class='x", "a"},
		{"nesting has no limit", strings.Repeat("<div>", 100000) + "a", "a"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, _, err := Text(t.Context(), content("a.html", tt.page), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// counted is a file of any size that counts what is read of it.
type counted struct {
	size, read int64
	opened     int
	closed     int
}

func (c *counted) Read(p []byte) (int, error) {
	n := min(int64(len(p)), c.size-c.read)
	if n == 0 {
		return 0, io.EOF
	}
	copy(p, bytes.Repeat([]byte{'a'}, int(n)))
	c.read += n
	return int(n), nil
}

func (c *counted) Close() error { c.closed++; return nil }

func (c *counted) content(listed int64) *document.Content {
	return &document.Content{Name: "a.txt", Size: listed, Open: func(context.Context) (io.ReadCloser, error) {
		c.opened++
		return c, nil
	}}
}

func TestNeverMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	const limit = 1000
	tests := []struct {
		rule         string
		listed, size int64
		skipped      Skipped
		read         int64
	}{
		{"listed as larger: not opened", 2 << 30, 2 << 30, TooLarge, 0},
		{"grown since: read to one byte beyond", 10, 2 << 30, TooLarge, limit + 1},
		{"size unknown: read to one byte beyond", -1, 2 << 30, TooLarge, limit + 1},
		{"size unknown, within", -1, limit, "", limit},
		{"shrunk since: what is there", 500, 10, "", 10},
		{"emptied since", 500, 0, Empty, 0},
		{"listed as empty: not opened", 0, 10, Empty, 0},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			f := &counted{size: tt.size}
			text, skipped, err := Text(t.Context(), f.content(tt.listed), limit)
			if err != nil || skipped != tt.skipped || f.read != tt.read || f.opened != f.closed {
				t.Errorf("got %q, %v, %d bytes read, opened %d, closed %d; want %q, %d bytes",
					skipped, err, f.read, f.opened, f.closed, tt.skipped, tt.read)
			}
			if skipped == "" && int64(len(text)) != tt.read {
				t.Errorf("got %d bytes of text, want %d", len(text), tt.read)
			}
		})
	}
}

func TestErrorsPassThrough(t *testing.T) {
	t.Parallel()
	gone := &document.Content{Name: "a.txt", Size: 3, Open: func(context.Context) (io.ReadCloser, error) {
		return nil, &fs.PathError{Op: "open", Path: "a.txt", Err: fs.ErrNotExist}
	}}
	if _, _, err := Text(t.Context(), gone, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("gone: got %v, want fs.ErrNotExist", err)
	}
	broken := errors.New("disk")
	half := &document.Content{Name: "a.txt", Size: 3, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("a"), failing{broken})), nil
	}}
	if text, _, err := Text(t.Context(), half, 10); !errors.Is(err, broken) || text != "" {
		t.Errorf("broken: got %q, %v; want no text and the error", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := &counted{size: 1 << 40}
	stop := &document.Content{Name: "a.txt", Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
		cancel()
		return f, nil
	}}
	if _, _, err := Text(ctx, stop, 1<<40); !errors.Is(err, context.Canceled) || f.closed != 1 {
		t.Errorf("cancelled: got %v, closed %d times; want context.Canceled, once", err, f.closed)
	}
}

type failing struct{ err error }

func (r failing) Read([]byte) (int, error) { return 0, r.err }

func FuzzText(f *testing.F) {
	for _, s := range []string{
		"<title>a</title><p>b", "<svg><title/><script>", "a<template></template>", "\xff\xfea\x00", "f\xfcr", "<pre>\n\n a",
		"<meta charset=utf-7>", "<?xml version='1.0' encoding='utf-16'?>", "&#0;&#xD800;", "<plaintext>a</plaintext>", "<textarea>",
	} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(1))
		f.Add(s, uint8(2))
	}
	f.Fuzz(func(t *testing.T, data string, kind uint8) {
		name := []string{"a.html", "a.txt", "a.xml"}[kind%3]
		text, skipped, err := Text(t.Context(), content(name, data), 1<<20)
		switch {
		case err != nil:
			t.Fatal(err)
		case skipped != "" && text != "":
			t.Errorf("skipped as %q with text", skipped)
		case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
			t.Errorf("the text is not valid: %q", text)
		}
		if name != "a.html" {
			return
		}
		for _, never := range []string{"  ", "\n\n", " \n", "\n ", "\t", "\r"} {
			if strings.Contains(text, never) {
				t.Errorf("white space is not collapsed: %q", text)
			}
		}
		if strings.TrimSpace(text) != text {
			t.Errorf("white space at an end: %q", text)
		}
	})
}

func BenchmarkHTML(b *testing.B) {
	page := "<title>t</title>" + strings.Repeat("<p>Some <b>text</b> of a page &amp; more of it.</p>\n", 2000)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		visible(page)
	}
}
