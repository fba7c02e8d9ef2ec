package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

// listedDocument is a document of an index.
type listedDocument struct {
	line
	Index  string          `json:"index,omitempty"` // of ndjson
	ID     string          `json:"id"`
	Source json.RawMessage `json:"source"` // as the index holds it
}

// documentList prints documents while they are read: there may be many.
type documentList struct {
	app   *setup.App
	form  string
	index string
	limit int // 0 for no limit
	width int // of the terminal; 0 for a file

	text    strings.Builder
	printed int
}

// documents prints the documents of a connector's index.
func (d *Desk) documents(ctx context.Context, o *ListOptions) error {
	client, index, err := d.indexOf(ctx, o.Connector)
	if err != nil {
		return err
	}
	total, err := client.Count(ctx, index.Name)
	if err != nil {
		return err
	}
	l := &documentList{app: d.App, form: o.Form, index: index.Name, limit: o.Limit}
	if d.App.Streams.OutTTY {
		l.width = d.App.Streams.OutWidth()
	}
	if l.form == output.JSON {
		head := strings.TrimSuffix(output.JSONLine(map[string]any{"index": index.Name, "schema": output.Schema, "total": total}), "}\n")
		l.text.WriteString(head + `,"documents":[`)
	}
	if err := l.scan(ctx, client, index); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if l.form == output.JSON {
		l.text.WriteString("]}\n")
	}
	if int64(l.printed) < total && l.form == output.Text {
		d.Note(fmt.Sprintf("%s of %s; --limit 0 prints all", term.Number(int64(l.printed)), term.Plural(total, "document", "documents")))
	}
	return l.flush()
}

// indexOf finds the index of a connector, and a client with the credentials of that connector. Without a name it is
// the only connector of the configuration.
func (d *Desk) indexOf(ctx context.Context, name string) (*elastic.Client, *elastic.Index, error) {
	all := d.Config.Connectors
	at := slices.IndexFunc(all, func(c config.Connector) bool { return c.Name == name && name != "" })
	if name == "" {
		if len(all) != 1 {
			return nil, nil, &usage.Error{Problem: fmt.Sprintf("the configuration has %d connectors", len(all)), Hint: "name one: " + program.Name + " list documents CONNECTOR"}
		}
		at, name = 0, all[0].Name
	}
	var c config.Connector
	if at >= 0 {
		c = all[at]
	}
	if at < 0 || c.ConnectorID != "" {
		record, err := d.Connector(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		c.IndexName = string(record.Body.IndexName)
	}
	client, err := d.Destination.Client(&c)
	if err != nil {
		return nil, nil, err
	}
	index, err := client.Index(ctx, c.IndexName)
	if errors.Is(err, elastic.ErrNotFound) {
		err = &usage.Error{Problem: fmt.Sprintf("index %s does not exist", term.Quoted(c.IndexName)), Hint: "the first sync creates it"}
	}
	return client, index, err
}

// errEnough ends a scan at the limit.
var errEnough = errors.New("enough documents")

// scan reads the documents in the order of the index.
func (l *documentList) scan(ctx context.Context, client *elastic.Client, index *elastic.Index) error {
	pit, err := client.OpenPIT(ctx, index)
	if err != nil {
		return err
	}
	defer func() { _ = pit.Close(context.WithoutCancel(ctx)) }() // it expires anyway
	scan := elastic.Scan{Source: json.RawMessage("true"), Slices: 1}
	if index.Mapping.HasVectors() && !index.Mapping.KeepsVectors {
		scan.Source = json.RawMessage(`{"exclude_vectors":false}`)
	}
	return pit.Scan(ctx, scan, func(int) func(elastic.Hit) error { return l.add })
}

// flushAt is the number of bytes that are collected before they are printed.
const flushAt = 64 << 10

func (l *documentList) add(h elastic.Hit) error {
	if l.limit > 0 && l.printed == l.limit {
		return errEnough
	}
	l.printed++
	switch l.form {
	case output.JSON:
		if l.printed > 1 {
			l.text.WriteString(",")
		}
		l.text.WriteString(strings.TrimSuffix(output.JSONLine(listedDocument{ID: h.ID, Source: h.Source}), "\n"))
	case output.NDJSON:
		l.text.WriteString(output.JSONLine(listedDocument{line: lineOf("document"), Index: l.index, ID: h.ID, Source: h.Source}))
	default:
		line := term.Plain(h.ID) + "  " + term.Plain(string(h.Source))
		if l.width > 0 {
			line = term.Shorten(line, l.width)
		}
		l.text.WriteString(line + "\n")
	}
	if l.text.Len() < flushAt {
		return nil
	}
	return l.flush()
}

func (l *documentList) flush() error {
	text := l.text.String()
	l.text.Reset()
	if text == "" {
		return nil
	}
	return l.app.WriteOut(text)
}
