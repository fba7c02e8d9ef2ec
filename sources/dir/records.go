package dir

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var _ source.Part = (*recordFile)(nil)

// record is one JSON object or one row.
type record struct {
	fields []document.Field
	line   int // where it begins, from 1
}

// recordReader reads the records of a file, none of them longer than most bytes. An error, which
// tells the line, ends the sequence. The fields are valid until the next record.
type recordReader func(r io.Reader, most int) iter.Seq2[record, error]

// readerFor chooses the reader by the extension; nil for a file that holds no records.
func readerFor(path string) recordReader {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return jsonValues
	case ".ndjson", ".jsonl":
		return jsonLines
	case ".csv":
		return func(r io.Reader, most int) iter.Seq2[record, error] { return rows(r, ',', most) }
	case ".tsv":
		return func(r io.Reader, most int) iter.Seq2[record, error] { return rows(r, '\t', most) }
	}
	return nil
}

// recordFile is the records of one file.
type recordFile struct {
	source.Ending
	*directory
	root *os.Root
	path string
	read recordReader
}

func (p *recordFile) Scope() string { return shown(p.path) }
func (p *recordFile) Name() string  { return p.path }

// Documents reads the file. A record without an id is a document without one, which the engine
// rejects by itself; after one that cannot be read the file cannot be trusted to its end.
func (p *recordFile) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		fail := func(err error) { yield(document.Document{}, p.fileError(err)) }
		if err := context.Cause(ctx); err != nil {
			fail(err)
			return
		}
		f, err := openRegular(p.root, p.path)
		if errors.Is(err, fs.ErrNotExist) { // gone since it was listed, and its records with it
			p.End()
			return
		}
		if err != nil {
			fail(err)
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		nameless := 0
		for rec, err := range p.read(f, p.maxRecord) {
			if err == nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				fail(err)
				return
			}
			doc := p.document(rec)
			if doc.ID == "" {
				if nameless++; nameless == 1 {
					p.log.Warn("a record has no id", slog.String("part", p.path), slog.Int("line", rec.line))
				}
			}
			if !yield(doc, nil) {
				return
			}
		}
		p.End()
	}
}

// fileError is about the file; where it is about what stands in it, it says what becomes of that.
func (p *recordFile) fileError(err error) error {
	e := partError(p.path, err)
	if e.Kind == nil {
		e.Hint = "correct the file; until then, what the index holds of it is kept"
	}
	return e
}

// document makes a document of a record. The fields stay as they are, but that an id which the
// document has anyway is not written again.
func (p *recordFile) document(rec record) document.Document {
	id := p.id(rec.fields)
	fields := slices.DeleteFunc(rec.fields, func(f document.Field) bool {
		if f.Name != "id" && f.Name != "_id" {
			return false
		}
		text, isText := textOf(f.Value)
		return isText && text == id
	})
	for i := range fields {
		if fields[i].Name == fileField {
			fields[i].Name = freeName(fields, fileField)
		}
	}
	fields = append(fields, document.Field{Name: fileField, Value: document.String(shown(p.path))})
	return document.Document{ID: id, Fields: fields}
}

// freeName appends "_" to a name until no field has it.
func freeName(fields []document.Field, name string) string {
	taken := func(f document.Field) bool { return f.Name == name }
	for slices.ContainsFunc(fields, taken) {
		name += "_"
	}
	return name
}

// id is the id of a record, or "". Several fields are joined by slashes, in a way that different
// values never make the same id.
func (s *settings) id(fields []document.Field) string {
	if len(s.idFields) == 0 {
		if id := idText(fields, "id"); id != "" {
			return id
		}
		return idText(fields, "_id")
	}
	if len(s.idFields) == 1 {
		return idText(fields, s.idFields[0])
	}
	var parts []string
	escape := strings.NewReplacer("%", "%25", "/", "%2F")
	for _, name := range s.idFields {
		text := idText(fields, name)
		if text == "" {
			return ""
		}
		parts = append(parts, escape.Replace(text))
	}
	return strings.Join(parts, "/")
}

// idText is the value of a field as an id: text as it is, numbers and booleans as they are written;
// "" for anything else.
func idText(fields []document.Field, name string) string {
	i := slices.IndexFunc(fields, func(f document.Field) bool { return f.Name == name })
	if i < 0 {
		return ""
	}
	v := fields[i].Value
	if text, ok := textOf(v); ok {
		return text
	}
	if raw := v.Text(); raw != "" && raw != "null" && raw[0] != '{' && raw[0] != '[' {
		return raw
	}
	return ""
}

// textOf returns the text of a value that is text, in JSON or not.
func textOf(v document.Value) (string, bool) {
	raw := v.Text()
	if v.Kind() != document.KindRaw {
		return raw, true
	}
	if raw[0] != '"' {
		return "", false
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	var text string
	err := json.Unmarshal([]byte(raw), &text)
	return text, err == nil
}

// errTooLong is about a record that is longer than the limit.
func errTooLong(most int) error {
	return fmt.Errorf("the record is longer than %d bytes; raise %s, or leave the file out by %s", most, fieldMaxRecord, fieldPattern)
}

// atLine says where in a file an error is.
func atLine(line int, err error) error { return fmt.Errorf("line %d: %w", line, err) }

// buffered is a buffered reader of a file, behind the byte order mark that it may begin with.
func buffered(r io.Reader) *bufio.Reader {
	b := bufio.NewReaderSize(r, bufferSize)
	if mark, _ := b.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = b.Discard(3) // they are in the buffer
	}
	return b
}

const bufferSize = 64 << 10
