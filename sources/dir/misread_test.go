package dir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

// readFile reads one file of records; each is shown by its id and its field n.
func readFile(t *testing.T, name, data string, more map[string]any) (got []string, err error) {
	t.Helper()
	raw := map[string]any{"directory": write(t, t.TempDir(), map[string]string{name: data}), "format": formatDocuments}
	maps.Copy(raw, more)
	docs, _, failed := readEach(t, opened(t, raw))
	for _, d := range docs {
		got = append(got, d.ID+" "+nameOf(d))
	}
	return got, failed[name]
}

func nameOf(d document.Document) string {
	for _, name := range []string{"n", "N"} {
		if v, ok := d.Lookup(name); ok {
			return strings.Trim(string(v.AppendJSON(nil)), `"`)
		}
	}
	return ""
}

func utf16Text(text string, big bool) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		if big {
			b.WriteByte(byte(unit >> 8))
			b.WriteByte(byte(unit))
		} else {
			b.WriteByte(byte(unit))
			b.WriteByte(byte(unit >> 8))
		}
	}
	return b.String()
}

func TestWaysToWriteTheSameRecords(t *testing.T) {
	t.Parallel()
	want := []string{"1 ä,b", "2 \U0001f600"}
	plain := "id,n\n1,\"ä,b\"\n2,\U0001f600\n"
	swapped := func(delimiter string) string {
		return "id" + delimiter + "n\n1" + delimiter + "\"ä,b\"\n2" + delimiter + "\U0001f600\n"
	}
	tests := []struct {
		rule, name, data string
		more             map[string]any
	}{
		{"lines end with LF", "a.csv", plain, nil},
		{"lines end with CR", "a.csv", strings.ReplaceAll(plain, "\n", "\r"), nil},
		{"lines end with CR LF", "a.csv", strings.ReplaceAll(plain, "\n", "\r\n"), nil},
		{"the last line has no end", "a.csv", strings.TrimSuffix(plain, "\n"), nil},
		{"JSON lines end with CR", "a.ndjson", "{\"id\":1,\"n\":\"ä,b\"}\r\r{\"id\":2,\"n\":\"\U0001f600\"}\r", nil},
		{"JSON lines end with CR LF", "a.ndjson", "{\"id\":1,\"n\":\"ä,b\"}\r\n{\"id\":2,\"n\":\"\U0001f600\"}", nil},
		{"semicolons", "a.csv", swapped(";"), nil},
		{"tabs in a file of commas", "a.csv", swapped("\t"), nil},
		{"bars", "a.csv", swapped("|"), nil},
		{"commas in a file of tabs", "a.tsv", plain, nil},
		{"tabs", "a.tsv", swapped("\t"), nil},
		{"a delimiter that is named", "a.csv", swapped(";"), map[string]any{"delimiter": ";"}},
		{"tab by its name", "a.csv", swapped("\t"), map[string]any{"delimiter": "tab"}},
		{"capitals in the header", "a.csv", "ID,N" + plain[4:], nil},
		{"capitals where the id field is named", "a.csv", "Id;N" + swapped(";")[4:], map[string]any{"id_field": "id"}},
		{"UTF-8 with its mark", "a.csv", "\ufeff" + plain, nil},
		{"UTF-16, little end first", "a.csv", "\xff\xfe" + utf16Text(plain, false), nil},
		{"UTF-16, big end first", "a.csv", "\xfe\xff" + utf16Text(plain, true), nil},
		{"UTF-16 without its mark, by its name", "a.csv", utf16Text(plain, false), map[string]any{"encoding": "UTF-16LE"}},
		{"JSON in UTF-16", "a.json", "\xff\xfe" + utf16Text(`[{"id":1,"n":"ä,b"},{"id":2,"n":"`+"\U0001f600"+`"}]`, false), nil},
		{"UTF-8 by its name", "a.csv", plain, map[string]any{"encoding": "utf8"}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := readFile(t, tt.name, tt.data, tt.more)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("(-want +got), error %v:\n%s", err, diff)
			}
		})
	}
}

