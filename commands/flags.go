package commands

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config-file", Aliases: []string{"c"}, Usage: "`FILE`: configuration file; default: ./config.yml, then $XDG_CONFIG_HOME/elastic-ingest/config.yml, then /etc/elastic-ingest/config.yml"},
		&cli.StringFlag{Name: "log-level", Usage: "`LEVEL`: minimum level to log: DEBUG, INFO, WARNING, ERROR or CRITICAL; default: WARNING"},
		&cli.BoolFlag{Name: "debug", Usage: "same as --log-level DEBUG"},
		&cli.StringFlag{Name: "log-format", Usage: "`FORMAT`: format of the log: text, json or ecs (Elastic Common Schema); json and ecs write one JSON object a line", Value: logs.Text},
		&cli.BoolFlag{Name: "filebeat", Usage: "same as --log-format ecs"},
		&cli.StringFlag{Name: "color", Usage: "`WHEN`: use color: auto, always or never; auto means on a terminal, unless NO_COLOR or CI is set or TERM is dumb", Value: term.Auto},
		&cli.StringFlag{Name: "progress", Usage: "`WHEN`: show progress: auto, always or never; auto means live lines on a terminal, and elsewhere, or if CI is set or TERM is dumb, a line a minute, unless --quiet is given", Value: term.Auto},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print only results, warnings and errors"},
	}
}

// readGlobals checks the global flags.
func readGlobals(c *cli.Context) (setup.Flags, error) {
	g := setup.Flags{
		ConfigFile: c.String("config-file"), Level: strings.ToUpper(c.String("log-level")), Format: c.String("log-format"),
		Color: c.String("color"), Progress: c.String("progress"), Quiet: c.Bool("quiet"),
	}
	if c.Bool("debug") {
		g.Level = "DEBUG"
	}
	if c.Bool("filebeat") {
		g.Format = logs.ECS
	}
	if g.Level == "WARN" {
		g.Level = "WARNING"
	}
	for _, check := range []struct {
		flag, value string
		words       []string
	}{
		{"log-level", g.Level, []string{"", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}},
		{"log-format", g.Format, []string{logs.Text, logs.JSON, logs.ECS}},
		{"color", g.Color, []string{term.Auto, term.Always, term.Never}},
		{"progress", g.Progress, []string{term.Auto, term.Always, term.Never}},
	} {
		if err := oneOf(check.flag, check.value, check.words); err != nil {
			return g, err
		}
	}
	return g, nil
}

func oneOf(flag, value string, words []string) error {
	if slices.Contains(words, value) {
		return nil
	}
	if words[0] == "" {
		words = words[1:]
	}
	e := &usage.Error{Problem: fmt.Sprintf("--%s %s is not one of %s", flag, term.Quoted(value), strings.Join(words, ", "))}
	if near := field.Nearest(value, words); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", near)
	}
	return e
}

// outputFlag is the flag for the output format; forms lists the formats.
func outputFlag(forms string) cli.Flag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: output.Text, Usage: "`FORMAT`: " + forms}
}

// mirrorForms are the output formats of sync, diff and poll.
func mirrorForms() []string {
	return []string{output.Text, output.JSON, output.NDJSON, output.JUnit, output.Markdown}
}

// mirrorFlags are the flags shared by sync and diff.
func mirrorFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "all", Usage: "all connectors of the configuration file, one after the other"},
		&cli.StringSliceFlag{Name: "part", Usage: "`GLOB`: only tables, folders and so on whose name matches; a table may be named without its schema. Nothing else is read or deleted. A pattern that matches nothing exits with 2. May be repeated"},
		typeFlag(),
		&cli.StringFlag{Name: "compare", Value: string(engine.Auto), Usage: "`MODE`: how to detect unchanged documents: auto, version, content or always (every document counts as changed)"},
		maxDeletesFlag(),
		&cli.BoolFlag{Name: "no-delete", Usage: "only create and update; documents that are no longer in the source stay in the index, and do not count as held back"},
		&cli.IntFlag{Name: "limit", Usage: "`N`: print at most this many changes; counts stay complete; 0 prints all; default: 0, with markdown 50, with html 5000"},
		&cli.BoolFlag{Name: "all-documents", Usage: "also print documents that are unchanged or kept out by a rule"},
	}
}

// maxDeletesFlag is the flag of the delete guard.
func maxDeletesFlag() cli.Flag {
	return &cli.StringFlag{Name: "max-deletes", Usage: "`LIMIT`: hold back deletes if there are more than this: a number of documents, or a share of the index such as 5%; replaces both limits of guard: in the configuration"}
}

