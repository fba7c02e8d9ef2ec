package dir

import (
	"bufio"
	"context"
	"path/filepath"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// commonFields are those of files, and the one that records have beside their own.
var commonFields = []source.DescribedField{
	{Name: pathField, Kind: source.Text},
	{Name: modifiedField, Kind: source.Date},
	{Name: modeField, Kind: source.Long},
	{Name: userField, Kind: source.Long},
	{Name: groupField, Kind: source.Long},
	{Name: sizeField, Kind: source.Long},
	{Name: fileField, Kind: source.Text},
}

// Describe implements [source.Describer]: the values of rows are text, whatever they look like. What JSON
// holds is not known before it is read.
func (p *recordFile) Describe(ctx context.Context) (source.Description, error) {
	candidates := commaFirst
	switch strings.ToLower(filepath.Ext(p.path)) {
	case ".csv":
	case ".tsv":
		candidates = tabFirst
	default:
		return source.Description{}, nil
	}
	f, err := p.tree.Open(ctx, p.path)
	if err != nil {
		return source.Description{}, p.fileError(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	text := decoded(f, p.encoding, func() {})
	c := rowReader{b: bufio.NewReaderSize(text, bufferSize), most: p.maxRecord, line: 1}
	names, _, err := c.header(&p.settings, candidates)
	if err != nil {
		return source.Description{}, p.fileError(err)
	}
	fields := make([]document.Field, len(names))
	for i, name := range names {
		fields[i].Name = name
	}
	giveWay(fields)
	var d source.Description
	for _, f := range fields {
		d.Fields = append(d.Fields, source.DescribedField{Name: f.Name, Kind: source.Text})
	}
	return d, nil
}
