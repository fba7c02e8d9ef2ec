package kibanatest

import (
	"context"
	"net/http"
)

// The status of a connector that Kibana sets.
const (
	created            = "created"             // a new one that its owner runs
	needsConfiguration = "needs_configuration" // a new one that Elastic runs
	configured         = "configured"          // its configuration was saved
)

// midnight is the schedule of new records, once a day and turned off.
const midnight = "0 0 0 * * ?"

// A Connector is what a person fills in to make one.
type Connector struct {
	ID          string // lower case
	Name        string
	Index       string // of the content
	Language    string // "" for none
	ServiceType string // "" to leave it to the program that serves the connector
	Native      bool   // one that Elastic runs; it has a service type
}

// CreateConnector makes a connector with every field that Kibana writes, and the defaults of the
// connectors' index for its pipeline. Both indices of the records must exist.
func (k *Kibana) CreateConnector(c Connector) {
	k.t.Helper()
	status := created
	if c.Native {
		status = needsConfiguration
	}
	k.create(connectors, c.ID, Record{
		"api_key_id":                            nil,
		"api_key_secret_id":                     nil,
		"configuration":                         Record{},
		"custom_scheduling":                     Record{},
		"deleted":                               false,
		"description":                           nil,
		"error":                                 nil,
		"features":                              nil,
		"filtering":                             k.noRules(),
		"index_name":                            c.Index,
		"is_native":                             c.Native,
		"language":                              orNull(c.Language),
		"last_access_control_sync_error":        nil,
		"last_access_control_sync_scheduled_at": nil,
		"last_access_control_sync_status":       nil,
		"last_deleted_document_count":           0,
		"last_incremental_sync_scheduled_at":    nil,
		"last_indexed_document_count":           0,
		"last_seen":                             nil,
		"last_sync_error":                       nil,
		"last_sync_scheduled_at":                nil,
		"last_sync_status":                      nil,
		"last_synced":                           nil,
		"name":                                  c.Name,
		"pipeline":                              k.pipeline(),
		"scheduling": Record{
			"full":           Record{"enabled": false, "interval": midnight},
			"incremental":    Record{"enabled": false, "interval": midnight},
			"access_control": Record{"enabled": false, "interval": midnight},
		},
		"service_type": orNull(c.ServiceType),
		"status":       status,
		"sync_cursor":  nil,
		"sync_now":     false,
	})
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// pipeline is what a new connector has, from the metadata of the connectors' index.
func (k *Kibana) pipeline() Record {
	k.t.Helper()
	var answer map[string]struct {
		Mappings struct {
			Meta struct {
				Pipeline Record `json:"pipeline"`
			} `json:"_meta"`
		} `json:"mappings"`
	}
	k.ask(k.t.Context(), http.MethodGet, "/"+connectors+"/_mapping", nil, &answer)
	for _, index := range answer {
		if p := index.Mappings.Meta.Pipeline; p != nil {
			return Record{
				"name":                   p["default_name"],
				"extract_binary_content": p["default_extract_binary_content"],
				"reduce_whitespace":      p["default_reduce_whitespace"],
				"run_ml_inference":       p["default_run_ml_inference"],
			}
		}
	}
	k.t.Fatalf("Kibana: the index %s has no pipelines in its metadata", connectors)
	return nil
}

// Connector reads the record of a connector, which must exist.
func (k *Kibana) Connector(id string) Record {
	k.t.Helper()
	return k.existing(connectors, id)
}

// Configure saves values of the configuration, whose fields the program has published.
func (k *Kibana) Configure(id string, values map[string]any) {
	k.t.Helper()
	published, _ := k.Connector(id)["configuration"].(map[string]any)
	changed := Record{}
	for name, value := range values {
		if _, ok := published[name]; !ok {
			k.t.Fatalf("Kibana: the form of connector %q has no field %q", id, name)
		}
		changed[name] = Record{"value": value}
	}
	k.update(connectors, id, Record{"configuration": changed, "status": configured})
}

// Schedule turns the schedule of a type of jobs on.
func (k *Kibana) Schedule(id, jobType, interval string) {
	k.t.Helper()
	k.update(connectors, id, Record{"scheduling": Record{jobType: Record{"enabled": true, "interval": interval}}})
}

// ScheduleSingle sets the one schedule that connectors of the first generation have, in place of those
// by type.
func (k *Kibana) ScheduleSingle(id, interval string) {
	k.t.Helper()
	r := k.Connector(id)
	r["scheduling"] = Record{"enabled": true, "interval": interval}
	k.ask(k.t.Context(), http.MethodPut, "/"+connectors+"/_doc/"+id+"?refresh=true", r, nil)
}

// SyncNow requests a job as the first generation does, by a flag of the connector.
func (k *Kibana) SyncNow(id string) {
	k.t.Helper()
	k.update(connectors, id, Record{"sync_now": true})
}

// A Rule is a basic sync rule of the form.
type Rule struct{ ID, Policy, Field, Rule, Value string }

// EditRules writes a draft of basic rules, in this order before the default one, and an advanced snippet, nil for
// none, and requests their validation.
func (k *Kibana) EditRules(id string, rules []Rule, snippet any) {
	k.t.Helper()
	stamp := k.stamp()
	var draft []Record
	for i, r := range rules {
		draft = append(draft, Record{
			"id": r.ID, "policy": r.Policy, "field": r.Field, "rule": r.Rule, "value": r.Value, "order": i + 1,
			"created_at": stamp, "updated_at": stamp,
		})
	}
	filtering, _ := k.Connector(id)["filtering"].([]any)
	if len(filtering) != 1 {
		k.t.Fatalf("Kibana: connector %q has %d domains of sync rules, not one", id, len(filtering))
	}
	domain := filtering[0].(map[string]any)
	old := domain["draft"].(map[string]any)["advanced_snippet"].(map[string]any)
	if snippet == nil {
		snippet = Record{}
	}
	domain["draft"] = Record{
		"rules":            append(draft, k.everything()),
		"advanced_snippet": Record{"value": snippet, "created_at": old["created_at"], "updated_at": stamp},
		"validation":       Record{"state": "edited", "errors": []any{}},
	}
	k.update(connectors, id, Record{"filtering": filtering})
}

// noRules are the sync rules of a new connector.
func (k *Kibana) noRules() []Record {
	none := func() Record {
		return Record{
			"rules":            []Record{k.everything()},
			"advanced_snippet": Record{"value": Record{}, "created_at": k.stamp(), "updated_at": k.stamp()},
			"validation":       Record{"state": "valid", "errors": []any{}},
		}
	}
	return []Record{{"domain": "DEFAULT", "active": none(), "draft": none()}}
}

// everything is the last rule, which includes everything to which no other rule applies.
func (k *Kibana) everything() Record {
	return Record{
		"id": "DEFAULT", "policy": "include", "field": "_", "rule": "regex", "value": ".*", "order": 0,
		"created_at": k.stamp(), "updated_at": k.stamp(),
	}
}

// SetPipeline changes the parameters of the ingest pipeline.
func (k *Kibana) SetPipeline(id string, extractBinaryContent, reduceWhitespace, runMLInference bool) {
	k.t.Helper()
	k.update(connectors, id, Record{"pipeline": Record{
		"extract_binary_content": extractBinaryContent, "reduce_whitespace": reduceWhitespace, "run_ml_inference": runMLInference,
	}})
}

// SetIndex attaches another index, and language of its text, to a connector.
func (k *Kibana) SetIndex(id, index, language string) {
	k.t.Helper()
	k.update(connectors, id, Record{"index_name": index, "language": orNull(language)})
}

// SoftDelete marks a connector as deleted. Its record and those of its jobs stay.
func (k *Kibana) SoftDelete(id string) {
	k.t.Helper()
	k.update(connectors, id, Record{"deleted": true})
}

// HardDelete removes the record of a connector. Those of its jobs stay.
func (k *Kibana) HardDelete(id string) {
	k.t.Helper()
	k.remove(k.t.Context(), connectors, id)
}

// Purge removes everything that a test has created with a connector: its record, those of its jobs, and indices. It may be
// called after the test has ended.
func (k *Kibana) Purge(id string, indices ...string) {
	k.t.Helper()
	ctx := context.WithoutCancel(k.t.Context())
	for _, job := range k.jobs(ctx, id) {
		k.remove(ctx, jobs, job.ID)
	}
	k.remove(ctx, connectors, id)
	for _, index := range indices {
		k.ask(ctx, http.MethodDelete, "/"+index, nil, nil, http.StatusNotFound)
	}
}
