package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// What list lists; without one of these words, sources and connectors.
const (
	listSources    = "sources"
	listConnectors = "connectors"
	listJobs       = "jobs"
	listIndices    = "indices"
)

// listPatience is how long list waits for the destination, which it asks once: who lists wants to see
// what there is now.
const listPatience = 5 * time.Second

// usualJobs is how many jobs are listed unless more are asked for.
const usualJobs = 50

// maxJobs is how many one search of Elasticsearch can list.
const maxJobs = 10_000

func newList(a *App) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "print source types, connectors, sync jobs or indices",
		ArgsUsage: "[sources|connectors|jobs|indices] [CONNECTOR]",
		Description: "Prints the source types that this program knows and the connectors of the configuration and of Elasticsearch; or " +
			"the sync jobs of all connectors or of one, the newest first; or the indices of connectors. It writes nothing and asks no source.",
		UsageText: `# source types and connectors
elastic-ingest list

# the connectors alone, for a script
elastic-ingest list connectors -o ndjson

# the last sync jobs
elastic-ingest list jobs --limit 5

# whose documents an index holds, and how many
elastic-ingest list indices`,
		Flags: []cli.Flag{
			outputFlag("`text|json|ndjson`: tables, one JSON object, or one object a line"),
			limitFlag("jobs"),
		},
		Action: func(c *cli.Context) error {
			o, err := readList(c)
			if err != nil {
				return err
			}
			return a.list(c.Context, o)
		},
	}
}

func limitFlag(of string) cli.Flag {
	return &cli.IntFlag{Name: "limit", Usage: "print at most `N` " + of + "; 50 if not given, 0 prints all that one search finds"}
}

// listOptions are what is to be listed.
type listOptions struct {
	globals
	what      string // "" for sources and connectors
	connector string // whose jobs; "" for those of all
	output    string
	limit     int
}

// readList reads the flags and arguments of list.
func readList(c *cli.Context) (*listOptions, error) {
	o, err := readListed(c)
	if err != nil {
		return nil, err
	}
	args := c.Args().Slice()
	if len(args) == 0 {
		args = []string{""}
	}
	o.what = args[0]
	if !slices.Contains([]string{"", listSources, listConnectors, listJobs, listIndices}, o.what) {
		return nil, &usage.Error{Problem: fmt.Sprintf("list knows no %s", term.Quoted(o.what)), Hint: "list sources, list connectors, list jobs, list indices, or list for the first two"}
	}
	if c.IsSet("limit") && o.what != listJobs {
		return nil, &usage.Error{Problem: "--limit goes with list jobs alone"}
	}
	if o.what == listJobs && len(args) > 1 {
		o.connector = args[1]
		args = args[1:]
	}
	if len(args) > 1 {
		return nil, &usage.Error{Problem: fmt.Sprintf("list has no use for %s", term.Quoted(args[1])), Hint: "only list jobs takes the name of a connector, and just one"}
	}
	return o, nil
}

// readListed reads the flags of commands that list.
func readListed(c *cli.Context) (*listOptions, error) {
	g, err := readGlobals(c)
	if err != nil {
		return nil, err
	}
	o := &listOptions{globals: g, output: c.String("output"), limit: usualJobs}
	if err := oneOf("output", o.output, []string{output.Text, output.JSON, output.NDJSON}); err != nil {
		return nil, err
	}
	if c.IsSet("limit") {
		o.limit = c.Int("limit")
	}
	if o.limit < 0 || o.limit > maxJobs {
		return nil, &usage.Error{Problem: fmt.Sprintf("--limit must be between 0 and %d", maxJobs)}
	}
	return o, nil
}

// listed is what list -o json prints.
type listed struct {
	Schema     int               `json:"schema"`
	Sources    []listedSource    `json:"sources,omitempty"`
	Connectors []listedConnector `json:"connectors,omitempty"`
	Jobs       []listedJob       `json:"jobs,omitzero"`
	Indices    []listedIndex     `json:"indices,omitzero"`
}

