package mirror

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/indexname"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// connectorOf combines the record of a connector with its configuration entry. The record takes precedence;
// the entry adds the keys that a record does not have.
func connectorOf(entry config.Connector, name string, of *protocol.JobConnector) (config.Connector, error) {
	c := entry
	if c.Name == "" {
		c.Name = name
	}
	if c.Name == "" {
		c.Name = of.ID
	}
	c.ConnectorID = of.ID
	for key, pair := range map[string]struct{ mine, theirs *string }{
		"service_type": {&c.ServiceType, new(string(of.ServiceType))},
		"index_name":   {&c.IndexName, new(string(of.IndexName))},
	} {
		switch {
		case *pair.theirs == "":
		case *pair.mine == "":
			*pair.mine = *pair.theirs
		case *pair.mine != *pair.theirs:
			return c, &usage.Error{
				Problem: fmt.Sprintf("connector %s: %s is %s in the configuration and %s in Elasticsearch", term.Quoted(of.ID), key, term.Quoted(*pair.mine), term.Quoted(*pair.theirs)),
				Hint:    "remove the key from the configuration; the record in Elasticsearch takes precedence",
			}
		}
	}
	if c.IndexName == "" {
		return c, &usage.Error{Problem: fmt.Sprintf("connector %s has no index", term.Quoted(of.ID)), Hint: "attach an index to it in Kibana, or create it again with " + program.Name + " connector create"}
	}
	if c.Language = string(of.Language); c.Language == "" {
		c.Language = "en"
	}
	return c, nil
}

// checkIndex reports whether a record may use its index. The index of a job of identities is named after the
// connector's index.
func checkIndex(entry config.Connector, c *config.Connector, t protocol.JobType) error {
	name := c.IndexName
	if t == protocol.JobAccessControl {
		name = strings.TrimPrefix(name, protocol.AccessControlIndex(""))
	}
	problem := indexname.ProblemOfRecord(name)
	if entry.IndexName != "" { // the index is named explicitly in the configuration
		problem = indexname.Problem(name)
	}
	if problem == "" {
		return nil
	}
	return &usage.Error{
		Problem: fmt.Sprintf("connector %s: its index_name %s %s", term.Quoted(c.ConnectorID), term.Quoted(name), problem),
		Hint:    "attach another index to the connector in Kibana",
	}
}

// planned creates the run of a sync job that a record would get now.
func (s *session) planned(ctx context.Context, record *protocol.Record[protocol.Connector]) (work, error) {
	if !record.Body.Status.MaySync() {
		return work{}, records.NotConfigured(record)
	}
	job := s.records.NewJob(record, s.o.Kind)
	return s.workOf(ctx, record, &job.Connector, s.o.Kind)
}

// workOf creates the run of a sync job from the copy of the connector in the job.
func (s *session) workOf(ctx context.Context, record *protocol.Record[protocol.Connector], of *protocol.JobConnector, t protocol.JobType) (work, error) {
	w := work{record: record}
	entry := records.EntryOf(s.cfg, of.ID)
	if t == protocol.JobAccessControl && entry.IndexName != "" { // the entry names the index of the documents, the job that of the identities
		entry.IndexName = protocol.AccessControlIndex(entry.IndexName)
	}
	var err error
	if w.connector, err = connectorOf(entry, record.Body.Name, of); err != nil {
		return w, err
	}
	c := &w.connector
	if err := checkIndex(entry, c, t); err != nil {
		return w, err
	}
	typ, err := records.SourceType(s.app, s.cfg, c)
	if err != nil {
		return w, err
	}
	if err := unknownTo(&typ, c, t); err != nil {
		return w, err
	}
	values, err := records.ValuesOf(ctx, &typ, c, of.Configuration)
	if err != nil {
		return w, err
	}
	job, err := asked(s.cfg, c, s.o, engine.Job{Type: typ, Values: values})
	if err != nil {
		return w, err
	}
	job.DefaultAnalysis = of.Language == "" && entry.Mappings == ""
	job.Owner, job.Hidden, job.AdoptUnowned = of.ID, entry.IndexName != "" || t == protocol.JobAccessControl, c.Adopt
	setKind(&job, t)
	w.job = job
	if err := setExtraction(&w.job, s.cfg, c); err != nil {
		return w, err
	}
	if err := s.setPipeline(ctx, &w.job, of.Pipeline); err != nil {
		return w, err
	}
	if err := checkCreatePipeline(&w.job); err != nil {
		return w, err
	}
	if record.Body.Features.Rules() && t != protocol.JobAccessControl {
		err = setRules(&w.job, of)
	}
	return w, err
}

// setKind sets the type of a run. An incremental run of a source that cannot report changes reads everything
// and writes the differences.
func setKind(job *engine.Job, t protocol.JobType) {
	switch t {
	case protocol.JobDeletion:
		job.Kind = engine.Deletion
	case protocol.JobAccessControl:
		job.Kind = engine.AccessControl
		job.Create = protocol.AccessControlCreation()
	case protocol.JobIncremental:
		job.Incremental = true
	case protocol.JobFull:
	}
}

// setPipeline sets the ingest pipeline of a record. Elastic's own pipelines may be missing on a server without
// the complete Elastic stack; then documents are written without one.
func (s *session) setPipeline(ctx context.Context, job *engine.Job, p protocol.Pipeline) error {
	p = s.records.Pipeline(p)
	job.Pipeline = string(p.Name)
	job.Flags = &document.Flags{
		ExtractBinaryContent: bool(*p.ExtractBinaryContent), ReduceWhitespace: bool(*p.ReduceWhitespace), RunMLInference: bool(*p.RunMLInference),
	}
	absent, err := s.records.LacksOwnPipeline(ctx, job.Pipeline)
	if absent && !job.CreatePipeline {
		s.log.Info("this ingest pipeline does not exist on the server; documents are written without one", "pipeline", job.Pipeline)
		job.Pipeline = ""
	}
	return err
}

// setRules sets the rules of a job. Invalid rules are an error: without them, documents that were meant to be
// kept out would be written to the index.
func setRules(job *engine.Job, of *protocol.JobConnector) error {
	advanced := func(any) error { return nil } // the source validates them when it is opened
	if !job.Type.AdvancedRules {
		advanced = nil
	}
	if v := of.Filtering.Validate(advanced); v.State == protocol.ValidationInvalid {
		return &usage.Error{
			Problem: fmt.Sprintf("connector %s: sync rules: %s", term.Quoted(job.Connector), v.Errors[0].Messages[0]),
			Hint:    "correct the sync rules in Kibana",
		}
	}
	job.Rules = of.Filtering.Basic()
	var err error
	job.Advanced, err = of.Filtering.Advanced()
	return err
}

// hostname is the name of this machine in records.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
