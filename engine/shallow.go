package engine

import (
	"slices"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// shallower turns objects that are nested too deeply into text, and logs it once for each field.
type shallower struct {
	*destination

	said sync.Map // field names
}

// shallow turns objects that are nested deeper than the index allows into text: otherwise the index rejects the
// document.
func (s *shallower) shallow(doc *document.Document, part string) {
	own := false // the fields belong to the source until one of them changes
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
			s.deps.Log.Warn("objects of a field are nested deeper than the index allows: deeper ones are stored as JSON text",
				report.Part, part, "field", f.Name, "levels", s.index.Mapping.Levels())
		}
	}
}
