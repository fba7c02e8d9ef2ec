package protocol

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// The functions of the commands that work without Kibana.

// NewConnector is the record that Kibana would create for a connector whose source has this type.
func (s *Store) NewConnector(name, index, language string, typ *source.Type) Connector {
	now := TimeOf(s.now())
	configuration, _, _ := Published(typ.Fields, nil)
	return Connector{
		Name: name, IndexName: Text(index), Language: Text(language), ServiceType: Text(typ.Name),
		Configuration: configuration, CustomScheduling: Raw("{}"), Features: FeaturesOf(typ),
		Filtering: DefaultFiltering(now.Time), Pipeline: Pipeline{}.Filled(s.version),
		Scheduling: NewScheduling(), Status: ConnectorNeedsConfiguration,
	}
}

// ErrExists means that the connector already exists, or that another one has its index.
var ErrExists = errors.New("it already exists")

// CreateConnector writes the record of a new connector; with an empty id it generates one. An index has
// only one connector: two would delete each other's documents.
func (s *Store) CreateConnector(ctx context.Context, id string, c Connector) (Record[Connector], error) {
	if err := s.Ensure(ctx); err != nil {
		return Record[Connector]{}, err
	}
	others, err := s.FindConnectors(ctx, term("index_name", c.IndexName))
	if err != nil {
		return Record[Connector]{}, err
	}
	for _, o := range others {
		if o.ID != id {
			return Record[Connector]{}, fmt.Errorf("connector %q uses the index %q: %w", o.ID, string(c.IndexName), ErrExists)
		}
	}
	if id == "" {
		id = newID()
	}
	if !s.api {
		r, err := s.Connectors.Create(ctx, id, c)
		if errors.Is(err, elastic.ErrConflict) {
			err = fmt.Errorf("connector %q: %w", id, ErrExists)
		}
		return r, err
	}
	if _, err := s.Connectors.Get(ctx, id); !errors.Is(err, elastic.ErrNotFound) {
		if err == nil {
			err = fmt.Errorf("connector %q: %w", id, ErrExists)
		}
		return Record[Connector]{}, err
	}
	err = s.client.PutConnector(ctx, id, map[string]any{
		"index_name": c.IndexName, "name": c.Name, "service_type": c.ServiceType, "is_native": bool(c.IsNative),
		"language": c.Language, "description": c.Description,
	})
	if err != nil {
		return Record[Connector]{}, err
	}
	r, err := s.Connectors.Get(ctx, id)
	if err != nil {
		return r, err
	}
	return s.Connectors.Update(ctx, r, func(b *Connector) error { // fields that the API does not accept
		*b = c
		return nil
	})
}

// DeleteConnector removes the record of a connector and those of its jobs. The index and its documents
// stay. A running job ends by itself.
func (s *Store) DeleteConnector(ctx context.Context, id string) error {
	if s.api {
		return s.client.DeleteConnector(ctx, id)
	}
	if err := s.Connectors.Delete(ctx, id); err != nil {
		return err
	}
	for {
		jobs, err := s.JobsOf(ctx, id, 1000)
		if err != nil || len(jobs) == 0 {
			return err
		}
		for _, j := range jobs {
			if err := s.Jobs.Delete(ctx, j.ID); err != nil && !errors.Is(err, elastic.ErrNotFound) {
				return err
			}
		}
	}
}

// JobsOf lists the newest jobs of a connector, or with an empty id those of all, newest first; at
// most limit, or all if limit is 0. A job that cannot be read is reported and skipped.
func (s *Store) JobsOf(ctx context.Context, connector string, limit int) ([]Record[Job], error) {
	if err := s.refresh(ctx, JobsIndex); err != nil {
		return nil, err
	}
	search := elastic.Search{Sort: []any{map[string]string{"created_at": "desc"}}, Size: limit}
	if connector != "" {
		search.Query = term("connector.id", connector)
	}
	found, unreadable, err := s.Jobs.Find(ctx, search)
	for _, bad := range unreadable {
		s.log.Warn("skipping a sync job", report.Err, bad.Error())
	}
	return found, err
}

// RunningJobs lists the jobs of a connector that a program is running, according to the records. Jobs
// without a recent heartbeat are left out.
func (s *Store) RunningJobs(ctx context.Context, connector string) ([]Record[Job], error) {
	found, err := s.findJobs(ctx, all(term("connector.id", connector), terms("status", []JobStatus{JobInProgress, JobCanceling})))
	return slices.DeleteFunc(found, func(j Record[Job]) bool { return s.idle(&j.Body) }), err
}

