package commands

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func newConnectorConfigure(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:      "configure",
		Usage:     "change the configuration, schedules, pipeline or name of connectors",
		ArgsUsage: "ID...",
		Description: "Changes connectors, named by id, name or index; what no flag names stays unchanged. A value in the connector's entry of the " +
			"configuration file takes precedence over the record, so change it there. When all required fields have values, " +
			"including those from the configuration file, the connector is configured and may sync. Without flags it writes nothing and prints " +
			"what is missing. Secrets are read from files, never from the command line; everyone who may read the record in Elasticsearch " +
			"can read them.",
		UsageText: `# what is missing?
elastic-ingest connector configure kibana

# set fields
elastic-ingest connector configure kibana --set script=script.json \
  --set-file password=password.txt

# sync every night at 2:15 UTC; no incremental syncs
elastic-ingest connector configure kibana \
  --schedule "full=0 15 2 * * ?" --schedule incremental=off`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "set", Usage: "`FIELD=VALUE`: set a field; not for secrets. May be repeated"},
			&cli.StringSliceFlag{Name: "set-file", Usage: "`FIELD=FILE`: set a field to the content of a file, without the final line break. May be repeated"},
			&cli.StringSliceFlag{Name: "unset", Usage: "`FIELD`: empty a field. May be repeated"},
			fromFileFlag(),
			&cli.StringSliceFlag{Name: "schedule", Usage: "`TYPE=WHEN`: schedule of a type of jobs: full, incremental or access_control; a Quartz cron expression in UTC, or off. May be repeated"},
			&cli.StringFlag{Name: "pipeline", Usage: "`NAME`: ingest pipeline for the documents"},
			&cli.StringFlag{Name: "name", Usage: "`NAME`: name that people see"},
			outputFlag("text (lines) or json (one object)"),
		},
		Action: onRecords(a, func(c *cli.Context) (*configureOptions, error) { return readConfigure(c, a) }, configure),
	}
}

// configureOptions are the requested changes of connectors.
type configureOptions struct {
	recordOptions
	names          []string
	values         map[string]any // nil or "" empties a field
	typed          []string       // fields with a value on the command line
	schedules      map[protocol.JobType]protocol.Schedule
	off            []protocol.JobType
	pipeline, name *string
}

// changes reports whether there is anything to write.
func (o *configureOptions) changes() bool {
	return len(o.values)+len(o.schedules)+len(o.off) > 0 || o.pipeline != nil || o.name != nil
}

func readConfigure(c *cli.Context, a *setup.App) (*configureOptions, error) {
	shared, err := readRecordOptions(c, records.Open)
	if err != nil {
		return nil, err
	}
	o := &configureOptions{recordOptions: shared, names: c.Args().Slice(), schedules: map[protocol.JobType]protocol.Schedule{}}
	if len(o.names) == 0 {
		return nil, &usage.Error{Problem: "connector configure needs the id, name or index of a connector", Hint: program.Name + " list connectors prints them all"}
	}
	if err := o.readValues(c); err != nil {
		return nil, err
	}
	for _, pair := range c.StringSlice("schedule") {
		if err := o.readSchedule(a, pair); err != nil {
			return nil, err
		}
	}
	if c.IsSet("pipeline") {
		o.pipeline = new(c.String("pipeline"))
	}
	if c.IsSet("name") {
		o.name = new(c.String("name"))
	}
	if !o.changes() {
		o.open = records.LookUp
	}
	return o, nil
}

// readValues reads the flags that set or empty fields. Its errors never quote a value.
func (o *configureOptions) readValues(c *cli.Context) (err error) {
	if o.values, err = valuesFrom(c.String("from-file")); err != nil {
		return err
	}
	given := map[string]bool{}
	put := func(flag, name string, value any) error {
		if given[name] {
			return &usage.Error{Problem: fmt.Sprintf("--%s: field %s is given twice", flag, term.Quoted(name))}
		}
		if o.values == nil {
			o.values = map[string]any{}
		}
		given[name], o.values[name] = true, value
		return nil
	}
	for _, pair := range c.StringSlice("set") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return &usage.Error{Problem: "--set needs FIELD=VALUE"}
		}
		o.typed = append(o.typed, name)
		if err := put("set", name, value); err != nil {
			return err
		}
	}
	for _, pair := range c.StringSlice("set-file") {
		name, file, ok := strings.Cut(pair, "=")
		if !ok || name == "" || file == "" {
			return &usage.Error{Problem: "--set-file needs FIELD=FILE"}
		}
		raw, err := setup.ReadFile(file)
		if err != nil {
			return &usage.Error{Problem: fmt.Sprintf("--set-file: field %s: %v", term.Quoted(name), err), Hint: "name a file that this user can read"}
		}
		if err := put("set-file", name, strings.TrimRight(string(raw), "\r\n")); err != nil {
			return err
		}
	}
	for _, name := range c.StringSlice("unset") {
		if err := put("unset", name, nil); err != nil {
			return err
		}
	}
	return nil
}

func (o *configureOptions) readSchedule(a *setup.App, pair string) error {
	word, expression, ok := strings.Cut(pair, "=")
	kind := protocol.JobType(word)
	if !ok {
		return &usage.Error{Problem: "--schedule needs TYPE=EXPRESSION or TYPE=off"}
	}
	switch {
	case kind == protocol.JobDeletion:
		return &usage.Error{Problem: "--schedule: the connector protocol has no schedule for deletions", Hint: "run " + program.Name + " job start CONNECTOR --type deletion from cron instead"}
	case !slices.Contains([]protocol.JobType{protocol.JobFull, protocol.JobIncremental, protocol.JobAccessControl}, kind):
		return &usage.Error{Problem: fmt.Sprintf("--schedule: %s is not one of full, incremental, access_control", term.Quoted(word))}
	}
	if _, twice := o.schedules[kind]; twice || slices.Contains(o.off, kind) {
		return &usage.Error{Problem: fmt.Sprintf("--schedule: %s is given twice", word)}
	}
	if expression = strings.TrimSpace(expression); expression == "off" {
		o.off = append(o.off, kind)
		return nil
	}
	schedule, err := records.ScheduleOf(a.Now(), word, expression)
	o.schedules[kind] = schedule
	return err
}

