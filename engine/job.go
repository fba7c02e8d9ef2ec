package engine

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/indexname"
)

// mayHold refuses an index that is not for documents of a source, whatever alias leads there.
func (j *Job) mayHold(ix *elastic.Index) error {
	switch {
	case indexname.OfProtocol(ix.Name):
		return fmt.Errorf("%w: %q leads to %q, where connectors and sync jobs are kept: name another index", ErrConfig, j.Index, ix.Name)
	case ix.Hidden && !j.Hidden:
		return fmt.Errorf("%w: index %q is hidden: name it by index_name in the configuration, if it really is the one", ErrConfig, ix.Name)
	}
	return nil
}

// identity is what is mirrored: the identifying fields of the configuration, as text.
func (j *Job) identity() string {
	if j.Type.IdentityFields == nil {
		return ""
	}
	var pairs []string
	for _, name := range j.Type.IdentityFields(j.Values) {
		pairs = append(pairs, fmt.Sprintf("%s=%s", name, j.Values.Shown(name)))
	}
	return strings.Join(pairs, ", ")
}

// scopeOf is the scope of a document of the index, and its title; known is false where the document does not say.
func (j *Job) scopeOf(h elastic.Hit) (scope, title string, known bool) {
	t := &j.Type
	if t.ScopeOf == nil {
		return "", "", false
	}
	var fields map[string]any
	if len(t.ScopeFields) > 0 && json.Unmarshal(h.Source, &fields) != nil {
		return "", "", false
	}
	scope, known = t.ScopeOf(j.Values, fields)
	title, _ = fields[t.TitleField].(string)
	return scope, title, known
}
