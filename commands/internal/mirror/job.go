package mirror

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// choose picks the connectors that a command line means. Names that the configuration does not have are
// unknown: they may be those of connectors of Elasticsearch.
func choose(connectors []config.Connector, names []string, all bool) (chosen []config.Connector, unknown []string, err error) {
	switch {
	case len(connectors) == 0 && len(names) == 0:
		return nil, nil, &usage.Error{Problem: "the configuration names no connector", Hint: "add one under connectors:"}
	case all, len(names) == 0 && len(connectors) == 1:
		return connectors, nil, nil
	case len(names) == 0:
		return nil, nil, &usage.Error{
			Problem: fmt.Sprintf("the configuration has %d connectors: %s", len(connectors), term.Plain(strings.Join(records.ConnectorNames(connectors), ", "))),
			Hint:    "name those that are meant, or give --all",
		}
	}
	var taken []int
	for _, name := range names {
		at := slices.IndexFunc(connectors, func(c config.Connector) bool { return c.Name == name || c.ConnectorID == name && name != "" })
		switch {
		case at < 0 && !slices.Contains(unknown, name):
			unknown = append(unknown, name)
		case at >= 0 && !slices.Contains(taken, at):
			taken, chosen = append(taken, at), append(chosen, connectors[at])
		}
	}
	return chosen, unknown, nil
}

// unknownTo names the first key of a connector that its source type has no use for.
func unknownTo(typ *source.Type, c *config.Connector) error {
	problem := func(key, hint string) error {
		return &usage.Error{Problem: fmt.Sprintf("connector %s: %s: source type %s has no such thing", term.Quoted(c.Name), key, typ.Name), Hint: hint}
	}
	switch {
	case c.AdvancedRules != nil && !typ.AdvancedRules:
		return problem("advanced_rules", "remove the key; basic rules work with every source type")
	case c.Profile != "head" && !slices.Contains(typ.Profiles, c.Profile):
		return problem("profile: "+c.Profile, "remove the key; it has "+strings.Join(append([]string{"head"}, typ.Profiles...), ", "))
	case c.Encoding != "exact" && !slices.Contains(typ.Encodings, c.Encoding):
		return problem("encoding: "+c.Encoding, "remove the key; it has "+strings.Join(append([]string{"exact"}, typ.Encodings...), ", "))
	}
	return nil
}

// JobOf makes the job of a connector. Everything that can be wrong without asking anybody is found here,
// before anything runs.
func JobOf(ctx context.Context, a *setup.App, cfg *config.Config, c *config.Connector, o *Options) (engine.Job, error) {
	typ, err := records.SourceType(a, cfg, c)
	if err != nil {
		return engine.Job{}, err
	}
	if err := unknownTo(&typ, c); err != nil {
		return engine.Job{}, err
	}
	raw, err := c.ResolveConfiguration(ctx, typ.Fields)
	if err != nil {
		return engine.Job{}, err
	}
	values, err := field.Parse(typ.Fields, raw)
	if err != nil {
		return engine.Job{}, fmt.Errorf("connector %s: configuration: %w", term.Quoted(c.Name), err)
	}
	if _, err := newPartFilter(o.Parts, &typ); err != nil {
		return engine.Job{}, err
	}
	create, err := CreationOf(cfg, c)
	if err != nil {
		return engine.Job{}, err
	}
	job := engine.Job{
		Connector: c.Name, Owner: c.ServiceType + "/" + c.Name, Type: typ, Values: values, IDColumns: c.IDColumns,
		Profile: c.Profile, Encoding: c.Encoding, Advanced: c.AdvancedRules, Index: c.IndexName, Hidden: true, Pipeline: c.Pipeline, Create: create, Compare: o.Compare, Guard: guardOf(c, o),
		CreatePipeline: o.Permits.CreatePipeline, AllowEmpty: o.Permits.AllowEmpty, Adopt: o.Permits.Adopt, DryRun: o.Dry, Fields: o.Dry && o.Output.Fields && o.Output.Form != output.JSON,
	}
	for _, r := range c.Rules {
		job.Rules = append(job.Rules, rules.Rule{ID: r.ID, Policy: r.Policy, Field: r.Field, Rule: r.Rule, Value: r.Value, Order: r.Order})
	}
	if _, err := rules.New(job.Rules); err != nil {
		return engine.Job{}, &usage.Error{Problem: fmt.Sprintf("connector %s: rules: %v", term.Quoted(c.Name), err)}
	}
	setKind(&job, o.Kind)
	if job.Kind == engine.AccessControl {
		job.Index, job.Rules, job.Pipeline = protocol.AccessControlIndex(c.IndexName), nil, ""
	}
	if err := setExtraction(&job, cfg, c); err != nil {
		return engine.Job{}, err
	}
	err = checkCreatePipeline(&job)
	return job, err
}

// checkCreatePipeline refuses to make a pipeline that has no name.
func checkCreatePipeline(job *engine.Job) error {
	if !job.CreatePipeline || job.Pipeline != "" || job.Kind == engine.AccessControl {
		return nil
	}
	return &usage.Error{
		Problem: fmt.Sprintf("connector %s: --create-pipeline: the connector names no ingest pipeline", term.Quoted(job.Connector)),
		Hint:    "add pipeline: NAME to the connector",
	}
}

// guardOf is the delete guard of a run.
func guardOf(c *config.Connector, o *Options) engine.Guard {
	guard := engine.Guard{Deletes: int64(c.Guard.MaxDeletes), Percent: c.Guard.MaxPercent}
	if o.Permits.Guard != nil {
		guard = *o.Permits.Guard
	}
	guard.Confirmed = o.Permits.Confirmed
	return guard
}
