// Package networkdrive is the source type "network_drive": files and folders of shares that are accessed over
// SMB 2 and 3.
//
// It logs in with NTLM. The client library reads neither file ids nor access lists, so ids are made of paths, and
// it is not known who may read a file.
//
// Its invariants: a document depends only on what the server says about the file; a share that treats the user as
// a guest is not read.
package networkdrive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// The names of configurable fields and the values of those that are choices.
const (
	fieldUser     = "username"
	fieldPassword = "password"
	fieldServer   = "server_ip"
	fieldPort     = "server_port"
	fieldPath     = "drive_path"
	fieldMore     = "additional_paths"
	fieldSecurity = "use_document_level_security"
	fieldType     = "drive_type"
	fieldMappings = "identity_mappings"
	fieldIDs      = "id_mode"
	fieldHidden   = "skip_hidden"
	fieldExclude  = "exclude"
	fieldRecall   = "recall_offline"

	idsOfPaths = "path"
)

// pathField is the field of a document that determines its scope.
const pathField = "path"

// Type is the source type.
var Type = source.Type{
	Name:  "network_drive",
	Title: "Network Drive",
	Fields: []field.Spec{
		{
			Name: fieldUser, Label: "Username", Order: 1,
			Tooltip: "The user who may read the share: user, DOMAIN\\user or user@domain.",
		},
		{Name: fieldPassword, Label: "Password", Order: 2, Sensitive: true, Tooltip: "The user's password, used literally."},
		{Name: fieldServer, Label: "SMB IP", Order: 3, Tooltip: "The server's address or name."},
		{
			Name: fieldPort, Label: "SMB port", Order: 4, Type: field.Int, Display: field.Numeric, Value: 445,
			Validations: form.Between(1, 65535),
			Tooltip:     "The server's port, usually 445.",
		},
		{
			Name: fieldPath, Label: "SMB path", Order: 5,
			Tooltip: "The share, optionally with a folder in it, to read with its subfolders, such as Folder1/sub. No leading slash.",
		},
		{
			Name: fieldSecurity, Label: "Enable document level security", Order: 6, Type: field.Bool, Display: field.Toggle, Value: false,
			Tooltip: "Must be off: this connector does not read access lists.",
		},
		{
			Name: fieldType, Label: "Drive type", Order: 7, Display: field.Dropdown, Value: "windows", Advanced: true,
			Options:   []field.Option{{Label: "Windows", Value: "windows"}, {Label: "Linux", Value: "linux"}},
			DependsOn: []field.Dependency{{Field: fieldSecurity, Value: true}},
			Tooltip:   "Used only for document level security.",
		},
		{
			Name: fieldMappings, Label: "Path of CSV file containing users and groups SID (For Linux Network Drive)", Order: 8,
			Optional: true, Advanced: true,
			DependsOn: []field.Dependency{{Field: fieldSecurity, Value: true}, {Field: fieldType, Value: "linux"}},
			Tooltip:   "Used only for document level security.",
		},
		source.ExtractionService(9),
		{
			Name: fieldMore, Label: "Additional SMB paths", Order: 10, Type: field.List, Optional: true, Advanced: true,
			Tooltip: "Further folders of the same server, each written like the SMB path.",
		},
		{
			Name: fieldIDs, Label: "Ids", Order: 11, Display: field.Dropdown, Value: idsOfPaths, Advanced: true,
			Options: []field.Option{{Label: "Of paths", Value: idsOfPaths}},
			Tooltip: "What ids are made of. The server's file ids are not read, so a file that is moved becomes another document.",
		},
		{
			Name: fieldHidden, Label: "Skip hidden files", Order: 12, Type: field.Bool, Display: field.Toggle, Value: false, Advanced: true,
			Tooltip: "Skips files and folders that are hidden, belong to the system, or have a name that begins with a dot.",
		},
		{
			Name: fieldExclude, Label: "Exclude", Order: 13, Type: field.List, Optional: true, Advanced: true,
			Tooltip: "Patterns of paths to exclude with everything below them, beginning with the share, such as Folder1/\\*\\*/~$\\*.",
		},
		{
			Name: fieldRecall, Label: "Recall offline files", Order: 14, Type: field.Bool, Display: field.Toggle, Value: false, Advanced: true,
			Tooltip: "Also reads files that the server has moved to slower storage, which makes it recall them.",
		},
	},
	VersionPerDocument: func(field.Values) bool { return true },
	Tree:               true,
	ScopeFields:        []string{pathField},
	ScopeNoun:          source.Noun("folder"),
	IdentityFields:     source.Identity(fieldServer, fieldPort, fieldPath),
	ScopeOf:            scopeOf,
	TitleField:         pathField,
	CommonFields:       commonFields,
	AdvancedRules:      true,
	Open:               open,
}

