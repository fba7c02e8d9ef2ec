package records

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// The arguments of list; without one, it lists sources and connectors.
const (
	Sources    = "sources"
	Connectors = "connectors"
	Jobs       = "jobs"
	Indices    = "indices"
	Documents  = "documents"
)

// ListOptions choose what is listed.
type ListOptions struct {
	Flags     *setup.Flags
	What      string // "" for sources and connectors
	Connector string // list only the jobs, or the documents, of this connector; "" for all, or for the only one
	Form      string
	Limit     int
}

// listed is the output of list -o json.
type listed struct {
	Schema     int               `json:"schema"`
	Sources    []listedSource    `json:"sources,omitempty"`
	Connectors []listedConnector `json:"connectors,omitempty"`
	Jobs       []listedJob       `json:"jobs,omitzero"`
	Indices    []listedIndex     `json:"indices,omitzero"`
}

// line is what an entry has besides if it is a line of its own, with ndjson.
type line struct {
	Schema int    `json:"schema,omitempty"`
	Kind   string `json:"kind,omitempty"`
}

func lineOf(kind string) line { return line{output.Schema, kind} }

type listedSource struct {
	line
	Name  string `json:"name"`
	Title string `json:"title"`
}

// listedConnector is a connector of the configuration, of Elasticsearch, or of both.
type listedConnector struct {
	line
	Name        string `json:"name"`
	Source      string `json:"source"`
	Index       string `json:"index"`
	Destination string `json:"destination"`

	// From the record in Elasticsearch, if there is one.
	ID             string `json:"id,omitempty"`
	Status         string `json:"status,omitempty"`
	LastSyncStatus string `json:"last_sync_status,omitempty"`
	LastSynced     string `json:"last_synced,omitempty"`
	Error          string `json:"error,omitempty"`
	recorded       bool
}

// listedJob is a sync job.
type listedJob struct {
	line
	ID        string `json:"id"`
	Connector string `json:"connector"`
	Index     string `json:"index"`
	Type      string `json:"type"`
	Trigger   string `json:"trigger"`
	Status    string `json:"status"`
	Created   string `json:"created"`
	Indexed   int64  `json:"indexed"`
	Deleted   int64  `json:"deleted"`
	Error     string `json:"error,omitempty"`
}

// listedIndex is the content index of a connector.
type listedIndex struct {
	line
	Index     string `json:"index"`
	Connector string `json:"connector"` // its name, or else its id
	ID        string `json:"id,omitempty"`
	Exists    bool   `json:"exists"`
	Documents int64  `json:"documents"`
	Owner     string `json:"owner,omitempty"` // service_type/name of a connector of a file, or the id of one of Elasticsearch
	concrete  string // the index for which an alias stands
}

// addConfigured adds the connectors of the configuration.
func (l *listed) addConfigured(d *Desk) {
	to := destination.Name(&d.Config.Elasticsearch)
	for i := range d.Config.Connectors {
		c := &d.Config.Connectors[i]
		l.Connectors = append(l.Connectors, listedConnector{
			Name: ConnectorName(c), Source: c.ServiceType, Index: c.IndexName, Destination: to, ID: c.ConnectorID,
		})
	}
}

// addRecords adds the connectors of Elasticsearch, and their state to those of the configuration.
func (l *listed) addRecords(ctx context.Context, d *Desk) error {
	records, err := d.existing(ctx)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i, c := range l.Connectors {
		if c.ID != "" {
			at[c.ID] = i
		}
	}
	for _, r := range records {
		i, known := at[r.ID]
		if !known {
			i = len(l.Connectors)
			l.Connectors = append(l.Connectors, listedConnector{Name: cmp.Or(r.Body.Name, r.ID), Destination: d.Destination.Name()})
		}
		c, b := &l.Connectors[i], &r.Body
		c.recorded, c.ID = true, r.ID
		c.Source, c.Index = cmp.Or(string(b.ServiceType), c.Source), cmp.Or(string(b.IndexName), c.Index)
		c.Status, c.LastSyncStatus, c.LastSynced = string(b.Status), string(b.LastSyncStatus), instant(b.LastSynced)
		c.Error = string(b.Error)
	}
	return nil
}

// addJobs adds sync jobs, the newest first.
func (l *listed) addJobs(ctx context.Context, d *Desk, o *ListOptions) error {
	id := ""
	if o.Connector != "" {
		c, err := d.Connector(ctx, o.Connector)
		if err != nil {
			return err
		}
		id = c.ID
	}
	exist, err := d.Store.Exist(ctx)
	if err != nil {
		return err
	}
	l.Jobs = []listedJob{}
	if !exist {
		return nil
	}
	jobs, err := d.Store.JobsOf(ctx, id, o.Limit)
	for i := range jobs {
		l.Jobs = append(l.Jobs, listedJobOf(&jobs[i]))
	}
	return err
}

func listedJobOf(r *protocol.Record[protocol.Job]) listedJob {
	j := &r.Body
	return listedJob{
		ID: r.ID, Connector: j.Connector.ID, Index: string(j.Connector.IndexName), Type: string(j.Type()), Trigger: string(j.TriggerMethod),
		Status: string(j.Status), Created: instant(j.CreatedAt), Indexed: int64(j.IndexedDocumentCount), Deleted: int64(j.DeletedDocumentCount),
		Error: string(j.Error),
	}
}

