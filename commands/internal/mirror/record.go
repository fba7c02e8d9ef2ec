package mirror

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
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

// openRecords reaches the destination and the records of connectors and sync jobs there.
func (s *session) openRecords(ctx context.Context, cfg *config.Config) error {
	if s.records != nil {
		return nil
	}
	if s.until != nil {
		limited, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		defer context.AfterFunc(s.until, func() { stop(engine.ErrTimeIsUp) })() //nolint:contextcheck // it is a clock, not a parent
		ctx = limited
	}
	var err error
	s.records, err = s.dest.Records(ctx, s.app, s.log, destination.PatienceOf(&cfg.Elasticsearch))
	return err
}

// connectorOf puts together what a record and the configuration say of a connector. Fields that the
// record has win; the configuration adds what the record has no place for.
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
				Hint:    "remove the key from the configuration; what Elasticsearch says counts",
			}
		}
	}
	if c.IndexName == "" {
		return c, &usage.Error{Problem: fmt.Sprintf("connector %s has no index", term.Quoted(of.ID)), Hint: "attach an index to it in Kibana, or make it anew with " + program.Name + " connector create"}
	}
	if c.Language = string(of.Language); c.Language == "" {
		c.Language = "en"
	}
	return c, nil
}

// checkIndex says whether a record may have its index. A job of identities has one of a name that is made
// of that of the connector's index.
func checkIndex(entry config.Connector, c *config.Connector, t protocol.JobType) error {
	name := c.IndexName
	if t == protocol.JobAccessControl {
		name = strings.TrimPrefix(name, protocol.AccessControlIndex(""))
	}
	problem := indexname.ProblemOfRecord(name)
	if entry.IndexName != "" { // whoever wrote the configuration means this very index
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

// jobOfRecord makes the run of a sync job, from what the job has kept of its connector.
func (s *session) jobOfRecord(ctx context.Context, cfg *config.Config, name string, of *protocol.JobConnector, t protocol.JobType, ruled bool) (engine.Job, config.Connector, error) {
	entry := records.EntryOf(cfg, of.ID)
	c, err := connectorOf(entry, name, of)
	if err == nil {
		err = checkIndex(entry, &c, t)
	}
	if err != nil {
		return engine.Job{}, c, err
	}
	typ, err := records.SourceType(s.app, cfg, &c)
	if err != nil {
		return engine.Job{}, c, err
	}
	if err := unknownTo(&typ, &c); err != nil {
		return engine.Job{}, c, err
	}
	values, err := records.ValuesOf(ctx, &typ, &c, of.Configuration)
	if err != nil {
		return engine.Job{}, c, err
	}
	if _, err := newPartFilter(s.o.Parts, &typ); err != nil {
		return engine.Job{}, c, err
	}
	create, err := CreationOf(cfg, &c)
	if err != nil {
		return engine.Job{}, c, err
	}
	job := engine.Job{
		Connector: c.Name, Owner: of.ID, Type: typ, Values: values, IDColumns: c.IDColumns, Profile: c.Profile, Encoding: c.Encoding,
		Index: c.IndexName, Hidden: entry.IndexName != "" || t == protocol.JobAccessControl, Create: create, Compare: s.o.Compare, Guard: guardOf(&c, s.o),
		CreatePipeline: s.o.Permits.CreatePipeline, AllowEmpty: s.o.Permits.AllowEmpty, Adopt: s.o.Permits.Adopt, AdoptUnowned: c.Adopt, DryRun: s.o.Dry, Fields: s.o.Dry && s.o.Output.Fields && s.o.Output.Form != output.JSON,
	}
	setKind(&job, t)
	if err := setExtraction(&job, cfg, &c); err != nil {
		return job, c, err
	}
	if err := s.setPipeline(ctx, &job, of.Pipeline); err != nil {
		return job, c, err
	}
	if err := checkCreatePipeline(&job); err != nil {
		return job, c, err
	}
	if ruled && t != protocol.JobAccessControl {
		err = setRules(&job, of)
	}
	return job, c, err
}

// setKind makes a run one of a type of sync jobs. An incremental one of a source that cannot tell its
// changes reads everything, and writes what differs.
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

// setPipeline is what a record says of the ingest pipeline. One of Elastic's own may be absent, where the
// destination is not a whole Elastic stack: then there is nothing to go through.
func (s *session) setPipeline(ctx context.Context, job *engine.Job, p protocol.Pipeline) error {
	p = s.records.Pipeline(p)
	job.Pipeline = string(p.Name)
	job.Flags = &document.Flags{
		ExtractBinaryContent: bool(*p.ExtractBinaryContent), ReduceWhitespace: bool(*p.ReduceWhitespace), RunMLInference: bool(*p.RunMLInference),
	}
	absent, err := s.records.LacksOwnPipeline(ctx, job.Pipeline)
	if absent && !job.CreatePipeline {
		s.log.Info("the server has no such ingest pipeline, so documents are written without one", "pipeline", job.Pipeline)
		job.Pipeline = ""
	}
	return err
}

// setRules gives a run the rules of its job. Those that are not valid are an error: to leave them out
// would put into the index what somebody wants to keep out of it.
func setRules(job *engine.Job, of *protocol.JobConnector) error {
	advanced := func(any) error { return nil } // the source checks them when it is opened
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

// Hostname is what this machine is called in records.
func Hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