func commonFields(field.Values) []source.DescribedField {
	return []source.DescribedField{
		{Name: pathField, Kind: source.Text},
		{Name: titleField, Kind: source.Text},
		{Name: typeField, Kind: source.Keyword},
		{Name: sizeField, Kind: source.Long},
		{Name: createdField, Kind: source.Date},
	}
}

// drive is the opened source.
type drive struct {
	settings
	log    *slog.Logger
	server *server

	mu     sync.Mutex
	strays int
	stray  string // the first
}

var _ source.Source = (*drive)(nil)

func open(_ context.Context, v field.Values, env source.Env) (source.Source, error) {
	s, err := newSettings(v, env.AdvancedRules)
	if err != nil {
		return nil, err
	}
	return &drive{settings: s, log: env.Log, server: newServer(s.login, env.StallTimeout)}, nil
}

// Validate checks nothing that Ping does not.
func (d *drive) Validate(ctx context.Context) error { return context.Cause(ctx) }

// Ping logs in and looks at the folders to read. One of several that cannot be opened fails alone, later.
func (d *drive) Ping(ctx context.Context) error {
	var errs []error
	for _, root := range d.roots {
		info, err := d.tree().Stat(ctx, root)
		switch {
		case err != nil:
			err = d.explain(root, err)
		case !info.IsDir():
			err = &source.Error{Kind: source.ErrConfig, Part: root, Err: errors.New("it is a file, not a folder")}
		default:
			return nil
		}
		errs = append(errs, err)
	}
	return errs[0]
}

// Close ends the sessions and logs what was not followed.
func (d *drive) Close() error {
	if d.strays > 0 {
		d.log.Warn("folders that link to one of their parents were skipped", slog.Int("links", d.strays), slog.String("first", d.stray))
	}
	for _, r := range d.rules {
		if r.idle() {
			d.log.Warn("no path matches a rule", slog.String("pattern", r.text))
		}
	}
	d.server.close()
	return nil
}

// Parts lists the folders.
func (d *drive) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	tree := d.tree()
	w := files.Walk{
		Tree: tree, Roots: d.roots, Choice: d.choice(), Folders: true, Explain: d.explain, Alike: alike,
		Stray: func(path string) {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.strays++; d.strays == 1 {
				d.stray = path
			}
		},
	}
	w.Document = func(path string, info fileInfo) document.Document { return d.document(tree, path, info.Sys().(*entry)) }
	return w.Parts(ctx, func() {})
}

func (d *drive) tree() *share { return &share{server: d.server, leave: d.leave} }

// scopeOf returns the folder that contained a file.
func scopeOf(v field.Values, fields map[string]any) (string, bool) {
	shown, ok := fields[pathField].(string)
	if !ok {
		return "", false
	}
	path, ok := strings.CutPrefix(shown, pathPrefix(serverName(v.String(fieldServer))))
	if !ok || path == "" {
		return "", false // on a server that was configured earlier
	}
	return files.Parent(strings.ReplaceAll(path, `\`, "/")), true
}

// pathPrefix is what the paths of a server begin with.
func pathPrefix(server string) string { return fmt.Sprintf(`\\%s/`, server) }