// StartJob creates a pending job of a connector.
func (s *Store) StartJob(ctx context.Context, c *Record[Connector], t JobType) (id string, err error) {
	if err := s.Ensure(ctx); err != nil { // without the mapping the record would not be found
		return "", err
	}
	if s.api && t != JobDeletion { // which the API does not define
		return s.client.NewJob(ctx, c.ID, string(t), string(TriggerOnDemand))
	}
	r, err := s.Jobs.Create(ctx, newID(), NewJob(c, t, TriggerOnDemand, s.version, s.now()))
	return r.ID, err
}

// RunnableJob returns a job of a connector for the caller to run immediately: a pending one of its type
// with the same effect, or else a new one. created reports which. The error is [ErrLost] while a job of its
// family is running.
func (s *Store) RunnableJob(ctx context.Context, c *Record[Connector], t JobType) (id string, created bool, err error) {
	live, err := s.liveJobs(ctx, c.ID, t)
	if err != nil {
		return "", false, err
	}
	if len(live) > 0 {
		return "", false, fmt.Errorf("%s: %w", runs(&live[0]), ErrLost)
	}
	waiting, err := s.findJobs(ctx, all(term("connector.id", c.ID), terms("status", []JobStatus{JobPending, JobSuspended})))
	if err != nil {
		return "", false, err
	}
	for _, j := range waiting {
		if j.Body.Type() == t && !s.outdated(&j.Body, &c.Body) {
			return j.ID, false, nil
		}
	}
	id, err = s.StartJob(ctx, c, t)
	return id, true, err
}

// CancelJob requests the end of a job; a pending one ends immediately. ok is false if the job had
// already ended.
func (s *Store) CancelJob(ctx context.Context, id string) (job Record[Job], ok bool, err error) {
	if job, err = s.Jobs.Get(ctx, id); err != nil {
		return job, false, err
	}
	now, began := TimeOf(s.now()), false
	job, err = s.Jobs.Update(ctx, job, func(j *Job) error {
		began = j.Status == JobSuspended
		next, ok := NextJob(j.Status, JobEventCancelRequested)
		if !ok {
			return ErrLost
		}
		j.Status, j.CancelationRequestedAt = next, now
		if next == JobCanceled {
			end(j, next, now, "")
		}
		return nil
	})
	if errors.Is(err, ErrLost) {
		return job, false, nil
	}
	if err == nil && began && job.Body.Status == JobCanceled { // its connector has the status suspended
		c, gone := s.Connectors.Get(ctx, job.Body.Connector.ID)
		if gone == nil {
			err = s.conclude(ctx, c, job, nil)
		}
	}
	return job, err == nil, err
}

// Named lists the connectors that have this name or index.
func (s *Store) Named(ctx context.Context, name string) ([]Record[Connector], error) {
	found, err := s.FindConnectors(ctx, map[string]any{"bool": map[string]any{
		"should": []any{term("name", name), term("index_name", name)}, "minimum_should_match": 1,
	}})
	return found, err
}

// Pipeline returns p with the defaults of the server's version for missing settings.
func (s *Store) Pipeline(p Pipeline) Pipeline { return p.Filled(s.version) }

// LacksOwnPipeline reports whether name is a pipeline that an Elastic stack provides, but this
// server does not have.
func (s *Store) LacksOwnPipeline(ctx context.Context, name string) (bool, error) {
	if name != genericPipeline && name != searchPipeline {
		return false, nil
	}
	_, err := s.client.Pipeline(ctx, name)
	switch {
	case errors.Is(err, elastic.ErrNotFound):
		return true, nil
	case errors.Is(err, elastic.ErrAuth): // it may be used anyway
		return false, nil
	}
	return false, err
}

// AccessControlCreation is the request body for an index of identities, as Elasticsearch's template
// would create it.
func AccessControlCreation() elastic.Creation {
	create, err := elastic.NewCreation(
		map[string]any{"hidden": true},
		map[string]any{"dynamic": false, "properties": map[string]any{"created_at": map[string]any{"type": "date"}}},
	)
	if err != nil { // it is a constant
		panic(err)
	}
	return create
}

// NewJob is a job with the connector's current settings; it is not written.
func (s *Store) NewJob(c *Record[Connector], t JobType) Job {
	return NewJob(c, t, TriggerOnDemand, s.version, s.now())
}
