package engine

import (
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// makeShallow turns objects that lie deeper than the index allows into text: it would refuse the document.
func (r *run) makeShallow(doc *document.Document, part uint32) {
	own := false // the fields are the source's until one of them changes
	for i := range doc.Fields {
		f := &doc.Fields[i]
		switch f.Value.Kind() {
		case document.KindList, document.KindObject, document.KindRaw:
		default:
			continue
		}
		v, changed := document.Shallow(f.Value, r.index.Mapping.Levels())
		if !changed || r.index.Mapping.TypeOf(f.Name) == elastic.Disabled {
			continue
		}
		if !own {
			doc.Fields, own = slices.Clone(doc.Fields), true
		}
		doc.Fields[i].Value = v
		if _, told := r.deep.LoadOrStore(f.Name, true); !told {
			r.deps.Log.Warn("objects of a field lie deeper than the index allows: what is too deep is kept as the text of its JSON",
				report.Part, r.parts.Name(part), "field", f.Name, "levels", r.index.Mapping.Levels())
		}
	}
}
