// Package dir is the source type "dir": the files of a local folder, or the records in them.
//
// With the format files every regular file is a document of its metadata, whose content the engine
// may turn into text. With the format documents every JSON object or CSV row in the files is one.
// It does not watch a folder: it reads what is there when a sync runs.
//
// Its invariant: nothing outside the configured folder is read, wherever links lead; and a document depends only on
// the files, so that a second run over unchanged files yields the same documents.
package dir

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/glob"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

// The names of configurable fields and the values of those that are choices.
const (
	fieldDirectory = "directory"
	fieldPattern   = "pattern"
	fieldFormat    = "format"
	fieldIDPath    = "id_path"
	fieldIDField   = "id_field"
	fieldMaxRecord = "max_record_bytes"
	fieldDelimiter = "delimiter"
	fieldEncoding  = "encoding"

	auto = "auto"

	formatFiles     = "files"
	formatDocuments = "documents"

	pathAbsolute = "absolute"
	pathRelative = "relative"
)

// The fields of documents besides those of records. Two of them show which part a deleted document belonged to.
const (
	pathField = "path"        // format files: the file
	fileField = "source_file" // format documents: the file that holds the record

	modifiedField = "last_modified_time"
	modeField     = "inode_protection_mode"
	userField     = "uid"
	groupField    = "gid"
	sizeField     = "size"
)

// Type is the source type.
var Type = source.Type{
	Name:  "dir",
	Title: "System Directory",
	Fields: []field.Spec{
		{
			Name: fieldDirectory, Label: "Directory path", Order: 1, Path: true,
			Tooltip: "The folder to read, with its subfolders. In a configuration file, a relative path is relative to that file.",
		},
		{
			Name: fieldPattern, Label: "File glob-like pattern", Order: 2, Value: "**/*.*",
			Tooltip: "Which files below the folder are read. ** matches any number of folders.",
		},
		{
			Name: fieldFormat, Label: "Format", Order: 3, Display: field.Dropdown, Value: formatFiles,
			Options: []field.Option{
				{Label: "A document for each file", Value: formatFiles},
				{Label: "A document for each record of a JSON, NDJSON, CSV or TSV file", Value: formatDocuments},
			},
			Tooltip: "Whether each file or each record in a file is a document.",
		},
		{
			Name: fieldIDPath, Label: "Path in ids", Order: 4, Display: field.Dropdown, Value: pathAbsolute,
			Options: []field.Option{
				{Label: "Absolute", Value: pathAbsolute},
				{Label: "Relative to the folder", Value: pathRelative},
			},
			DependsOn: []field.Dependency{{Field: fieldFormat, Value: formatFiles}},
			Tooltip:   "Whether ids and the field path contain the absolute path, or the path relative to the folder, which stays the same when the folder is elsewhere.",
		},
		{
			Name: fieldIDField, Label: "Id fields", Order: 5, Type: field.List, Optional: true,
			DependsOn: []field.Dependency{{Field: fieldFormat, Value: formatDocuments}},
			Tooltip:   "The fields of a record that together form its id. Empty: id, otherwise _id.",
		},
		{
			Name: fieldMaxRecord, Label: "Largest record in bytes", Order: 6, Type: field.Int, Display: field.Numeric,
			Value:       16 << 20,
			DependsOn:   []field.Dependency{{Field: fieldFormat, Value: formatDocuments}},
			Validations: []field.Validation{{Type: field.GreaterThan, Constraint: 0}},
			Advanced:    true,
			Tooltip:     "A longer record stops the reading of its file with an error.",
		},
		{
			Name: fieldDelimiter, Label: "Delimiter of CSV and TSV", Order: 7, Display: field.Dropdown, Value: auto,
			Options: []field.Option{
				{Label: "Detect by the id fields", Value: auto},
				{Label: "Comma", Value: ","},
				{Label: "Semicolon", Value: ";"},
				{Label: "Tab", Value: "tab"},
				{Label: "Vertical bar", Value: "|"},
			},
			DependsOn: []field.Dependency{{Field: fieldFormat, Value: formatDocuments}},
			Tooltip:   "What separates the values of a row. auto: whichever of comma, semicolon, tab and vertical bar yields a header with the id fields.",
		},
		{
			Name: fieldEncoding, Label: "Encoding of records", Order: 8, Value: auto,
			DependsOn: []field.Dependency{{Field: fieldFormat, Value: formatDocuments}},
			Tooltip: "The character encoding of the files, such as utf-8, utf-16le or windows-1250. auto: by the byte order mark, " +
				"otherwise UTF-8, otherwise Windows-1252 with a warning.",
		},
	},
	VersionPerDocument: func(v field.Values) bool { return v.String(fieldFormat) == formatFiles },
	Tree:               true,
	ScopeFields:        []string{pathField, fileField},
	SharedIDs:          func(v field.Values) bool { return v.String(fieldFormat) == formatDocuments },
	ScopeNoun:          nounOf,
	IdentityFields:     identityFields,
	ScopeOf:            scopeOf,
	TitleField:         pathField,
	CommonFields:       commonFields,
	Open:               open,
}