// fieldsFlag is the flag that prints the changed fields in a dry run.
func fieldsFlag() cli.Flag {
	return &cli.BoolFlag{Name: "fields", Usage: "print which fields of an update differ, and how; on by default except with json and ndjson, --fields=false turns it off"}
}

// checkPlanFlags refuses flags beside that of a plan, which replaces or excludes them.
func checkPlanFlags(c *cli.Context, plan string, others ...string) error {
	if !c.IsSet(plan) {
		return nil
	}
	if c.String(plan) == "" {
		return &usage.Error{Problem: "--" + plan + " needs the name of a file"}
	}
	return excludes(c, plan, others...)
}

// readMirror reads the flags shared by sync and diff.
func readMirror(c *cli.Context) (*mirror.Options, error) {
	g, err := readGlobals(c)
	if err != nil {
		return nil, err
	}
	o := &mirror.Options{
		Flags: g, Names: c.Args().Slice(), All: c.Bool("all"), Parts: c.StringSlice("part"),
		Compare: engine.Compare(c.String("compare")), Quieted: quieted,
		Output: output.Options{Form: c.String("output"), Limit: c.Int("limit"), All: c.Bool("all-documents")}, Kind: protocol.JobType(c.String("type")), Permits: mirror.Permits{Confirmed: -1},
	}
	o.Output.Fields = o.Output.Form != output.JSON && o.Output.Form != output.NDJSON
	if c.IsSet("fields") {
		o.Output.Fields = c.Bool("fields")
	}
	ways := []string{string(engine.Auto), string(engine.Version), string(engine.Content), string(engine.Always)}
	if err := oneOf("compare", string(o.Compare), ways); err != nil {
		return nil, err
	}
	if err := oneOf("type", string(o.Kind), jobTypes()); err != nil {
		return nil, err
	}
	if err := oneOf("output", o.Output.Form, append(mirrorForms(), output.HTML)); err != nil {
		return nil, err
	}
	if o.All && len(o.Names) > 0 {
		return nil, &usage.Error{Problem: "--all and the names of connectors exclude each other"}
	}
	if o.Output.Limit < 0 {
		return nil, &usage.Error{Problem: "--limit must not be negative"}
	}
	if o.NoDelete = c.Bool("no-delete"); o.NoDelete {
		if o.Kind == protocol.JobDeletion {
			return nil, &usage.Error{Problem: "--no-delete and --type deletion exclude each other"}
		}
		if err := excludes(c, "no-delete", "confirm-deletes", "max-deletes", "allow-empty", "deleted-to", "plan", "save", "recheck"); err != nil {
			return nil, err
		}
	}
	if err := o.Output.Limited(c.IsSet("limit")); err != nil {
		return nil, &usage.Error{Problem: err.Error()}
	}
	o.Permits.Guard, err = parseGuard(c.String("max-deletes"))
	return o, err
}

// excludes returns an error if a flag is given together with one of others.
func excludes(c *cli.Context, flag string, others ...string) error {
	for _, other := range others {
		if c.IsSet(other) {
			return &usage.Error{Problem: "--" + flag + " and --" + other + " exclude each other"}
		}
	}
	return nil
}

// cronFlags are the flags that sync and poll have for schedules.
func cronFlags() []cli.Flag {
	return []cli.Flag{
		waitRefreshFlag(),
		&cli.DurationFlag{Name: "lock-wait", Usage: "`DURATION`: wait this long for another run that has locked the index or syncs the connector, such as 10m; then exit with 7. Default: exit at once"},
		&cli.DurationFlag{Name: "jitter", Usage: "`DURATION`: wait for a random time of up to this before anything is read; --max-duration starts after it"},
		&cli.StringFlag{Name: "ping-url", Usage: "`URL`: report the start and the exit code of the run to this address, in the form of healthchecks.io; default: $ELASTIC_INGEST_PING_URL, then service.ping_url of the configuration"},
		&cli.StringFlag{Name: "metrics-textfile", Usage: "`FILE`: write the results of the run into this file, for the textfile collector of Prometheus' node_exporter; its name must end with .prom"},
	}
}