// addIndices adds the indices of the connectors of the configuration and of Elasticsearch. An error with one
// index does not hide the others.
func (l *listed) addIndices(ctx context.Context, d *Desk) error {
	var all listed
	l.Indices = []listedIndex{}
	all.addConfigured(d)
	failed := all.addRecords(ctx, d)
	for _, c := range all.Connectors {
		if c.Index == "" {
			continue
		}
		index := listedIndex{Index: c.Index, Connector: c.Name, ID: c.ID}
		client, err := d.clientOf(c.Name)
		if err == nil {
			err = measure(ctx, client, &index)
		}
		if err != nil {
			failed = errors.Join(failed, err)
			if errors.Is(err, elastic.ErrUnreachable) {
				return failed
			}
			continue
		}
		same := func(i listedIndex) bool {
			return i.Index == index.Index && i.Connector == index.Connector && (i.ID == "" || index.ID == "")
		}
		if at := slices.IndexFunc(l.Indices, same); at >= 0 {
			l.Indices[at].ID = cmp.Or(l.Indices[at].ID, index.ID) // an entry of the file without the id of its record
			continue
		}
		l.Indices = append(l.Indices, index)
		if d.Destination.Folder() != "" { // it has no rebuilds
			continue
		}
		left, err := rebuilt(ctx, client, &index)
		failed, l.Indices = errors.Join(failed, err), append(l.Indices, left...)
	}
	return failed
}

// rebuilt are indices of rebuilds for which the name of an index does not stand: an interrupted rebuild leaves its new
// index, and a rebuild of an alias the old index.
func rebuilt(ctx context.Context, client *elastic.Client, of *listedIndex) (left []listedIndex, err error) {
	found, err := client.Rebuilt(ctx, of.Index)
	for _, ix := range found {
		if ix.Name == of.concrete {
			continue
		}
		n, cerr := client.Count(ctx, ix.Name)
		err = errors.Join(err, cerr)
		left = append(left, listedIndex{Index: ix.Name, Exists: true, Owner: ix.Marker.Owner, Documents: n})
	}
	return left, err
}

// measure looks up the state of an index.
func measure(ctx context.Context, client *elastic.Client, index *listedIndex) error {
	ix, err := client.Index(ctx, index.Index)
	if errors.Is(err, elastic.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	index.Exists, index.Owner, index.concrete = true, ix.Marker.Owner, ix.Name
	index.Documents, err = client.Count(ctx, index.Index)
	return err
}

// clientOf has the credentials of a connector of the configuration, or else the general ones.
func (d *Desk) clientOf(connector string) (*elastic.Client, error) {
	of := config.Connector{}
	for _, c := range d.Config.Connectors {
		if ConnectorName(&c) == connector {
			of = c
		}
	}
	return d.Destination.Client(&of)
}

// connectorTables are two tables: connectors of the configuration without a record in Elasticsearch, and
// connectors with one.
func connectorTables(width int, connectors []listedConnector) []string {
	ours := [][]string{{"CONNECTOR", "SOURCE TYPE", "INDEX", "DESTINATION"}}
	theirs := [][]string{{"CONNECTOR ID", "NAME", "SOURCE TYPE", "INDEX", "STATUS", "LAST SYNC", "LAST SYNCED"}}
	for _, c := range connectors {
		if c.recorded {
			theirs = append(theirs, []string{
				term.Plain(c.ID), term.Plain(c.Name), term.Plain(c.Source), term.Plain(c.Index), term.Plain(c.Status), term.Plain(c.LastSyncStatus), c.LastSynced,
			})
		} else {
			ours = append(ours, []string{term.Plain(c.Name), term.Plain(c.Source), term.Plain(c.Index), term.Plain(c.Destination)})
		}
	}
	var out []string
	if len(ours) > 1 {
		out = append(out, term.Table(width, ours))
	}
	if len(theirs) > 1 {
		out = append(out, term.RecordTable(width, theirs))
	}
	return out
}

// longestError is the maximum width of an error in a table, in columns.
const longestError = 80

func jobTable(width int, jobs []listedJob) string {
	rows := [][]string{{"JOB ID", "CONNECTOR", "INDEX", "TYPE", "TRIGGER", "STATUS", "CREATED", "INDEXED", "DELETED", "ERROR"}}
	for _, j := range jobs {
		rows = append(rows, []string{
			term.Plain(j.ID), term.Plain(j.Connector), term.Plain(j.Index), term.Plain(j.Type), term.Plain(j.Trigger), term.Plain(j.Status), j.Created,
			term.Number(j.Indexed), term.Number(j.Deleted), term.Shorten(term.Plain(j.Error), longestError),
		})
	}
	return term.RecordTable(width, rows, 7, 8)
}

const leftByRebuild = "(none: left by a rebuild, or of one that runs)"

func indexTable(width int, indices []listedIndex) string {
	rows := [][]string{{"INDEX", "DOCUMENTS", "OWNER", "CONNECTOR", "EXISTS"}}
	for _, i := range indices {
		exists, documents := "yes", term.Number(i.Documents)
		if !i.Exists {
			exists, documents = "no", strconv.Itoa(0)
		}
		rows = append(rows, []string{term.Plain(i.Index), documents, term.Plain(i.Owner), term.Plain(cmp.Or(i.Connector, leftByRebuild)), exists})
	}
	return term.Table(width, rows, 1)
}
