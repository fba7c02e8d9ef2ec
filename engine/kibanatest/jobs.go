package kibanatest

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strings"
)

// The types of jobs.
const (
	Full          = "full"
	Incremental   = "incremental"
	AccessControl = "access_control"
)

// StartJob requests a job as Kibana does since 8.9: it writes a pending one that contains the current state of the
// connector. It returns the job's id.
func (k *Kibana) StartJob(connector, jobType string) (id string) {
	k.t.Helper()
	c := k.Connector(connector)
	index := c["index_name"]
	if jobType == AccessControl {
		index = ".search-acl-filter-" + index.(string)
	}
	stamp := k.stamp()
	id = strings.ToLower(rand.Text())
	k.create(jobs, id, Record{
		"connector": Record{
			"id":            connector,
			"configuration": c["configuration"],
			"filtering":     activeRules(c),
			"index_name":    index,
			"language":      c["language"],
			"pipeline":      c["pipeline"],
			"service_type":  c["service_type"],
		},
		"trigger_method":           "on_demand",
		"job_type":                 jobType,
		"status":                   "pending",
		"created_at":               stamp,
		"last_seen":                stamp,
		"started_at":               nil,
		"completed_at":             nil,
		"canceled_at":              nil,
		"cancelation_requested_at": nil,
		"worker_hostname":          nil,
		"error":                    nil,
		"indexed_document_count":   0,
		"indexed_document_volume":  0,
		"deleted_document_count":   0,
		"total_document_count":     nil,
		"metadata":                 Record{},
	})
	return id
}

// activeRules are the rules that a job obeys: a list with those of the one domain.
func activeRules(connector Record) []any {
	filtering, _ := connector["filtering"].([]any)
	var active []any
	for _, domain := range filtering {
		if d, ok := domain.(map[string]any); ok && d["domain"] == "DEFAULT" {
			active = append(active, d["active"])
		}
	}
	return active
}

// CancelJob requests the cancellation of a job, whether or not it is running.
func (k *Kibana) CancelJob(id string) {
	k.t.Helper()
	k.update(jobs, id, Record{"status": "canceling", "cancelation_requested_at": k.stamp()})
}

// Job reads the record of a job, which must exist.
func (k *Kibana) Job(id string) Record {
	k.t.Helper()
	return k.existing(jobs, id)
}

// Jobs lists the jobs of a connector, the oldest first, and those of the same time by their types.
func (k *Kibana) Jobs(connector string) []Hit {
	k.t.Helper()
	return k.jobs(k.t.Context(), connector)
}

func (k *Kibana) jobs(ctx context.Context, connector string) []Hit {
	k.t.Helper()
	found := k.search(ctx, jobs, Record{"term": Record{"connector.id": connector}})
	text := func(h Hit, field string) string {
		s, _ := h.Source[field].(string)
		return s
	}
	slices.SortStableFunc(found, func(a, b Hit) int {
		return cmp.Or(
			strings.Compare(text(a, "created_at"), text(b, "created_at")),
			strings.Compare(text(a, "job_type"), text(b, "job_type")),
		)
	})
	return found
}
