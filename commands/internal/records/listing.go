package records

import (
	"context"
	"errors"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// List prints the requested lists.
func List(ctx context.Context, a *setup.App, o *ListOptions) error {
	l := &listed{Schema: output.Schema}
	var err error
	switch o.What {
	case Jobs:
		err = LookUp(ctx, a, o.Flags, func(ctx context.Context, d *Desk) error { return l.addJobs(ctx, d, o) })
	case Documents:
		return LookUp(ctx, a, o.Flags, func(ctx context.Context, d *Desk) error { return d.documents(ctx, o) })
	case Indices:
		err = LookUp(ctx, a, o.Flags, l.addIndices)
	default:
		if o.What != Connectors {
			for _, t := range a.Registry.Types() {
				l.Sources = append(l.Sources, listedSource{Name: t.Name, Title: t.Title})
			}
		}
		if o.What != Sources {
			err = listBoth(ctx, a, o, l)
		}
	}
	return writeListed(a, l, o.Form, err)
}

// writeListed prints everything that was found before err, if anything.
func writeListed(a *setup.App, l *listed, form string, err error) error {
	if err != nil && len(l.Sources)+len(l.Connectors)+len(l.Jobs)+len(l.Indices) == 0 {
		return err
	}
	return errors.Join(a.WriteOut(l.print(a.Streams, form)), err)
}

// listBoth adds the connectors of the configuration and of Elasticsearch. If only source types were requested
// by name, errors are warnings.
func listBoth(ctx context.Context, a *setup.App, o *ListOptions, l *listed) error {
	err := lookUp(ctx, a, o.Flags, l.addConfigured, l.addRecords)
	mistake, isMistake := errors.AsType[*usage.Error](err)
	_, wrong := errors.AsType[*config.Error](err)
	if err == nil || o.What != "" || wrong || isMistake && !mistake.NoFile || ctx.Err() != nil {
		return err
	}
	a.Messages(o.Flags).Warn(err.Error())
	return nil
}

// print writes the lists in the format of --output.
func (l *listed) print(s *term.Streams, form string) string {
	switch form {
	case output.JSON:
		return output.JSONLine(l)
	case output.NDJSON:
		return l.lines()
	}
	width := term.Unlimited
	if s.OutTTY {
		width = s.OutWidth()
	}
	return l.text(width)
}

func (l *listed) lines() string {
	var b strings.Builder
	for _, s := range l.Sources {
		s.line = lineOf("source")
		b.WriteString(output.JSONLine(s))
	}
	for _, c := range l.Connectors {
		c.line = lineOf("connector")
		b.WriteString(output.JSONLine(c))
	}
	for _, j := range l.Jobs {
		j.line = lineOf("job")
		b.WriteString(output.JSONLine(j))
	}
	for _, i := range l.Indices {
		i.line = lineOf("index")
		b.WriteString(output.JSONLine(i))
	}
	return b.String()
}

// text writes tables; if a table is too wide, its cells are shortened.
func (l *listed) text(width int) string {
	var blocks []string
	if len(l.Sources) > 0 {
		rows := [][]string{{"SOURCE TYPE", "NAME"}}
		for _, s := range l.Sources {
			rows = append(rows, []string{term.Plain(s.Name), term.Plain(s.Title)})
		}
		blocks = append(blocks, term.Table(width, rows))
	}
	blocks = append(blocks, connectorTables(width, l.Connectors)...)
	if len(l.Jobs) > 0 {
		blocks = append(blocks, jobTable(width, l.Jobs))
	}
	if len(l.Indices) > 0 {
		blocks = append(blocks, indexTable(width, l.Indices))
	}
	return strings.Join(blocks, "\n")
}

// existing lists the connectors of Elasticsearch; none if there are no records yet.
func (d *Desk) existing(ctx context.Context) ([]protocol.Record[protocol.Connector], error) {
	exist, err := d.Store.Exist(ctx)
	if err != nil || !exist {
		return nil, err
	}
	return d.Store.FindConnectors(ctx, nil)
}