func TestNamedEncodings(t *testing.T) {
	t.Parallel()
	for name, letter := range map[string][2]string{
		"windows-1250": {"\xea", "ę"}, "Shift_JIS": {"\x83\x6e", "ハ"}, "koi8-r": {"\xc1", "а"}, "latin1": {"\x80\xe4", "€ä"},
		"gb18030": {"\x94\x39\xfc\x36", "\U0001f600"}, "utf-16be": {},
	} {
		data := "id,n\n1," + letter[0] + "\n"
		want := "1 " + letter[1]
		if name == "utf-16be" {
			data, want = utf16Text("id,n\n1,愀\n", true), "1 愀"
		}
		if got, err := readFile(t, "a.csv", data, map[string]any{"encoding": name}); err != nil || !cmp.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, want)
		}
	}
}

// Text that cannot be parsed fails its file; none of its records is misread.
func TestUnreadableFilesFail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule, name, data string
		more             map[string]any
		want             []string
		wantErr          string
	}{
		{"no column gives the id", "a.csv", "key,n\n1,a\n", nil, nil, "line 1: no column gives the id: none is called id or _id"},
		{"nor one that is named", "a.csv", "id,n\n1,a\n", map[string]any{"id_field": "n, sku"}, nil, "none is called n or sku"},
		{"two columns differ in letter case alone", "a.csv", "ID,Id,n\n1,2,a\n", nil, nil, "no column gives the id"},
		{"another delimiter than the one that is named", "a.csv", "id;n\n1;a\n", map[string]any{"delimiter": ","}, nil, "no column gives the id"},
		{"UTF-16 without its mark", "a.csv", utf16Text("id,n\n1,a\n", false), nil, nil, "no column gives the id"},
		{"a row without its id", "a.csv", "id,n\n1,a\n,b\n3,c\n,d\n", nil, []string{"1 a", " b", "3 c", " d"}, "line 3: the record has no id: no value in id or _id (records without an id: 2)"},
		{"a byte that is not UTF-8 after letters that are", "a.csv", "id,n\n1,ä\n2,\xe4\n", nil, []string{"1 ä"}, "line 3: the next byte is not UTF-8"},
		{"a byte that is not UTF-8 where that is named", "a.csv", "id,n\n1,a\n2,\xe4\n", map[string]any{"encoding": "utf-8"}, []string{"1 a"}, "line 3: the next byte is not UTF-8"},
		{"half a letter at the end", "a.csv", "id,n\n1,ä\n2,\xc3", nil, []string{"1 ä"}, "line 3: the next byte is not UTF-8"},
		{"half of a pair in UTF-16", "a.csv", "\xfe\xff" + utf16Text("id,n\n1,a\n2,", true) + "\xd8\x3d\x00a", nil, []string{"1 a"}, "line 3: the next byte is not UTF-16"},
		{"half a unit of UTF-16", "a.csv", "\xfe\xff" + utf16Text("id,n\n1,a\n2,", true) + "\x00", nil, []string{"1 a"}, "line 3: the next byte is not UTF-16"},
		{"a byte that the encoding does not have", "a.csv", "id,n\n1,a\n2,\xff\xff\n", map[string]any{"encoding": "shift_jis"}, nil, "the next byte is not SHIFT_JIS"},
		{"text after the quote that ends a value", "a.csv", "id,n\n1,\"a\"b\n", nil, nil, "line 2: text after the quote"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := readFile(t, tt.name, tt.data, tt.more)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) || source.Hint(err) == "" {
				t.Errorf("got the error %v with the hint %q, want %q with one", err, source.Hint(err), tt.wantErr)
			}
		})
	}
}

// Each byte of the encoding that is guessed is another letter, and its use is said once.
func TestNoTwoBytesLookEqual(t *testing.T) {
	t.Parallel()
	var data strings.Builder
	data.WriteString("id,n\n")
	for b := 0x80; b <= 0xff; b++ {
		fmt.Fprintf(&data, "%d,%c\n", b, rune(1))
	}
	text := []byte(data.String())
	for b := 0x80; b <= 0xff; b++ {
		text[bytes.IndexByte(text, 1)] = byte(b)
	}
	var log bytes.Buffer
	src := openedLog(t, map[string]any{
		"directory": write(t, t.TempDir(), map[string]string{"a.csv": string(text)}), "format": formatDocuments,
	}, &log)
	docs, _, failed := readEach(t, src)
	seen := map[string]bool{}
	for _, d := range docs {
		seen[nameOf(d)] = true
	}
	if len(seen) != 128 || len(failed) > 0 || seen["\ufffd"] {
		t.Errorf("got %d different letters of 128 bytes, failed %v", len(seen), failed)
	}
	if n := strings.Count(log.String(), "Windows-1252"); n != 1 || !strings.Contains(log.String(), "part=a.csv") {
		t.Errorf("want one warning that names the file, got:\n%s", &log)
	}
}

