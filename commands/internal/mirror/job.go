package mirror

import (
	"context"
	"fmt"
	"slices"
	"strings"

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

// unknownTo names the first thing that a source type does not support: the type of the sync, or a key of the
// connector.
func unknownTo(typ *source.Type, c *config.Connector, t protocol.JobType) error {
	problem := func(key, hint string) error {
		return &usage.Error{Problem: fmt.Sprintf("connector %s: %s: source type %s does not support it", term.Quoted(c.Name), key, typ.Name), Hint: hint}
	}
	switch {
	case t == protocol.JobAccessControl && !typ.AccessControl:
		return &usage.Error{Problem: fmt.Sprintf("connector %s: %s", term.Quoted(c.Name), records.WithoutAccessControl(typ.Name))}
	case c.AdvancedRules != nil && !typ.AdvancedRules:
		return problem("advanced_rules", "remove the key; basic rules work with every source type")
	case c.Profile != "head" && !slices.Contains(typ.Profiles, c.Profile):
		return problem("profile: "+c.Profile, "remove the key; it has "+strings.Join(append([]string{"head"}, typ.Profiles...), ", "))
	case c.Encoding != "exact" && !slices.Contains(typ.Encodings, c.Encoding):
		return problem("encoding: "+c.Encoding, "remove the key; it has "+strings.Join(append([]string{"exact"}, typ.Encodings...), ", "))
	}
	return nil
}

// JobOf creates the job of a connector. It finds every error that can be found without a connection, before
// anything runs.
func JobOf(ctx context.Context, a *setup.App, cfg *config.Config, c *config.Connector, o *Options) (engine.Job, error) {
	typ, err := records.SourceType(a, cfg, c)
	if err != nil {
		return engine.Job{}, err
	}
	if err := unknownTo(&typ, c, o.Kind); err != nil {
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
	job, err := asked(cfg, c, o, engine.Job{Type: typ, Values: values})
	if err != nil {
		return engine.Job{}, err
	}
	job.Owner, job.Hidden, job.Pipeline, job.Advanced = c.ServiceType+"/"+c.Name, true, c.Pipeline, c.AdvancedRules
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

// asked adds the options of the configuration and the command line to a job.
func asked(cfg *config.Config, c *config.Connector, o *Options, job engine.Job) (engine.Job, error) {
	if _, err := newPartFilter(o.Parts, &job.Type); err != nil {
		return job, err
	}
	create, err := CreationOf(cfg, c)
	if err != nil {
		return job, err
	}
	job.Connector, job.Index, job.IDColumns, job.Profile, job.Encoding = c.Name, c.IndexName, c.IDColumns, c.Profile, c.Encoding
	job.Create, job.Compare, job.Guard = create, o.Compare, guardOf(c, o)
	job.CreatePipeline, job.AllowEmpty, job.Adopt = o.Permits.CreatePipeline, o.Permits.AllowEmpty, o.Permits.Adopt
	job.NoDelete, job.WaitRefresh = o.NoDelete, o.WaitRefresh
	job.DryRun, job.Fields = o.Dry, o.Dry && o.Output.Fields
	return job, nil
}

// checkCreatePipeline refuses to create a pipeline without a name.
func checkCreatePipeline(job *engine.Job) error {
	if !job.CreatePipeline || job.Pipeline != "" || job.Kind == engine.AccessControl {
		return nil
	}
	return &usage.Error{
		Problem: fmt.Sprintf("connector %s: --create-pipeline: the connector has no ingest pipeline", term.Quoted(job.Connector)),
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