// settings are the checked configuration.
type settings struct {
	root      string // absolute
	pattern   *glob.Pattern
	documents bool // the format
	relative  bool // ids and paths of files
	idFields  []string
	maxRecord int
	delimiter byte     // 0 to detect it
	encoding  string   // "" to detect it
	spared    []string // paths below the root that belong to this program
}

func open(_ context.Context, v field.Values, env source.Env) (source.Source, error) {
	root, err := filepath.Abs(v.String(fieldDirectory))
	if err != nil {
		return nil, &source.Error{Kind: source.ErrConfig, Err: err}
	}
	pattern, err := glob.Compile(v.String(fieldPattern), glob.Options{DotFiles: true})
	if err != nil {
		return nil, &source.Error{
			Kind: source.ErrConfig, Err: err,
			Hint: "write the pattern as a path below the directory, such as **/*.md",
		}
	}
	encoding := ""
	if name := v.String(fieldEncoding); !strings.EqualFold(name, auto) {
		var ok bool
		if encoding, ok = knownEncoding(name); !ok {
			return nil, &source.Error{
				Kind: source.ErrConfig, Err: fmt.Errorf("%s: unknown encoding %q", fieldEncoding, name),
				Hint: "use a name from the Encoding Standard, such as utf-8, utf-16le, windows-1252, iso-8859-2 or shift_jis",
			}
		}
	}
	return &directory{
		settings: settings{
			root: root, pattern: pattern,
			documents: v.String(fieldFormat) == formatDocuments,
			relative:  v.String(fieldIDPath) == pathRelative,
			idFields:  v.List(fieldIDField),
			maxRecord: v.Int(fieldMaxRecord),
			delimiter: delimiters[v.String(fieldDelimiter)],
			encoding:  encoding,
			spared:    below(root, env.Own),
		},
		log: env.Log,
	}, nil
}

// scopeOf returns the folder that contained a file, or the file that contained a record. The path is that of the
// index, in valid UTF-8.
func scopeOf(v field.Values, fields map[string]any) (string, bool) {
	if v.String(fieldFormat) == formatDocuments {
		file, ok := fields[fileField].(string)
		return file, ok && file != ""
	}
	path, ok := fields[pathField].(string)
	if !ok || path == "" {
		return "", false
	}
	if v.String(fieldIDPath) != pathRelative {
		root, err := filepath.Abs(v.String(fieldDirectory))
		if err != nil {
			return "", false
		}
		if path, ok = strings.CutPrefix(path, files.Shown(inside(root))); !ok {
			return "", false // in a directory that was configured earlier
		}
		path = filepath.ToSlash(path)
	}
	return files.Parent(path), true
}

// inside is the root as a prefix of the paths below it.
func inside(root string) string {
	if strings.HasSuffix(root, string(filepath.Separator)) {
		return root // of the file system, or of a drive
	}
	return root + string(filepath.Separator)
}

// below are those of the paths that lie below the root, relative to it, however links lead to either.
func below(root string, paths []string) []string {
	var found []string
	for _, path := range paths {
		rel, err := filepath.Rel(resolved(root), resolved(path))
		if err == nil && filepath.IsLocal(rel) && rel != "." {
			found = append(found, filepath.ToSlash(rel))
		}
	}
	return found
}

// resolved is a path without links, as far as it exists.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if up := filepath.Dir(path); up != path {
		return filepath.Join(resolved(up), filepath.Base(path))
	}
	return path
}

func nounOf(v field.Values) string {
	if v.String(fieldFormat) == formatDocuments {
		return "path" // files of records, and the folders that hold them
	}
	return "folder"
}

// identityFields: with relative paths a folder elsewhere, such as another checkout, is the same mirror.
func identityFields(v field.Values) []string {
	if v.String(fieldIDPath) == pathRelative {
		return nil
	}
	return []string{fieldDirectory}
}
