package commands

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/indexname"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

func newConnectorCreate(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "create",
		Usage:     "create the record of a connector, as Kibana does",
		ArgsUsage: "[NAME]",
		Description: "Creates the record of a connector, which Kibana shows and poll serves, and prints its id. With the NAME of a connector " +
			"of the configuration, it takes everything from there; secrets stay there, unless --store-secrets is given. Without a NAME, the " +
			"flags describe the connector. An index has one connector.",
		UsageText: `# from a connector of the configuration
elastic-ingest connector create docs

# from a source type; configure it in Kibana or by connector configure
elastic-ingest connector create --service-type dir --index-name search-new \
  --name "New documents"

# with values of its configuration
elastic-ingest connector create --service-type dir --index-name search-new \
  --from-file values.json -o json`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "service-type", Usage: "`TYPE`: type of the source; elastic-ingest list sources prints them all"},
			&cli.StringFlag{Name: "index-name", Usage: "`INDEX`: index to mirror into; the first sync creates it"},
			&cli.StringFlag{Name: "name", Usage: "`NAME`: name that people see; default: the name of the index"},
			&cli.StringFlag{Name: "language", Usage: "`CODE`: language of the documents, such as en; decides how a new index analyzes text"},
			&cli.BoolFlag{Name: "native", Usage: "mark it as served by its type; see native_service_types in the configuration"},
			&cli.StringFlag{Name: "id", Usage: "`ID`: id of the record; default: a new one"},
			fromFileFlag(),
			&cli.BoolFlag{Name: "store-secrets", Usage: "with NAME: also store secrets in Elasticsearch, where everyone who may read the record can read them"},
			outputFlag("text (the id of the connector) or json (one object)"),
		},
		Action: onRecords(a, readCreate, createConnector),
	}
}

// createOptions describe a new connector.
type createOptions struct {
	recordOptions
	of                                             string // name of a connector in the configuration, "" for none
	serviceType, index, name, language, id, values string
	native, storeSecrets                           bool
}

func readCreate(c *cli.Context) (*createOptions, error) {
	shared, err := readRecordOptions(c, records.Open)
	if err != nil {
		return nil, err
	}
	o := &createOptions{
		recordOptions: shared, of: c.Args().First(), serviceType: c.String("service-type"), index: c.String("index-name"), name: c.String("name"),
		language: c.String("language"), id: c.String("id"), values: c.String("from-file"), native: c.Bool("native"),
		storeSecrets: c.Bool("store-secrets"),
	}
	if strings.ContainsFunc(o.id, unicode.IsControl) || strings.HasPrefix(o.id, "-") || o.id != strings.TrimSpace(o.id) || len(o.id) > 512 {
		return nil, &usage.Error{Problem: "--id must not begin with -, begin or end with a blank, contain control characters, or be longer than 512 bytes"}
	}
	if c.Args().Len() > 1 {
		return nil, &usage.Error{Problem: "connector create takes at most one name of a connector in the configuration"}
	}
	if o.of != "" {
		for _, flag := range []string{"service-type", "index-name", "name", "language", "from-file"} {
			if c.IsSet(flag) {
				return nil, &usage.Error{Problem: "the name of a connector in the configuration and --" + flag + " exclude each other", Hint: "change it in the configuration"}
			}
		}
		return o, nil
	}
	switch {
	case o.storeSecrets:
		return nil, &usage.Error{Problem: "--store-secrets requires the name of a connector in the configuration", Hint: "secrets in the file of --from-file are always stored"}
	case o.serviceType == "" || o.index == "":
		return nil, &usage.Error{
			Problem: "connector create needs the name of a connector in the configuration, or --service-type and --index-name",
			Hint:    "see " + program.Name + " connector create --help",
		}
	}
	if problem := indexname.ProblemOfRecord(o.index); problem != "" {
		return nil, &usage.Error{Problem: "--index-name " + problem}
	}
	return o, nil
}

