package engine

import (
	"slices"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// shallower turns objects that lie too deep into text, and says so once for each field.
type shallower struct {
	*destination

	said sync.Map // names of fields
}

// shallow turns objects that lie deeper than the index allows into text: it would refuse the document.
func (s *shallower) shallow(doc *document.Document, part string) {
	own := false // the fields are the source's until one of them changes
	for i := range doc.Fields {
		f := &doc.Fields[i]
		switch f.Value.Kind() {
		case document.KindList, document.KindObject, document.KindRaw:
		default:
			continue
		}
		v, changed := document.Shallow(f.Value, s.index.Mapping.Levels())
		if !changed || s.index.Mapping.TypeOf(f.Name) == elastic.Disabled {
			continue
		}
		if !own {
			doc.Fields, own = slices.Clone(doc.Fields), true
		}
		doc.Fields[i].Value = v
		if _, said := s.said.LoadOrStore(f.Name, true); !said {
			s.deps.Log.Warn("objects of a field lie deeper than the index allows: what is too deep is kept as the text of its JSON",
				report.Part, part, "field", f.Name, "levels", s.index.Mapping.Levels())
		}
	}
}
