package dir

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

var _ source.Part = (*recordFile)(nil)

// record is one JSON object or one row.
type record struct {
	fields []document.Field
	line   int      // where it begins, from 1
	ids    []string // the fields that give the id, where the reader determines them and not the configuration
}

// recordReader reads the records of a text in UTF-8. An error, which contains the line, ends the sequence.
// The fields are valid until the next record.
type recordReader func(io.Reader, *settings) iter.Seq2[record, error]

// readerFor chooses the reader by the extension; nil for a file without records.
func readerFor(path string) recordReader {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return jsonValues
	case ".ndjson", ".jsonl":
		return jsonLines
	case ".csv":
		return commaRows
	case ".tsv":
		return tabRows
	}
	return nil
}

// recordFile is the records of one file.
type recordFile struct {
	source.Ending
	*directory
	tree *local
	path string
	read recordReader
}

func (p *recordFile) Scope() string { return files.Shown(p.path) }
func (p *recordFile) Name() string  { return p.path }

// Documents reads the file. After a record that cannot be read the rest of the file cannot be trusted. The same
// holds if records lack their ids: those with an id are indexed, the others are documents without one, which the
// engine rejects by name, and the file ends with an error, so that nothing of it is deleted.
func (p *recordFile) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := p.each(ctx, yield); err != nil && !errors.Is(err, errLeft) {
			yield(document.Document{}, p.fileError(err))
		}
	}
}

// errLeft says that no more documents are wanted.
var errLeft = errors.New("left")

func (p *recordFile) each(ctx context.Context, yield func(document.Document, error) bool) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	f, err := p.tree.Open(ctx, p.path)
	if errors.Is(err, fs.ErrNotExist) { // gone since it was listed, and its records with it
		p.End()
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	before, err := settled(ctx, f)
	if err != nil {
		return err
	}
	nameless, first := 0, 0
	text := decoded(f, p.encoding, func() {
		p.log.Warn("a file is not UTF-8 and is read as Windows-1252; set its encoding with encoding:", slog.String("part", p.path))
	})
	for rec, err := range p.read(text, &p.settings) {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return cmp.Or(files.Unchanged(f, before), err)
		}
		doc := p.document(rec)
		if doc.ID == "" {
			if nameless++; nameless == 1 {
				first = rec.line
			}
		}
		if !yield(doc, nil) {
			return errLeft
		}
	}
	if err := files.Unchanged(f, before); err != nil {
		return err
	}
	if nameless == 0 {
		p.wasRead(p.path, before)
		p.End()
		return nil
	}
	return atLine(first, fmt.Errorf("the record has no id: no value in %s (records without an id: %d)",
		strings.Join(p.idNames(), " or "), nameless))
}

// fileError is about the file; for an error in its content, the hint says what happens to it.
func (p *recordFile) fileError(err error) error {
	e := p.explain(p.path, err)
	if e.Kind == nil {
		e.Hint = "correct the file; until then its documents stay in the index"
	}
	return e
}

// document makes a document of a record. Its fields are unchanged, except that a field is omitted if the document
// already has it as its id.
func (p *recordFile) document(rec record) document.Document {
	id := p.id(&rec)
	fields := slices.DeleteFunc(rec.fields, func(f document.Field) bool {
		if f.Name != "id" && f.Name != "_id" {
			return false
		}
		text, isText := textOf(f.Value)
		return isText && text == id
	})
	giveWay(fields)
	rename(fields)
	fields = append(fields, document.Field{Name: fileField, Value: document.String(files.Shown(p.path))})
	return document.Document{ID: id, Fields: fields}
}

// giveWay renames a field of a record that has the name of the one for its file.
func giveWay(fields []document.Field) {
	for i := range fields {
		if fields[i].Name == fileField {
			fields[i].Name = freeName(fields, fileField)
		}
	}
}

// rename gives fields other names that no index takes, such as one of dots; see [document.PortableFields].
func rename(fields []document.Field) {
	if !slices.ContainsFunc(fields, func(f document.Field) bool { return document.OddName(f.Name) }) {
		return
	}
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	for i, name := range document.PortableFields(names, fileField) {
		fields[i].Name = name
	}
}

// freeName appends "_" to a name until no field has it.
func freeName(fields []document.Field, name string) string {
	taken := func(f document.Field) bool { return f.Name == name }
	for slices.ContainsFunc(fields, taken) {
		name += "_"
	}
	return name
}

// presetIDs are the fields one of which is the id if none is configured.
var presetIDs = []string{"id", "_id"}

// idNames are the fields that give the id: all of them together if they are configured, else the first
// that has a value.
func (s *settings) idNames() []string {
	if len(s.idFields) > 0 {
		return s.idFields
	}
	return presetIDs
}

// idColumns finds the columns that form the id, ignoring case where that is unambiguous; nil if one is missing.
func (s *settings) idColumns(names []string) []string {
	var found []string
	for _, name := range s.idNames() {
		if i := column(names, name); i >= 0 {
			found = append(found, names[i])
		} else if len(s.idFields) > 0 {
			return nil
		}
	}
	return found
}

// column is the place of a name, or -1.
func column(names []string, name string) int {
	if i := slices.Index(names, name); i >= 0 {
		return i
	}
	same := func(other string) bool { return strings.EqualFold(other, name) }
	i := slices.IndexFunc(names, same)
	if i >= 0 && slices.IndexFunc(names[i+1:], same) >= 0 {
		return -1
	}
	return i
}

// id is the id of a record, or "". Several fields are joined by slashes, in such a way that different values
// never yield the same id.
func (s *settings) id(rec *record) string {
	names := rec.ids
	if names == nil {
		names = s.idNames()
	}
	if len(s.idFields) == 0 {
		for _, name := range names {
			if id := idText(rec.fields, name); id != "" {
				return id
			}
		}
		return ""
	}
	if len(names) == 1 {
		return idText(rec.fields, names[0])
	}
	var parts []string
	escape := strings.NewReplacer("%", "%25", "/", "%2F")
	for _, name := range names {
		text := idText(rec.fields, name)
		if text == "" {
			return ""
		}
		parts = append(parts, escape.Replace(text))
	}
	return strings.Join(parts, "/")
}

// idText is the value of a field as an id: text unchanged, numbers and booleans as written;
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
	return fmt.Errorf("the record is longer than %d bytes; raise %s, or exclude the file with %s", most, fieldMaxRecord, fieldPattern)
}

// atLine says where in a file an error is.
func atLine(line int, err error) error { return fmt.Errorf("line %d: %w", line, err) }

// bufferSize is how much of a file is read at a time.
const bufferSize = 64 << 10
