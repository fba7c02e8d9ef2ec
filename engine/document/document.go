// Package document holds the value that travels from a source to the destination: an id, ordered
// fields, an optional timestamp and optional content that is opened only when it is needed.
//
// It decides the JSON form of every kind of value, and nothing else: the source maps database types to
// [Value]s, and the plan decides which documents are written.
// Its invariant: the same document always encodes to the same bytes, on one line, in valid UTF-8.
package document

import (
	"context"
	"io"
	"slices"
	"strings"
)

// Document is one record on its way to the destination.
//
// A source may reuse the fields and everything they refer to as soon as the loop body that received the
// document has ended; to keep a document longer, copy it.
type Document struct {
	ID        string   // the destination's _id; not empty
	Timestamp string   // the _timestamp field, in the source's own format; "" lets the engine stamp the run's start
	Fields    []Field  // in the order they are written; names are unique
	Content   *Content // nil when there is no content to extract
}

// Field is one named value of a document.
type Field struct {
	Name  string
	Value Value
}

// Content is the bytes of a document, such as the text of a file.
type Content struct {
	Name string // file name; its extension determines the format
	Size int64  // bytes, as listed; -1 when unknown
	// Open starts reading. It may be called more than once, also concurrently; the caller
	// closes the result. fs.ErrNotExist means that the content was deleted since it was listed, a
	// [*Replaced] that the document has been replaced.
	Open func(context.Context) (io.ReadCloser, error)
}

// Replaced is the error of Content.Open if a document was replaced since it was listed, so that its
// fields and this content do not belong together.
type Replaced struct {
	Document Document // its current version, with the same id and its own content
	Err      error
}

func (r *Replaced) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *Replaced) Unwrap() error { return r.Err }

// Reserved reports whether a top-level field of that name would conflict with a field that the engine
// or Elasticsearch itself writes. Such a field is written with "_" appended to its name, and with
// more of them as long as the document has a field of that name too.
func Reserved(name string) bool {
	if name == "" || (name[0] != '_' && name[0] != 'i') {
		return false
	}
	switch name {
	case "id", "_id", "_timestamp", "_extract_binary_content", "_reduce_whitespace", "_run_ml_inference",
		"_index", "_source", "_routing", "_seq_no", "_version", "_ignored", "_field_names",
		"_nested_path", "_doc_count", "_tier", "_primary_term", "_type", "_feature", "_data_stream_timestamp",
		"_ignored_source", "_inference_fields", "_index_mode":
		return true
	}
	return false
}

// Flags are the three fields that Elastic's ingest pipelines read, see
// https://www.elastic.co/docs/reference/search-connectors/es-ingest-pipelines.
type Flags struct{ ExtractBinaryContent, ReduceWhitespace, RunMLInference bool }

// Trailer is what the engine writes after the fields of every document of a run.
type Trailer struct {
	Timestamp string // for documents that bring none
	Flags     *Flags // nil without a pipeline
}

// AppendSource appends the document's _source: id, the fields in their order, _timestamp, flags.
// It has no line break, so that it fits into a bulk request. contentEnd is the end of the part
// that is compared: everything before _timestamp and the flags.
func AppendSource(dst []byte, doc *Document, tr Trailer) (out []byte, contentEnd int) {
	dst = AppendFields(dst, doc)
	return AppendTrailer(dst, doc, tr), len(dst)
}

// AppendFields begins a _source: id and the fields in their order. Further fields, each after a comma,
// and then [AppendTrailer] complete it.
func AppendFields(dst []byte, doc *Document) []byte {
	dst = append(dst, `{"id":`...)
	dst = AppendString(dst, doc.ID)
	for i := range doc.Fields {
		f := &doc.Fields[i]
		dst = append(dst, ',')
		dst = AppendString(dst, doc.writtenName(f.Name))
		dst = append(dst, ':')
		dst = f.Value.AppendJSON(dst)
	}
	return dst
}

// AppendTrailer ends a _source: _timestamp and the flags.
func AppendTrailer(dst []byte, doc *Document, tr Trailer) []byte {
	ts := doc.Timestamp
	if ts == "" {
		ts = tr.Timestamp
	}
	dst = append(dst, timestampKey...)
	dst = AppendString(dst, ts)
	if tr.Flags != nil {
		dst = appendFlag(dst, "_extract_binary_content", tr.Flags.ExtractBinaryContent)
		dst = appendFlag(dst, "_reduce_whitespace", tr.Flags.ReduceWhitespace)
		dst = appendFlag(dst, "_run_ml_inference", tr.Flags.RunMLInference)
	}
	return append(dst, '}')
}

const timestampKey = `,"_timestamp":`

func appendFlag(dst []byte, name string, v bool) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	if v {
		return append(dst, `":true`...)
	}
	return append(dst, `":false`...)
}

// WrittenNames are the names of top-level fields with these names in a document's _source,
// in their order. A dotted name is a member of an object, whose name is the first part.
func WrittenNames(names []string) []string {
	d := Document{Fields: make([]Field, len(names))}
	for i, name := range names {
		d.Fields[i].Name = name
	}
	out := make([]string, len(names))
	for i, name := range names {
		first, rest, dotted := strings.Cut(name, ".")
		if out[i] = d.writtenName(name); dotted && Reserved(first) {
			out[i] = d.writtenName(first) + "." + rest
		}
	}
	return out
}

// writtenName is the name of a top-level field in the document's _source.
func (d *Document) writtenName(name string) string {
	if !Reserved(name) {
		return name
	}
	taken := func(f Field) bool { return f.Name == name }
	for name += "_"; slices.ContainsFunc(d.Fields, taken); {
		name += "_"
	}
	return name
}
