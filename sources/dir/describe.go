package dir

import (
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// commonFields are those of files. Of a record only the field that names its file is known in advance; the types
// of the others follow from the JSON, and the values of rows are text, whatever they look like.
func commonFields(v field.Values) []source.DescribedField {
	if v.String(fieldFormat) == formatDocuments {
		return []source.DescribedField{{Name: fileField, Kind: source.Text}}
	}
	return []source.DescribedField{
		{Name: pathField, Kind: source.Text},
		{Name: modifiedField, Kind: source.Date},
		{Name: modeField, Kind: source.Long},
		{Name: userField, Kind: source.Long},
		{Name: groupField, Kind: source.Long},
		{Name: sizeField, Kind: source.Long},
	}
}