type listedSource struct {
	Schema int    `json:"schema,omitempty"` // of ndjson, as kind
	Kind   string `json:"kind,omitempty"`   // "source", of ndjson
	Name   string `json:"name"`
	Title  string `json:"title"`
}

func (a *App) list(ctx context.Context, o *listOptions) error {
	l := &listed{Schema: output.Schema}
	var err error
	switch o.what {
	case listJobs:
		err = a.lookUp(ctx, o, func(ctx context.Context, d *desk) error { return l.addJobs(ctx, d, o) })
	case listIndices:
		err = a.lookUp(ctx, o, l.addIndices)
	default:
		if o.what != listConnectors {
			for _, t := range a.Registry.Types() {
				l.Sources = append(l.Sources, listedSource{Name: t.Name, Title: t.Title})
			}
		}
		if o.what != listSources {
			err = a.listBoth(ctx, o, l)
		}
	}
	return a.writeListed(l, o.output, err)
}

// writeListed writes what was found out before err, if anything.
func (a *App) writeListed(l *listed, form string, err error) error {
	if err != nil && len(l.Sources)+len(l.Connectors)+len(l.Jobs)+len(l.Indices) == 0 {
		return err
	}
	return errors.Join(a.writeOut(l.print(a.Streams, form)), err)
}

// listBoth adds the connectors of the configuration, and of Elasticsearch. Where nothing but source types
// was asked for by name, what cannot be found out is a warning.
func (a *App) listBoth(ctx context.Context, o *listOptions, l *listed) error {
	err := a.lookUp(ctx, o, l.addRecords, l.addConfigured)
	mistake, isMistake := errors.AsType[*usage.Error](err)
	_, wrong := errors.AsType[*config.Error](err)
	if err == nil || o.what != "" || wrong || isMistake && !mistake.NoFile || ctx.Err() != nil {
		return err
	}
	a.messages(&o.globals).Warn(err.Error())
	return nil
}

// lookUp loads the configuration, with which first is done, and then asks the destination once. Nothing
// is written, not even by opening a folder.
func (a *App) lookUp(ctx context.Context, o *listOptions, do func(context.Context, *desk) error, first ...func(*desk)) error {
	d, err := a.newDesk(ctx, &o.globals)
	if err != nil {
		return err
	}
	for _, f := range first {
		f(d)
	}
	patient, cancel := context.WithTimeoutCause(ctx, listPatience, &elastic.ConnError{
		Op: "reach Elasticsearch", Kind: elastic.ErrUnreachable, Err: fmt.Errorf("no answer within %s", listPatience),
	})
	defer cancel()
	if err := d.open(patient, true, retry.Policy{}, retry.Policy{}); err != nil {
		return err
	}
	return errors.Join(do(ctx, d), d.dest.close())
}

// print writes all that is listed in a form of --output.
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
		s.Schema, s.Kind = output.Schema, "source"
		b.WriteString(output.JSONLine(s))
	}
	for _, c := range l.Connectors {
		c.Schema, c.Kind = output.Schema, "connector"
		b.WriteString(output.JSONLine(c))
	}
	for _, j := range l.Jobs {
		j.Schema, j.Kind = output.Schema, "job"
		b.WriteString(output.JSONLine(j))
	}
	for _, i := range l.Indices {
		i.Schema, i.Kind = output.Schema, "index"
		b.WriteString(output.JSONLine(i))
	}
	return b.String()
}

// text writes tables; where they do not fit, cells are shortened.
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

// existing lists the connectors of Elasticsearch; none where there are no records at all.
func (d *desk) existing(ctx context.Context) ([]protocol.Record[protocol.Connector], error) {
	exist, err := d.store.Exist(ctx)
	if err != nil || !exist {
		return nil, err
	}
	return d.store.FindConnectors(ctx, nil)
}
