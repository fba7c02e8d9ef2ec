package engine

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/indexname"
)

// mayHold refuses an index that is not meant for a source's documents, whatever alias points to it.
func (j *Job) mayHold(ix *elastic.Index) error {
	switch {
	case indexname.OfProtocol(ix.Name):
		return fmt.Errorf("%w: %q points to %q, which stores connectors and sync jobs: use another index", ErrConfig, j.Index, ix.Name)
	case ix.Hidden && !j.Hidden:
		return fmt.Errorf("%w: index %q is hidden: to use it anyway, set index_name in the configuration", ErrConfig, ix.Name)
	}
	return nil
}

// identity is what the index mirrors: the identifying fields of the configuration, as text.
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

// sameIdentity reports whether an index mirrors the source of the job, as far as that is known.
func (j *Job) sameIdentity(ix *elastic.Index) bool {
	held := ix.Marker.Identity
	return held == "" || held == j.identity()
}

// scopeOf is the scope of a document in the index, and its title; known is false if the document does not name it.
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
