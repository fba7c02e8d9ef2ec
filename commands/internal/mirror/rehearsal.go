package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// Rehearsal prepares what sync would run, for check, which runs none of it.
type Rehearsal struct{ s *session }

// NewRehearsal creates it. dest is nil if the destination cannot be used.
func NewRehearsal(ctx context.Context, a *setup.App, f setup.Flags, cfg *config.Config, dest *destination.Destination) *Rehearsal {
	s := newSession(ctx, a, &Options{Flags: f, Compare: engine.Auto, Kind: protocol.JobFull, Permits: Permits{Confirmed: -1}, Dry: true}, nil)
	s.cfg, s.dest, s.state = cfg, dest, state.Dir(config.StateDir(cfg, a.Getenv))
	return &Rehearsal{s}
}

// Choose picks the connectors that are named on the command line. One that the configuration does not have is
// looked for in Elasticsearch by [Rehearsal.Prepare].
func (r *Rehearsal) Choose(names []string, all bool) ([]config.Connector, error) {
	chosen, unknown, err := choose(r.s.cfg.Connectors, names, all)
	for _, name := range unknown {
		chosen = append(chosen, config.Connector{ConnectorID: name})
	}
	return chosen, err
}

// Prepared is what sync would run for a connector.
type Prepared struct {
	Connector  config.Connector
	Job        engine.Job
	DeadLetter string // the file for rejected documents
	// Of a connector of Elasticsearch: the error in its record, and its running sync job; "" for none.
	LastError, Running string
}

// ErrNoRecords is the error of a connector of Elasticsearch while that cannot be reached.
var ErrNoRecords = errors.New("it is a connector of Elasticsearch, which cannot be reached")

// Prepare creates the job of a connector. For one of Elasticsearch it reads the record.
func (r *Rehearsal) Prepare(ctx context.Context, c config.Connector, log *slog.Logger) (p Prepared, err error) {
	s := r.s
	s.log = log
	p.Connector = c
	if c.ConnectorID == "" {
		p.Job, err = JobOf(ctx, s.app, s.cfg, &c, s.o)
	} else {
		err = r.recorded(ctx, c.ConnectorID, &p)
	}
	if err == nil && s.dest != nil {
		p.DeadLetter = s.deadLetterOf(&p.Connector)
	}
	return p, err
}

// recorded creates the job of a connector of Elasticsearch.
func (r *Rehearsal) recorded(ctx context.Context, name string, p *Prepared) (err error) {
	s := r.s
	if s.dest == nil {
		return ErrNoRecords
	}
	if s.records == nil {
		if s.records, err = s.dest.Records(ctx, s.app, s.log, destination.Patience{}); err != nil {
			return err
		}
	}
	record, err := records.Find(ctx, s.records, name)
	switch {
	case errors.Is(err, elastic.ErrNotFound) && slices.ContainsFunc(s.cfg.Connectors, func(c config.Connector) bool { return c.ConnectorID == name }):
		return records.Missing(name)
	case errors.Is(err, elastic.ErrNotFound):
		return records.NoConnector(s.cfg.Connectors, records.Registered(ctx, s.records), name)
	case err != nil:
		return fmt.Errorf("read the record of the connector: %w", err)
	}
	w, err := s.planned(ctx, &record)
	if err != nil {
		return err
	}
	p.Connector, p.Job = w.connector, w.job
	p.LastError = string(record.Body.Error)
	if running, err := s.records.RunningJobs(ctx, record.ID); err == nil && len(running) > 0 { // without an index of jobs there is none
		p.Running = running[0].ID
	}
	return nil
}

// Deps are what the engine needs to examine a connector until a time limit; without a client, only its source.
func (r *Rehearsal) Deps(until context.Context, client *elastic.Client) engine.Deps {
	s := r.s
	deps := engine.Deps{
		Settings: settingsOf(s.cfg, string(s.state)), Client: client, Service: s.services.of(s.cfg, s.log), Log: s.log, Now: s.app.Now, Until: until,
	}
	if s.dest != nil {
		deps.Own = s.own()
	}
	return deps
}

// State is the state folder.
func (r *Rehearsal) State() state.Dir { return r.s.state }