// readCron reads the flags that sync and poll have for schedules.
func readCron(c *cli.Context, o *mirror.Options) error {
	o.WaitRefresh, o.LockWait, o.Jitter = c.Bool("wait-refresh"), c.Duration("lock-wait"), c.Duration("jitter")
	for flag, d := range map[string]time.Duration{"lock-wait": o.LockWait, "jitter": o.Jitter} {
		if d < 0 {
			return &usage.Error{Problem: "--" + flag + " must not be negative"}
		}
	}
	if file := c.String("metrics-textfile"); file != "" && !strings.HasSuffix(file, ".prom") {
		return &usage.Error{Problem: "--metrics-textfile " + term.Quoted(file) + " does not end with .prom", Hint: "node_exporter reads only such files"}
	}
	o.PingURL, o.Metrics = config.NewSecret(c.String("ping-url")), c.String("metrics-textfile")
	return nil
}

// waitRefreshFlag is the flag that makes written documents searchable before the program ends.
func waitRefreshFlag() cli.Flag {
	return &cli.BoolFlag{Name: "wait-refresh", Usage: "end only when the written documents are searchable; if Elasticsearch refuses the refresh, exit with 6"}
}

// typeFlag is the flag for the type of a sync job.
func typeFlag() cli.Flag {
	return &cli.StringFlag{Name: "type", Value: string(protocol.JobFull), Usage: "`TYPE`: type of sync: full (the index gets what the source holds), incremental (the same, but reads only changes where the source can report them), deletion (removes deleted documents only, reads only ids) or access_control (the index of identities; no built-in source has it yet)"}
}

func fromFileFlag() cli.Flag {
	return &cli.StringFlag{Name: "from-file", Usage: "`FILE`: read values of the configuration from this file: one JSON object of names and values. Secrets in it are stored in Elasticsearch, where everyone who may read the record can read them"}
}

// valuesFrom reads configuration values from a file; none from "". Its errors never quote the content.
func valuesFrom(file string) (map[string]any, error) {
	if file == "" {
		return nil, nil
	}
	raw, err := setup.ReadFile(file)
	if err != nil {
		return nil, &usage.Error{Problem: fmt.Sprintf("--from-file: %v", err), Hint: "name a file that this user can read"}
	}
	var values map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil || values == nil || decoder.More() {
		return nil, &usage.Error{Problem: fmt.Sprintf("--from-file: %s is not one JSON object", term.Plain(file)), Hint: `write names of fields and their values, such as {"host": "db.example.com", "port": 5432}`}
	}
	return values, nil
}

// usualJobs is the default number of listed jobs.
const usualJobs = 50

// maxJobs is the maximum number of results of one Elasticsearch search.
const maxJobs = 10_000

// limitFlag is the flag of commands that list.
func limitFlag(of string) cli.Flag {
	return &cli.IntFlag{Name: "limit", Usage: "`N`: print at most this many " + of + "; default: 50; 0 prints all that one search finds"}
}

// readListed reads the flags of commands that list.
func readListed(c *cli.Context) (*records.ListOptions, error) {
	g, err := readGlobals(c)
	if err != nil {
		return nil, err
	}
	o := &records.ListOptions{Flags: &g, Form: c.String("output"), Limit: usualJobs}
	if err := oneOf("output", o.Form, []string{output.Text, output.JSON, output.NDJSON}); err != nil {
		return nil, err
	}
	if c.IsSet("limit") {
		o.Limit = c.Int("limit")
	}
	if o.Limit < 0 || o.Limit > maxJobs {
		return nil, &usage.Error{Problem: fmt.Sprintf("--limit must be between 0 and %d", maxJobs)}
	}
	return o, nil
}

// jobTypes are the values of --type.
func jobTypes() []string {
	return []string{string(protocol.JobFull), string(protocol.JobIncremental), string(protocol.JobDeletion), string(protocol.JobAccessControl)}
}

// parseGuard reads the value of --max-deletes: deletes beyond this number, or this share of the index, are
// held back. It is nil for "".
func parseGuard(value string) (*engine.Guard, error) {
	if value == "" {
		return nil, nil
	}
	guard := engine.Guard{Confirmed: -1}
	var err error
	if share, ok := strings.CutSuffix(value, "%"); ok {
		guard.Percent, err = strconv.ParseFloat(share, 64)
		if err != nil || !(guard.Percent >= 0 && guard.Percent <= 100) {
			return nil, &usage.Error{Problem: fmt.Sprintf("--max-deletes %s is not a share between 0%% and 100%%", term.Quoted(value))}
		}
		return &guard, nil
	}
	guard.Deletes, err = strconv.ParseInt(value, 10, 64)
	if err != nil || guard.Deletes < 0 {
		return nil, &usage.Error{Problem: fmt.Sprintf("--max-deletes %s is neither a number of documents nor a share such as 5%%", term.Quoted(value))}
	}
	return &guard, nil
}
