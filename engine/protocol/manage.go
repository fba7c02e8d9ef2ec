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

// What people ask for by commands, without Kibana.

// NewConnector is the record of a connector whose source has this type, as Kibana would make it.
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

// ErrExists is a connector that exists already, or whose index another one has.
var ErrExists = errors.New("it exists already")

// CreateConnector writes the record of a new connector; with an empty id it gets one. An index has one
// connector: two would delete each other's documents.
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
			return Record[Connector]{}, fmt.Errorf("connector %q has the index %q: %w", o.ID, string(c.IndexName), ErrExists)
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
	return s.Connectors.Update(ctx, r, func(b *Connector) error { // what the API does not take
		*b = c
		return nil
	})
}

// DeleteConnector removes the record of a connector and those of its jobs. The index and its documents
// stay. A job that runs ends by itself.
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

// JobsOf lists the newest jobs of a connector, or with an empty id those of all, the newest first; at
// most limit, or all with 0. One that cannot be read is told and left out.
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
		s.log.Warn("a sync job is left out", report.Err, bad.Error())
	}
	return found, err
}

// RunningJobs lists the jobs of a connector that some program runs, as far as the records tell: those of
// programs that were not seen for a while are left out.
func (s *Store) RunningJobs(ctx context.Context, connector string) ([]Record[Job], error) {
	found, err := s.findJobs(ctx, all(term("connector.id", connector), terms("status", []JobStatus{JobInProgress, JobCanceling})))
	return slices.DeleteFunc(found, func(j Record[Job]) bool { return s.idle(&j.Body) }), err
}

// StartJob makes a job of a connector that waits for somebody to run it.
func (s *Store) StartJob(ctx context.Context, c *Record[Connector], t JobType) (id string, err error) {
	if err := s.Ensure(ctx); err != nil { // a record in an index without its mapping is not found
		return "", err
	}
	if s.api && t != JobDeletion { // which the API does not know
		return s.client.NewJob(ctx, c.ID, string(t), string(TriggerOnDemand))
	}
	r, err := s.Jobs.Create(ctx, newID(), NewJob(c, t, TriggerOnDemand, s.version, s.now()))
	return r.ID, err
}

// RunnableJob returns a job of a connector for somebody who runs it at once: one of its type that waits
// and would do the same, or else a new one. made reports which. The error is [ErrLost] while a job of its
// family runs.
func (s *Store) RunnableJob(ctx context.Context, c *Record[Connector], t JobType) (id string, made bool, err error) {
	live, err := s.liveJobs(ctx, c.ID, t)
	if err != nil {
		return "", false, err
	}
	if len(live) > 0 {
		return "", false, fmt.Errorf("sync job %q runs: %w", live[0].ID, ErrLost)
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

// CancelJob asks for the end of a job; one that waits has ended by it. ok is false for a job that has
// ended already.
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
	if err == nil && began && job.Body.Status == JobCanceled { // its connector says that it is suspended
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

// Pipeline is p with what the server's version has in place of what is absent.
func (s *Store) Pipeline(p Pipeline) Pipeline { return p.Filled(s.version) }

// LacksOwnPipeline reports whether name is a pipeline that an Elastic stack brings along, and the
// server has none by that name.
func (s *Store) LacksOwnPipeline(ctx context.Context, name string) (bool, error) {
	if name != genericPipeline && name != searchPipeline {
		return false, nil
	}
	_, err := s.client.Pipeline(ctx, name)
	switch {
	case errors.Is(err, elastic.ErrNotFound):
		return true, nil
	case errors.Is(err, elastic.ErrAuth): // it may be used all the same
		return false, nil
	}
	return false, err
}

// AccessControlCreation is what an index of identities is made with, as an Elasticsearch does by its
// template.
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

// NewJob is a job of a connector as it is now; it is not written.
func (s *Store) NewJob(c *Record[Connector], t JobType) Job {
	return NewJob(c, t, TriggerOnDemand, s.version, s.now())
}