// createConnector creates a record and prints the steps that remain.
func createConnector(ctx context.Context, d *records.Desk, o *createOptions) error {
	describe, advice := newOfFlags, adviceOfFlags
	if o.of != "" {
		describe, advice = newOfFile, adviceOfFile
	}
	body, err := describe(ctx, d, o)
	if err != nil {
		return err
	}
	body.IsNative = protocol.Flag(o.native)
	c, err := d.Store.CreateConnector(ctx, o.id, body)
	if err != nil {
		return err
	}
	if err := o.printNew(d, "connector", c.ID, d.ShownConnector(&c)); err != nil {
		return err
	}
	d.Note(advice(d, &c, o))
	if c.Body.Status == protocol.ConnectorNeedsConfiguration {
		d.Note(fmt.Sprintf("it needs a configuration; %s connector configure %s prints what is missing", program.Name, term.ShellWord(c.ID)))
	}
	return warnOfOwner(ctx, d, &c)
}

// newOfFlags is the connector that the flags describe.
func newOfFlags(ctx context.Context, d *records.Desk, o *createOptions) (protocol.Connector, error) {
	typ, err := records.SourceType(d.App, d.Config, &config.Connector{Name: cmp.Or(o.name, o.index), ServiceType: o.serviceType})
	if err != nil {
		return protocol.Connector{}, err
	}
	if o.language != "" {
		if _, err := mirror.CreationOf(d.Config, &config.Connector{Name: o.index, Language: o.language}); err != nil {
			return protocol.Connector{}, err
		}
	}
	values, err := valuesFrom(o.values)
	if err != nil {
		return protocol.Connector{}, err
	}
	body := d.Store.NewConnector(cmp.Or(o.name, o.index), o.index, o.language, &typ)
	body.ServiceType = protocol.Text(o.serviceType)
	if body.Configuration, err = body.Configuration.With(typ.Fields, values); err != nil {
		return body, fmt.Errorf("--from-file: %w", err)
	}
	if lacks, err := d.Lacking(ctx, &typ, o.id, body.Configuration); err != nil {
		return body, err
	} else if len(lacks) == 0 {
		body.Status = protocol.ConnectorConfigured
	}
	return body, nil
}

// ofFile is the connector in the configuration that the record is created from.
func ofFile(d *records.Desk, o *createOptions) (*config.Connector, error) {
	at := slices.IndexFunc(d.Config.Connectors, func(c config.Connector) bool { return c.Name == o.of || c.ConnectorID == o.of })
	if at < 0 {
		names := records.ConnectorNames(d.Config.Connectors)
		e := &usage.Error{Problem: "the configuration has no connector " + term.Quoted(o.of), Hint: "it has " + term.Plain(strings.Join(names, ", "))}
		if len(names) == 0 {
			e.Hint = "without a name, --service-type and --index-name describe the connector"
		}
		if near := field.Nearest(o.of, names); near != "" {
			e.Hint = fmt.Sprintf("did you mean %s?", term.Quoted(near))
		}
		return nil, e
	}
	c := &d.Config.Connectors[at]
	switch {
	case c.IndexName == "" || c.ServiceType == "":
		return nil, &usage.Error{Problem: fmt.Sprintf("connector %s in the configuration has no index_name or no service_type", term.Quoted(o.of)), Hint: "add both"}
	case c.ConnectorID != "" && o.id != "" && o.id != c.ConnectorID:
		return nil, &usage.Error{Problem: fmt.Sprintf("connector %s already has connector_id %s in the configuration", term.Quoted(o.of), term.Quoted(c.ConnectorID)), Hint: "remove --id"}
	case c.ConnectorID != "":
		o.id = c.ConnectorID
	}
	return c, nil
}