func TestUnknownEncodingIsRefused(t *testing.T) {
	t.Parallel()
	v, err := field.Parse(Type.Fields, map[string]any{"directory": t.TempDir(), "format": formatDocuments, "encoding": "latin-nine"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Type.Open(t.Context(), v, source.Env{Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, source.ErrConfig) || source.Hint(err) == "" {
		t.Errorf("got %v, want ErrConfig with a hint", err)
	}
}

// A file that changes after it was opened fails, also where what was read of it is in order. Its neighbors
// are read.
func TestFileThatChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	changes := map[string]func(string) error{
		"it grows": func(file string) error {
			f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("3,c\n")
			return errors.Join(err, f.Close())
		},
		"it is emptied":                 func(file string) error { return os.Truncate(file, 0) },
		"it is written, of equal size":  func(file string) error { return os.WriteFile(file, []byte("id,n\n1,x\n2,y\n"), 0o600) },
		"it is given another time only": func(file string) error { return os.Chtimes(file, time.Time{}, time.Now()) },
	}
	for rule, change := range changes {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			root := write(t, t.TempDir(), map[string]string{"a.csv": "id,n\n1,a\n2,b\n", "b.csv": "id,n\n4,d\n"})
			src := opened(t, map[string]any{"directory": root, "format": formatDocuments})
			failed, read, changed := map[string]error{}, map[string]int{}, false
			for part, err := range src.Parts(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range part.Documents(t.Context()) {
					if err != nil {
						failed[part.Scope()] = err
						break
					}
					read[part.Scope()]++
					if part.Scope() == "a.csv" && !changed {
						changed = true
						if err := change(filepath.Join(root, "a.csv")); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if len(failed) != 1 || !errors.Is(failed["a.csv"], files.ErrChanged) || read["b.csv"] != 1 {
				t.Errorf("read %v, failed %v; want b.csv, and a.csv failed because it changed", read, failed)
			}
		})
	}
}

// Reading begins only when a file has been left alone for a moment.
func TestFileIsReadWhenItIsLeftAlone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(write(t, t.TempDir(), map[string]string{"a.csv": "id\n"}), "a.csv")
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := settled(t.Context(), f)
	if err != nil || time.Since(info.ModTime()) < quiet {
		t.Errorf("settled after %v, %v", time.Since(info.ModTime()), err)
	}
	future := time.Now().Add(24 * time.Hour)
	if err := os.Chtimes(file, future, future); err != nil {
		t.Fatal(err)
	}
	if info, err := settled(t.Context(), f); err != nil || !info.ModTime().Equal(future) {
		t.Errorf("a time in the future: got %v, %v", info, err)
	}
}

// TestAFileThatChangedSinceItWasReadIsReported: before documents are deleted because a file lacks them, it must
// still be the file that was read.
func TestAFileThatChangedSinceItWasReadIsReported(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"a.csv": "id,n\n1,a\n", "b.csv": "id,n\n2,b\n", "c.csv": "id,n\n3,c\n"})
	long := time.Now().Add(-time.Hour)
	for _, name := range []string{"a.csv", "b.csv", "c.csv"} {
		if err := os.Chtimes(filepath.Join(root, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	src := opened(t, map[string]any{"directory": root, "format": formatDocuments})
	if docs, _, failed := readEach(t, src); len(docs) != 3 || len(failed) != 0 {
		t.Fatalf("%d documents, %v", len(docs), failed)
	}
	if err := os.WriteFile(filepath.Join(root, "b.csv"), []byte("id,n\n2,b\n4,d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "c.csv")); err != nil {
		t.Fatal(err)
	}
	verify := src.(source.Verifier).Verify
	if err := verify(t.Context(), "a.csv"); err != nil {
		t.Errorf("an unchanged file: %v", err)
	}
	if err := verify(t.Context(), "b.csv"); !errors.Is(err, files.ErrChanged) {
		t.Errorf("a changed file: %v", err)
	}
	if err := verify(t.Context(), "c.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed file: %v", err)
	}
	if err := verify(t.Context(), "never.csv"); err != nil {
		t.Errorf("a file that was not read: %v", err)
	}
}
