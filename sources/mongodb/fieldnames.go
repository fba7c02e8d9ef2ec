package mongodb

import (
	"strings"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// MongoDB accepts nearly any text as a field name, Elasticsearch does not. Names that it refuses are
// changed by the single rule of [document.PortableNames], object by object. Names of the fields that this source adds
// get a trailing underscore, like those of Elasticsearch's own fields in documents of every source.

// oddName reports whether the names of the object with this name need checking, which costs more.
func oddName(name string, depth int) bool {
	if name == "" || strings.IndexByte(name, '.') >= 0 {
		return true
	}
	switch c := name[0]; {
	case c == '_' && depth == 0 && ours(name):
		return true
	case c <= ' ' || c >= 0x7F:
		return true // it may be blank
	}
	return !utf8.ValidString(name)
}

func ours(name string) bool {
	return name == notesField || name == databaseField || name == collectionField
}

// portable are the names of one object in the form that Elasticsearch accepts. Each is unique.
func portable(names []string, depth int) []string {
	if depth > 0 {
		return document.PortableNames(names)
	}
	own := make([]string, len(names))
	for i, name := range names {
		if own[i] = name; ours(name) {
			own[i] += "_"
		}
	}
	return document.PortableFields(own, notesField, databaseField, collectionField)
}

// rename gives the fields of one object names that Elasticsearch accepts.
func rename(fields []document.Field, depth int) {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	for i, name := range portable(names, depth) {
		fields[i].Name = name
	}
}