// newOfFile is the connector that a configuration entry describes, validated as sync does.
func newOfFile(ctx context.Context, d *records.Desk, o *createOptions) (protocol.Connector, error) {
	c, err := ofFile(d, o)
	if err != nil {
		return protocol.Connector{}, err
	}
	run, err := mirror.JobOf(ctx, d.App, d.Config, c, &mirror.Options{Compare: engine.Auto, Kind: protocol.JobFull, Permits: mirror.Permits{Confirmed: -1}})
	if err != nil {
		return protocol.Connector{}, err
	}
	values, err := c.ResolveConfiguration(ctx, run.Type.Fields)
	if err != nil {
		return protocol.Connector{}, err
	}
	for _, f := range run.Type.Fields {
		if f.Sensitive && !o.storeSecrets {
			delete(values, f.Name)
		}
	}
	body := d.Store.NewConnector(records.ConnectorName(c), c.IndexName, cmp.Or(c.Language, d.Config.Elasticsearch.LanguageCode), &run.Type)
	body.ServiceType = protocol.Text(c.ServiceType)
	if body.Configuration, err = body.Configuration.With(run.Type.Fields, values); err != nil {
		return body, fmt.Errorf("connector %s: configuration: %w", term.Quoted(o.of), err)
	}
	if c.Pipeline != "" {
		body.Pipeline.Name = protocol.Text(c.Pipeline)
	}
	if body.Filtering, err = filteringOf(run.Rules, c.AdvancedRules, d.App.Now()); err != nil {
		return body, fmt.Errorf("connector %s: %w", term.Quoted(o.of), err)
	}
	for kind, expression := range c.Schedule {
		schedule, err := records.ScheduleOf(d.App.Now(), kind, expression)
		if err != nil {
			return body, fmt.Errorf("connector %s: %w", term.Quoted(o.of), err)
		}
		body.Scheduling.Set(protocol.JobType(kind), schedule)
	}
	body.Status = protocol.ConnectorConfigured
	return body, nil
}

// filteringOf converts the rules of a configuration entry to the form of a record.
func filteringOf(basic []rules.Rule, advanced any, now time.Time) (protocol.Filterings, error) {
	out, err := protocol.RuledBy(basic, advanced, now)
	if err != nil {
		return nil, &usage.Error{Problem: "advanced_rules cannot be written as JSON"}
	}
	return out, nil
}

// adviceOfFile is the line to add to the configuration entry.
func adviceOfFile(d *records.Desk, c *protocol.Record[protocol.Connector], o *createOptions) string {
	if slices.ContainsFunc(d.Config.Connectors, func(e config.Connector) bool { return e.ConnectorID == c.ID }) {
		return fmt.Sprintf("connector %s of %s already serves it", term.Quoted(o.of), filepath.Base(d.Config.File))
	}
	return fmt.Sprintf("add this line to the entry of %s in %s, so that poll serves it:\nconnector_id: %s", term.Quoted(o.of), filepath.Base(d.Config.File), yamlWord(c.ID))
}

// adviceOfFlags is the entry to add to the configuration.
func adviceOfFlags(d *records.Desk, c *protocol.Record[protocol.Connector], _ *createOptions) string {
	text := fmt.Sprintf("add this to %s, so that poll serves it:\nconnectors:\n  - connector_id: %s\n    service_type: %s",
		filepath.Base(d.Config.File), yamlWord(c.ID), yamlWord(string(c.Body.ServiceType)))
	typ, err := d.SourceOf(c)
	if err != nil {
		return text
	}
	stored := c.Body.Configuration.Values(typ.Fields)
	var secrets []string
	for _, f := range typ.Fields {
		if value, there := stored[f.Name]; f.Sensitive && (!there || value == "") {
			secrets = append(secrets, fmt.Sprintf("%s: ${%s}", f.Name, strings.ToUpper(f.Name)))
		}
	}
	if len(secrets) > 0 {
		text += "\n    configuration: # keeps secrets out of Elasticsearch"
	}
	for _, s := range secrets {
		text += "\n      " + s
	}
	return text
}

// yamlWord quotes a text for YAML if necessary.
func yamlWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '_' && r != '-' }) {
		return s
	}
	return strings.TrimSuffix(output.JSONLine(s), "\n")
}

// warnOfOwner warns if another connector has filled the index so far: until the ownership is settled, no
// document is deleted there.
func warnOfOwner(ctx context.Context, d *records.Desk, c *protocol.Record[protocol.Connector]) error {
	client, err := d.Destination.Client(&config.Connector{})
	if err != nil {
		return err
	}
	index, err := client.Index(ctx, string(c.Body.IndexName))
	if err != nil {
		return nil // usually the index does not exist yet; the first sync reports any other error
	}
	if owner := index.Marker.Owner; owner != "" && owner != c.ID {
		d.Messages.Warn(fmt.Sprintf("index %s belongs to %s, which has filled it so far; to let this connector take it over, run %s sync %s --adopt",
			term.Quoted(index.Name), term.Quoted(owner), program.Name, term.ShellWord(c.ID)))
	}
	return nil
}