// configured is the output of connector configure -o json for one connector.
type configured struct {
	ID      string         `json:"id"`
	Status  string         `json:"status"`
	Missing []missingField `json:"missing"`
}

type missingField struct {
	Field   string `json:"field"`
	Problem string `json:"problem"`
}

func configure(ctx context.Context, d *records.Desk, o *configureOptions) error {
	var found []protocol.Record[protocol.Connector]
	for _, name := range o.names { // find all of them before writing the first
		c, err := d.Connector(ctx, name)
		if err != nil {
			return err
		}
		found = append(found, c)
	}
	var out []configured
	var failed error
	for i := range found {
		one, err := configureOne(ctx, d, &found[i], o)
		if err != nil {
			failed = err
			break
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return failed
	}
	object := struct {
		Schema     int          `json:"schema"`
		Connectors []configured `json:"connectors"`
	}{output.Schema, out}
	if err := o.print(d, object, configuredText(out)); err != nil {
		return err
	}
	for _, c := range out {
		noteOfFile(d, c.ID, d.OfFile(c.ID, slices.Sorted(maps.Keys(o.values))))
	}
	return failed
}

// noteOfFile says which fields of a record have no effect.
func noteOfFile(d *records.Desk, id string, fields []string) {
	if len(fields) > 0 {
		d.Note(fmt.Sprintf("poll uses the values of the configuration for %s of connector %s, not those of the record", strings.Join(fields, ", "), term.Quoted(id)))
	}
}

func configuredText(all []configured) string {
	var b strings.Builder
	for _, c := range all {
		fmt.Fprintf(&b, "connector %s: %s\n", term.Plain(c.ID), cmp.Or(term.Plain(c.Status), "no status"))
		for _, m := range c.Missing {
			fmt.Fprintf(&b, "  %s %s\n", term.Plain(m.Field), term.Plain(m.Problem))
		}
		if len(c.Missing) == 0 && !protocol.ConnectorStatus(c.Status).MaySync() {
			b.WriteString("  nothing is missing; to save it unchanged, --set any field to its present value\n")
		}
	}
	return b.String()
}

// configureOne changes one connector and returns the fields that are still missing.
func configureOne(ctx context.Context, d *records.Desk, c *protocol.Record[protocol.Connector], o *configureOptions) (configured, error) {
	typ, err := d.SourceOf(c)
	if err != nil {
		return configured{}, err
	}
	for _, f := range typ.Fields {
		if f.Sensitive && slices.Contains(o.typed, f.Name) {
			return configured{}, &usage.Error{
				Problem: fmt.Sprintf("--set: field %s is a secret; on the command line other users could see it in the process list", term.Quoted(f.Name)),
				Hint:    "write it to a file and use --set-file " + f.Name + "=FILE, or keep it in the configuration file",
			}
		}
	}
	if _, asked := o.schedules[protocol.JobAccessControl]; asked && !typ.AccessControl {
		return configured{}, &usage.Error{Problem: "--schedule: " + records.WithoutAccessControl(typ.Name)}
	}
	if o.changes() {
		changed, err := d.Store.Connectors.Update(ctx, *c, func(b *protocol.Connector) error {
			return o.apply(ctx, d, c.ID, b, &typ)
		})
		if err != nil {
			return configured{}, err
		}
		*c = changed
	}
	lacks, err := d.Lacking(ctx, &typ, c.ID, c.Body.Configuration)
	out := configured{ID: c.ID, Status: string(c.Body.Status), Missing: []missingField{}}
	for _, l := range lacks {
		secret := slices.ContainsFunc(typ.Fields, func(f field.Spec) bool { return f.Name == l.Field && f.Sensitive })
		if secret && c.Body.Status.MaySync() {
			l.Problem = "is not in the record; poll takes it from the configuration file, from the entry with this connector_id"
		}
		out.Missing = append(out.Missing, missingField{l.Field, l.Problem})
	}
	return out, err
}

// apply makes the requested changes.
func (o *configureOptions) apply(ctx context.Context, d *records.Desk, id string, c *protocol.Connector, typ *source.Type) error {
	if len(o.values) > 0 {
		configuration, err := c.Configuration.With(typ.Fields, o.values)
		if err != nil {
			return fmt.Errorf("connector %s: configuration: %w", term.Quoted(id), err)
		}
		c.Configuration = configuration
	}
	for kind, schedule := range o.schedules {
		c.Scheduling.Set(kind, schedule)
	}
	for _, kind := range o.off {
		off := c.Scheduling.Of(kind)
		off.Enabled = false
		c.Scheduling.Set(kind, off)
	}
	if o.pipeline != nil {
		c.Pipeline.Name = protocol.Text(*o.pipeline)
	}
	if o.name != nil {
		c.Name = *o.name
	}
	if len(o.values) == 0 {
		return nil
	}
	lacks, err := d.Lacking(ctx, typ, id, c.Configuration)
	if err != nil || len(lacks) > 0 {
		return err
	}
	if next, ok := protocol.NextConnector(c.Status, protocol.ConnectorEventConfigured); ok {
		c.Status = next
	}
	return nil
}
